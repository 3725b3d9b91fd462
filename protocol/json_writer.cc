#include "protocol/json_writer.h"

#include <array>
#include <cmath>
#include <cstdint>

#include "platform/crypto/crypto.h"

namespace kua::protocol {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Bytes that stand for themselves inside a JSON string.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
}

bool in(std::uint8_t byte, std::uint8_t low, std::uint8_t high) {
  return byte >= low && byte <= high;
}

struct Sequence {
  std::size_t size;  // bytes to take
  bool well_formed;
};

// The sequence of two to four bytes at `at`, by Unicode's table 3-7; when it is not well formed,
// its maximal subpart.
Sequence sequence_at(std::string_view text, std::size_t at) {
  const auto first = byte_at(text, at);
  const auto second = byte_at(text, at + 1);
  std::size_t size = 0;
  bool second_fits = false;
  if (in(first, 0xc2, 0xdf)) {
    size = 2;
    second_fits = in(second, 0x80, 0xbf);
  } else if (in(first, 0xe0, 0xef)) {
    size = 3;
    second_fits = in(second, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
  } else if (in(first, 0xf0, 0xf4)) {
    size = 4;
    second_fits = in(second, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
  }
  if (size == 0 || !second_fits) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    if (!in(byte_at(text, at + i), 0x80, 0xbf)) return {i, false};
  }
  return {size, true};
}

void append_escaped(std::uint8_t byte, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
  }
}

}  // namespace

void JsonWriter::separate() {
  if (comma_due_) out_.push_back(',');
  comma_due_ = true;
}

void JsonWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  comma_due_ = false;
}

void JsonWriter::close(char bracket) {
  out_.push_back(bracket);
  comma_due_ = true;
}

void JsonWriter::name(std::string_view name) {
  separate();
  quoted(name);
  out_.push_back(':');
  comma_due_ = false;
}

void JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
}

void JsonWriter::text(std::string_view value) {
  separate();
  quoted(value);
}

void JsonWriter::base64(std::string_view bytes) {
  separate();
  out_.push_back('"');
  out_ += platform::to_base64(bytes);
  out_.push_back('"');
}

void JsonWriter::real(double value) {
  if (!std::isfinite(value)) return raw("null");
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  raw({digits, static_cast<std::size_t>(end - digits)});
}

void JsonWriter::quoted(std::string_view text) {
  out_.push_back('"');
  std::size_t from = 0;  // begin of the run that stands for itself
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = byte_at(text, at);
    if (kPlain[byte]) {
      ++at;
      continue;
    }
    const auto sequence = byte < 0x80 ? Sequence{1, false} : sequence_at(text, at);
    if (sequence.well_formed) {
      at += sequence.size;
      continue;
    }
    out_ += text.substr(from, at - from);
    if (byte < 0x80) {
      append_escaped(byte, out_);
    } else {
      out_ += kReplacement;
    }
    at += sequence.size;
    from = at;
  }
  out_ += text.substr(from);
  out_.push_back('"');
}

}  // namespace kua::protocol
