// Two clocks, two types: the monotonic clock measures, the wall clock records. Neither has a now()
// here; an instant comes in from the shell (platform/clock), so that pure code never asks the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kua {

using Microseconds = std::chrono::microseconds;

// UTC, leap seconds ignored as Unix time does.
using WallTime = std::chrono::sys_time<Microseconds>;

// Time since the machine booted, suspended time included (CLOCK_BOOTTIME): the difference of two
// instants of one boot is a true duration, whatever was done to the wall clock.
struct MonotonicClock {
  using duration = Microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using MonotonicTime = MonotonicClock::time_point;

// "2022-01-05T10:55:00Z"; a fraction of up to six digits only where it is not zero.
[[nodiscard]] std::string to_rfc3339(WallTime time);

// Takes the form above, also with a numeric offset; nullopt for anything else, for years outside
// 1970–9999, and for dates that do not exist.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

// The latest multiple of `step` (> 0, counted from the epoch) that is not after `time`.
[[nodiscard]] WallTime floor_to(WallTime time, Microseconds step);
[[nodiscard]] MonotonicTime floor_to(MonotonicTime time, Microseconds step);

}  // namespace kua
