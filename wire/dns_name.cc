#include "wire/dns_name.h"

#include <algorithm>
#include <array>
#include <optional>

#include "wire/limits.h"

namespace kua::wire {
namespace {

constexpr std::size_t kLabelBytesMax = 63;
constexpr std::size_t kPointerOffsetMax = 0x3fff;

void append_label_text(BytesView label, std::string& out) {
  for (const std::uint8_t octet : label) {
    if (octet == '.' || octet == '\\') {
      out += '\\';
      out += static_cast<char>(octet);
    } else if (octet > ' ' && octet < 0x7f) {
      out += static_cast<char>(octet);
    } else {
      out += '\\';
      out += static_cast<char>('0' + octet / 100);
      out += static_cast<char>('0' + octet / 10 % 10);
      out += static_cast<char>('0' + octet % 10);
    }
  }
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// The octet that text[at] stands for; moves `at` to its last character.
std::optional<std::uint8_t> unescape(std::string_view text, std::size_t& at) {
  if (text[at] != '\\') return static_cast<std::uint8_t>(text[at]);
  if (at + 1 >= text.size()) return std::nullopt;
  if (!is_digit(text[at + 1])) return static_cast<std::uint8_t>(text[++at]);
  if (at + 3 >= text.size() || !is_digit(text[at + 2]) || !is_digit(text[at + 3]))
    return std::nullopt;
  const int value = (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
  if (value > 0xff) return std::nullopt;
  at += 3;
  return static_cast<std::uint8_t>(value);
}

// Length octet and label, again and again, the root's zero last.
std::optional<Bytes> to_wire(std::string_view name) {
  Bytes out;
  if (name.empty()) return std::nullopt;
  if (name != ".") {
    std::size_t length_at = 0;
    out.push_back(0);
    for (std::size_t at = 0; at < name.size(); ++at) {
      if (name[at] == '.') {
        if (out[length_at] == 0) return std::nullopt;  // empty label, or a leading dot
        length_at = out.size();
        out.push_back(0);
        continue;
      }
      const auto octet = unescape(name, at);
      if (!octet || out[length_at] == kLabelBytesMax) return std::nullopt;
      ++out[length_at];
      out.push_back(*octet);
    }
    if (out[length_at] == 0) out.pop_back();  // the text ended in a dot
  }
  out.push_back(0);
  if (out.size() > kDnsNameBytesMax) return std::nullopt;
  return out;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

const char* to_string(DnsFault fault) noexcept {
  switch (fault) {
    case DnsFault::truncated:
      return "truncated";
    case DnsFault::bad_name:
      return "bad_name";
    case DnsFault::bad_pointer:
      return "bad_pointer";
    case DnsFault::bad_rdata:
      return "bad_rdata";
    case DnsFault::too_many_questions:
      return "too_many_questions";
    case DnsFault::too_many_records:
      return "too_many_records";
  }
  return "truncated";
}

std::expected<DnsNameAt, DnsFault> decode_dns_name(BytesView message, std::size_t at) {
  DnsNameAt out;
  std::size_t octets = 1;  // the root's
  std::size_t pointers = 0;
  std::size_t run = at;              // where the present run of labels began
  std::size_t end = message.size();  // what a pointer leads to lies wholly before what pointed
  const auto beyond = [&] { return pointers > 0 ? DnsFault::bad_pointer : DnsFault::truncated; };
  while (true) {
    if (at >= end) return std::unexpected(beyond());
    const std::uint8_t length = message[at];
    if (length == 0) break;
    if ((length & 0xc0) == 0xc0) {
      if (at + 1 >= end) return std::unexpected(beyond());
      const std::size_t target = static_cast<std::size_t>(length & 0x3f) << 8 | message[at + 1];
      if (target >= run || ++pointers > kDnsPointersMax) {
        return std::unexpected(DnsFault::bad_pointer);
      }
      if (pointers == 1) out.end = at + 2;
      end = run;
      at = run = target;
      continue;
    }
    if (length > kLabelBytesMax) return std::unexpected(DnsFault::bad_name);
    if (at + 1 + length > end) return std::unexpected(beyond());
    octets += 1u + length;
    if (octets > kDnsNameBytesMax) return std::unexpected(DnsFault::bad_name);
    if (!out.name.empty()) out.name += '.';
    append_label_text(message.subspan(at + 1, length), out.name);
    at += 1u + length;
  }
  if (pointers == 0) out.end = at + 1;
  if (out.name.empty()) out.name = ".";
  return out;
}

std::expected<void, DnsFault> DnsNameWriter::append(std::string_view name, Bytes& out) {
  const auto wire = to_wire(name);
  if (!wire) return std::unexpected(DnsFault::bad_name);
  for (std::size_t at = 0; (*wire)[at] != 0; at += 1u + (*wire)[at]) {
    const BytesView suffix = BytesView(*wire).subspan(at);
    const auto known = std::ranges::find_if(
        written_, [&](const auto& entry) { return std::ranges::equal(entry.first, suffix); });
    if (known != written_.end()) {
      put_u16(out, static_cast<std::uint16_t>(0xc000 | known->second));
      return {};
    }
    if (out.size() <= kPointerOffsetMax) {
      written_.emplace_back(Bytes(suffix.begin(), suffix.end()),
                            static_cast<std::uint16_t>(out.size()));
    }
    put_bytes(out, suffix.first(1u + (*wire)[at]));
  }
  put_u8(out, 0);
  return {};
}

bool same_dns_name(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace kua::wire
