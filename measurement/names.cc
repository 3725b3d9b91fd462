#include "measurement/names.h"

#include <algorithm>
#include <cstring>

namespace kua {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_lower_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool valid_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label,
                             [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; });
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

bool ProbeIdTraits::valid(std::string_view text) noexcept {
  return text.size() == 32 && std::ranges::all_of(text, is_lower_hex);
}

bool TargetIdTraits::valid(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 200 && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '<' && c != '>' && c != '\\' && c != '?';
  });
}

bool CountryTraits::valid(std::string_view text) noexcept {
  return text.size() == 2 && is_upper(text[0]) && is_upper(text[1]);
}

bool RegionTraits::valid(std::string_view text) noexcept {
  return text.size() >= 4 && text.size() <= 6 && CountryTraits::valid(text.substr(0, 2)) &&
         text[2] == '-' &&
         std::ranges::all_of(text.substr(3), [](char c) { return is_upper(c) || is_digit(c); });
}

bool DomainNameTraits::valid(std::string_view text) noexcept {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!valid_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

RecordId RecordId::make(std::int64_t unix_milliseconds, Bytes random) noexcept {
  for (int i = 0; i < 6; ++i) {
    random[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(unix_milliseconds >> (8 * (5 - i)));
  }
  random[6] = static_cast<std::uint8_t>(0x70 | (random[6] & 0x0f));  // version 7
  random[8] = static_cast<std::uint8_t>(0x80 | (random[8] & 0x3f));  // variant of RFC 9562
  return RecordId(random);
}

std::optional<RecordId> RecordId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Bytes bytes{};
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const auto value = kHexDigits.find(text[i]);
    if (value == std::string_view::npos) return std::nullopt;
    bytes[nibble / 2] = static_cast<std::uint8_t>(bytes[nibble / 2] << 4 | value);
    ++nibble;
  }
  if (bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2) return std::nullopt;
  return RecordId(bytes);
}

std::string RecordId::text() const {
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out.push_back(kHexDigits[bytes_[i] >> 4]);
    out.push_back(kHexDigits[bytes_[i] & 15]);
  }
  return out;
}

std::int64_t RecordId::unix_milliseconds() const noexcept {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 6; ++i) value = value << 8 | bytes_[i];
  return value;
}

}  // namespace kua

std::size_t std::hash<kua::RecordId>::operator()(const kua::RecordId& id) const noexcept {
  std::size_t value = 0;  // the random half; the time half is the same for a whole batch
  std::memcpy(&value, id.bytes().data() + 8, sizeof value);
  return value;
}
