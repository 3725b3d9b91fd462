#include "probe/step/scrub.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <variant>

namespace kua::probe {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr int kScrubRoundsMax = 8;  // honest pages need two

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string hex(std::span<const std::uint8_t> bytes, std::string_view separator, std::size_t group) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && i % group == 0) out += separator;
    out += kHexDigits[bytes[i] >> 4];
    out += kHexDigits[bytes[i] & 15];
  }
  return out;
}

std::string joined(std::span<const std::uint8_t> bytes, char separator) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    if (!out.empty()) out += separator;
    out += std::to_string(byte);
  }
  return out;
}

std::vector<std::string> spellings4(std::span<const std::uint8_t> bytes) {
  const std::array<std::uint8_t, 4> reversed = {bytes[3], bytes[2], bytes[1], bytes[0]};
  const std::uint32_t number = static_cast<std::uint32_t>(bytes[0]) << 24 |
                               static_cast<std::uint32_t>(bytes[1]) << 16 |
                               static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
  return {joined(bytes, '.'), joined(reversed, '.'), joined(bytes, '-'),
          joined(reversed, '-'), joined(bytes, '_'), hex(bytes, "", 4),
          hex(bytes, ":", 2),   std::to_string(number)};
}

std::vector<std::string> spellings6(const IpAddress& address) {
  const auto bytes = address.bytes();
  std::string nibbles;
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) {
    for (const int nibble : {*at & 15, *at >> 4}) {
      if (!nibbles.empty()) nibbles += '.';
      nibbles += kHexDigits[static_cast<std::size_t>(nibble)];
    }
  }
  return {address.text(), hex(bytes, ":", 2), hex(bytes, "-", 2), hex(bytes, "", 16), nibbles};
}

// Whether a literal may begin at `at`: not inside a word, unless a percent-escape ends there.
bool begins_word(std::string_view text, std::size_t at) {
  if (at >= 2 && text[at - 1] == '.' && is_digit(text[at - 2])) return false;  // the tail of a longer number
  if (at == 0 || !is_word(text[at - 1])) return true;
  return at >= 3 && text[at - 3] == '%' && is_hex(text[at - 2]) && is_hex(text[at - 1]);
}

// The longest run of `accepts` from `at` that stands alone as a word.
template <typename Accepts>
std::string_view run_at(std::string_view text, std::size_t at, Accepts accepts) {
  std::size_t end = at;
  while (end < text.size() && accepts(text[end])) ++end;
  std::string_view run = text.substr(at, end - at);
  if (end < text.size() && is_word(text[end])) return {};
  while (!run.empty() && (run.back() == '.' || run.back() == '-')) run.remove_suffix(1);
  if (run.size() > 2 && run.back() == ':' && run[run.size() - 2] != ':') run.remove_suffix(1);
  return run;
}

std::optional<IpAddress> dashed(std::string_view run) {
  if (std::ranges::count(run, '-') != 3) return std::nullopt;
  std::string dotted(run);
  std::ranges::replace(dotted, '-', '.');
  return IpAddress::parse(dotted);
}

// A dotted quad with a port behind it, or none: inet_pton takes no leading zeros, pages have them.
std::optional<IpAddress> quad(std::string_view run) {
  std::array<std::uint8_t, 4> bytes{};
  std::size_t part = 0;
  unsigned value = 0;
  std::size_t digits = 0;
  for (std::size_t i = 0; i <= run.size(); ++i) {
    if (i < run.size() && is_digit(run[i])) {
      value = value * 10 + static_cast<unsigned>(run[i] - '0');
      if (++digits > 3) return std::nullopt;
      continue;
    }
    if (digits == 0 || value > 255 || part > 3 || (i < run.size() && run[i] != '.')) return std::nullopt;
    bytes[part++] = static_cast<std::uint8_t>(value);
    value = 0;
    digits = 0;
  }
  if (part != 4) return std::nullopt;
  return IpAddress::from_bytes(bytes);
}

struct Literal {
  IpAddress address;
  std::size_t length;
};

std::optional<Literal> literal_at(std::string_view text, std::size_t at) {
  const char first = text[at];
  if (is_digit(first)) {
    const auto dots = run_at(text, at, [](char c) { return is_digit(c) || c == '.'; });
    if (const auto address = quad(dots)) return Literal{*address, dots.size()};
    const auto dashes = run_at(text, at, [](char c) { return is_digit(c) || c == '-'; });
    if (const auto address = dashed(dashes)) return Literal{*address, dashes.size()};
  }
  if (is_hex(first) || first == ':') {
    const auto run = run_at(text, at, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
    if (std::ranges::count(run, ':') < 2) return std::nullopt;
    if (const auto address = IpAddress::parse(run)) return Literal{*address, run.size()};
  }
  return std::nullopt;
}

// Loopback and the unspecified address are everybody's.
bool is_nobodys(const IpAddress& address) {
  static const std::array kBlocks = {*Prefix::parse("127.0.0.0/8"), *Prefix::parse("0.0.0.0/32"),
                                     *Prefix::parse("::/127"), *Prefix::parse("255.255.255.255/32")};
  return std::ranges::any_of(kBlocks, [&](const Prefix& block) { return block.contains(address); });
}

// Headers whose whole purpose is to say who asked.
bool tells_client(std::string_view lower_name) {
  constexpr std::array<std::string_view, 12> kNames = {
      "x-forwarded-for", "forwarded",    "x-real-ip",        "x-client-ip", "client-ip",   "true-client-ip",
      "x-remote-addr",   "remote-addr",  "cf-connecting-ip", "x-ip",        "x-remote-ip", "x-user-ip"};
  return std::ranges::find(kNames, lower_name) != kNames.end();
}

}  // namespace

Scrubber::Scrubber(std::span<const IpAddress> own, std::span<const IpAddress> asked)
    : asked_(asked.begin(), asked.end()) {
  for (const IpAddress& address : own) {
    if (is_nobodys(address) || !own_.insert(address).second) continue;
    const auto more = address.family() == Family::ip4 ? spellings4(address.bytes()) : spellings6(address);
    for (const std::string& spelling : more) own_spellings_.push_back(lower(spelling));
  }
}

void Scrubber::keep_patterns(std::span<const Fingerprint> fingerprints) {
  for (const Fingerprint& fingerprint : fingerprints) {
    const std::string_view pattern = fingerprint.pattern;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
      if (!begins_word(pattern, at)) continue;
      if (const auto literal = literal_at(pattern, at)) asked_.insert(literal->address);
    }
  }
}

bool Scrubber::may_stay(const IpAddress& address) const {
  if (own_.contains(address)) return false;
  return is_nobodys(address) || asked_.contains(address);
}

std::string Scrubber::without_own(std::string text) const {
  for (const std::string& spelling : own_spellings_) {
    std::string haystack = lower(text);
    std::size_t at = 0;
    while ((at = haystack.find(spelling, at)) != std::string::npos) {
      const std::size_t end = at + spelling.size();
      const bool inside_number = (at > 0 && is_hex(haystack[at - 1]) && is_hex(spelling.front())) ||
                                 (end < haystack.size() && is_hex(haystack[end]) && is_hex(spelling.back()));
      if (inside_number) {  // another, longer number
        ++at;
        continue;
      }
      text.replace(at, spelling.size(), kScrubbed);
      haystack.replace(at, spelling.size(), kScrubbed);
      at += kScrubbed.size();
    }
  }
  return text;
}

std::string Scrubber::scrub(std::string_view text) const {
  // What is left beside a literal that went may read as one now ("2001:db8::9db8::9"): again, until
  // nothing changes. Text that never comes to rest was made to do so and goes whole.
  std::string before(text);
  for (int round = 0; round < kScrubRoundsMax; ++round) {
    std::string after = scrubbed_once(before);
    if (after == before) return after;
    before = std::move(after);
  }
  return std::string(kScrubbed);
}

std::string Scrubber::scrubbed_once(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    const bool starts = is_hex(text[at]) || text[at] == ':';
    const auto literal = starts && begins_word(text, at) ? literal_at(text, at) : std::nullopt;
    if (!literal) {
      out += text[at++];
      continue;
    }
    out += may_stay(literal->address) ? text.substr(at, literal->length) : kScrubbed;
    at += literal->length;
  }
  return own_spellings_.empty() ? out : without_own(std::move(out));
}

std::string Scrubber::header_value(std::string_view name, std::string_view value) const {
  const std::string lower_name = lower(name);
  if (tells_client(lower_name)) return std::string(kScrubbed);
  if (lower_name == "set-cookie") {  // its value is a number the site knows this visit by
    return scrub(value.substr(0, value.find('='))) + "=" + std::string(kScrubbed);
  }
  return scrub(value);
}

void Scrubber::scrub(Observation& observation) const {
  auto* round_trip = std::get_if<HttpRoundTrip>(&observation);
  if (round_trip == nullptr) return;
  for (auto& [name, value] : round_trip->headers) value = header_value(name, value);
  round_trip->title = scrub(round_trip->title);
  round_trip->body_sample = scrub(round_trip->body_sample);
  round_trip->url = scrub(round_trip->url);
  round_trip->host = scrub(round_trip->host);
}

}  // namespace kua::probe
