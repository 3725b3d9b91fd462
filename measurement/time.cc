#include "measurement/time.h"

#include <array>
#include <cstdio>

#include "measurement/check.h"

namespace kua {
namespace {

// Reads exactly `digits` decimal digits from the front of `text` and removes them.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_character(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Microseconds> take_fraction(std::string_view& text) {
  if (!take_character(text, '.')) return Microseconds(0);
  std::int64_t value = 0;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (++digits <= 6) value = value * 10 + (text.front() - '0');
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) value *= 10;
  return Microseconds(value);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take_character(text, 'Z') || take_character(text, 'z')) return std::chrono::minutes(0);
  const int sign = take_character(text, '+') ? 1 : take_character(text, '-') ? -1 : 0;
  if (sign == 0) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_character(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::minutes(sign * (*hours * 60 + *minutes));
}

template <typename TimePoint>
TimePoint floor_time_point(TimePoint time, Microseconds step) {
  KUA_CHECK(step.count() > 0);
  auto rest = time.time_since_epoch() % step;
  if (rest.count() < 0) rest += step;
  return time - rest;
}

}  // namespace

std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  std::array<char, 64> text{};
  int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                           static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                           static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                           static_cast<int>(clock.minutes().count()),
                           static_cast<int>(clock.seconds().count()));
  std::string out(text.data(), static_cast<std::size_t>(size));
  if (const auto fraction = time - floor<seconds>(time); fraction.count() != 0) {
    size = std::snprintf(text.data(), text.size(), ".%06d", static_cast<int>(fraction.count()));
    out.append(text.data(), static_cast<std::size_t>(size));
    while (out.back() == '0') out.pop_back();
  }
  out.push_back('Z');
  return out;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || *y < 1970 || !take_character(text, '-')) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take_character(text, '-')) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d || (!take_character(text, 'T') && !take_character(text, 't'))) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_character(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take_character(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) + *fraction - *offset;
}

WallTime floor_to(WallTime time, Microseconds step) { return floor_time_point(time, step); }
MonotonicTime floor_to(MonotonicTime time, Microseconds step) { return floor_time_point(time, step); }

}  // namespace kua
