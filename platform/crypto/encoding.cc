// Hexadecimal and base64, strict on the way in: what decodes has exactly one spelling, so a text
// can stand for its bytes in comparisons.
#include "platform/crypto/crypto.h"

namespace kua::platform {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNoDigit = 0xff;
using DigitTable = std::array<std::uint8_t, 256>;

constexpr DigitTable make_table(std::string_view alphabet) {
  DigitTable table{};
  table.fill(kNoDigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr DigitTable kBase64Digits = make_table(kBase64);
constexpr DigitTable kBase64UrlDigits = make_table(kBase64Url);
constexpr DigitTable kHexValues = [] {
  DigitTable table = make_table(kHexDigits);
  for (char c = 'A'; c <= 'F'; ++c) {
    table[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(c - 'A' + 10);
  }
  return table;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

// Without padding.
std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string out((bytes.size() * 4 + 2) / 3, '\0');
  std::size_t in = 0;
  std::size_t at = 0;
  for (; in + 3 <= bytes.size(); in += 3, at += 4) {
    const auto group =
        byte_at(bytes, in) << 16 | byte_at(bytes, in + 1) << 8 | byte_at(bytes, in + 2);
    out[at] = alphabet[group >> 18];
    out[at + 1] = alphabet[group >> 12 & 63];
    out[at + 2] = alphabet[group >> 6 & 63];
    out[at + 3] = alphabet[group & 63];
  }
  const auto rest = bytes.size() - in;
  if (rest > 0) {
    const auto group = byte_at(bytes, in) << 16 | (rest == 2 ? byte_at(bytes, in + 1) << 8 : 0);
    out[at] = alphabet[group >> 18];
    out[at + 1] = alphabet[group >> 12 & 63];
    if (rest == 2) out[at + 2] = alphabet[group >> 6 & 63];
  }
  return out;
}

// Digits only, no padding. A last group of one digit, or one whose spare bits are set, is refused.
std::optional<std::string> decode(std::string_view text, const DigitTable& digits) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out(text.size() * 3 / 4, '\0');
  std::size_t at = 0;
  std::size_t in = 0;
  std::uint32_t seen = 0;  // kNoDigit has bits that no digit has
  for (; in + 4 <= text.size(); in += 4, at += 3) {
    const std::uint32_t a = digits[byte_at(text, in)];
    const std::uint32_t b = digits[byte_at(text, in + 1)];
    const std::uint32_t c = digits[byte_at(text, in + 2)];
    const std::uint32_t d = digits[byte_at(text, in + 3)];
    seen |= a | b | c | d;
    const auto group = a << 18 | b << 12 | c << 6 | d;
    out[at] = static_cast<char>(group >> 16);
    out[at + 1] = static_cast<char>(group >> 8);
    out[at + 2] = static_cast<char>(group);
  }
  const auto rest = text.size() - in;
  if (rest > 0) {
    const std::uint32_t a = digits[byte_at(text, in)];
    const std::uint32_t b = digits[byte_at(text, in + 1)];
    const std::uint32_t c = rest == 3 ? digits[byte_at(text, in + 2)] : 0;
    seen |= a | b | c;
    if (rest == 2 ? (b & 15) != 0 : (c & 3) != 0) return std::nullopt;
    out[at] = static_cast<char>(a << 2 | b >> 4);
    if (rest == 3) out[at + 1] = static_cast<char>(b << 4 | c >> 2);
  }
  if (seen > 63) return std::nullopt;
  return out;
}

}  // namespace

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out(text.size() / 2, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = kHexValues[byte_at(text, 2 * i)];
    const auto low = kHexValues[byte_at(text, 2 * i + 1)];
    if (high == kNoDigit || low == kNoDigit) return std::nullopt;
    out[i] = static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out = encode(bytes, kBase64);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  return decode(text, kBase64Digits);
}

std::string to_base64url(std::string_view bytes) { return encode(bytes, kBase64Url); }

std::optional<std::string> from_base64url(std::string_view text) {
  return decode(text, kBase64UrlDigits);
}

}  // namespace kua::platform
