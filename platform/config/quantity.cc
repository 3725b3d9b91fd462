#include "platform/config/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace kua::platform::internal {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

// Largest first: the first that divides a value without rest writes it.
constexpr std::array<Unit, 5> kDurationUnits{{{"d", 86'400'000'000},
                                              {"h", 3'600'000'000},
                                              {"min", 60'000'000},
                                              {"s", 1'000'000},
                                              {"ms", 1'000}}};
constexpr std::array<Unit, 7> kByteUnits{{{"GiB", std::int64_t{1} << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", std::int64_t{1} << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", std::int64_t{1} << 10},
                                          {"kB", 1'000},
                                          {"B", 1}}};

template <std::size_t N>
std::optional<std::int64_t> unit_size(const std::array<Unit, N>& units, std::string_view name) {
  const auto unit = std::ranges::find(units, name, &Unit::name);
  return unit == units.end() ? std::nullopt : std::optional(unit->size);
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || number < 0 || text.starts_with('-')) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return number;
}

// Millionths behind a decimal point.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  std::int64_t millionths = 0;
  std::int64_t place = 100'000;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9';
       ++digits, place /= 10) {
    millionths += (text[digits] - '0') * place;
  }
  if (digits == 0 || digits > 6) return std::nullopt;
  text.remove_prefix(digits);
  return millionths;
}

template <std::size_t N>
std::string written(const std::array<Unit, N>& units, std::int64_t value) {
  for (const auto& unit : units) {
    if (value != 0 && value % unit.size == 0) {
      return std::to_string(value / unit.size) + std::string(unit.name);
    }
  }
  return std::to_string(value / units.back().size) + std::string(units.back().name);
}

}  // namespace

std::optional<Microseconds> parse_duration(std::string_view text) {
  const auto number = take_number(text);
  const auto millionths = number ? take_fraction(text) : std::nullopt;
  const auto size = unit_size(kDurationUnits, text);
  if (!millionths || !size) return std::nullopt;
  std::int64_t whole = 0;
  if (__builtin_mul_overflow(*number, *size, &whole)) return std::nullopt;
  const std::int64_t part = *millionths * (*size / 1'000) / 1'000;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(whole, part, &sum)) return std::nullopt;
  return Microseconds(sum);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const auto number = take_number(text);
  const auto size = unit_size(kByteUnits, text);
  if (!number || !size) return std::nullopt;
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(*number, *size, &bytes)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::string to_text(Microseconds duration) { return written(kDurationUnits, duration.count()); }

std::string bytes_to_text(std::uint64_t bytes) {
  constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);
  return written(kByteUnits, static_cast<std::int64_t>(std::min(bytes, kMax)));
}

}  // namespace kua::platform::internal
