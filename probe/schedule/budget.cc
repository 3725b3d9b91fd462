#include "probe/schedule/budget.h"

#include <algorithm>
#include <numeric>

#include "probe/limits.h"

namespace kua::probe {
namespace {

constexpr double kFullStopsAt = 0.80;
constexpr double kCoreStopsAt = 0.95;
constexpr double kCoreStretchMax = 5.0;
// Kept back of the day: what never reaches the count (segments that come after a connection was closed,
// neighbour discovery, measurements that a stop cut off). Below 2.5 % at an interface's own counters, even on
// a machine that is far too busy.
constexpr double kUncounted = 0.025;
// Key tests beyond the cadence, of what failed or what the collector asked for: room is kept for them, too.
constexpr double kKeysBeyondCadence = 1.05;
constexpr double kNewCostWeight = 0.05;

std::size_t index(Spending on) { return static_cast<std::size_t>(on); }

std::int64_t day_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

double rest_of_day(WallTime now) {
  const auto midnight = std::chrono::floor<std::chrono::days>(now);
  constexpr double kDay = 86'400e6;
  return 1.0 - static_cast<double>((now - midnight).count()) / kDay;
}

}  // namespace

void Budget::spend_unusual(Spending on, std::uint64_t bytes, WallTime now) {
  if (bytes > kSpentAtOnceMax) {
    ++sums_refused_;
    return;
  }
  if (const std::int64_t day = day_of(now); day != today_.day) today_ = Day{.day = day, .bytes = {}};
  today_.bytes[index(on)] += bytes;
}

void Budget::spend(Spending on, std::uint64_t bytes, WallTime now) {
  spend_unusual(on, bytes, now);
  if (bytes > kSpentAtOnceMax) return;
  double& cost = cost_[index(on)];
  cost += kNewCostWeight * (std::min(static_cast<double>(bytes), kCostTaughtMax * cost) - cost);
}

std::uint64_t Budget::used(WallTime now) const {
  if (day_of(now) != today_.day) return 0;
  return std::accumulate(today_.bytes.begin(), today_.bytes.end(), std::uint64_t{0});
}

std::uint64_t Budget::used_on(Spending on, WallTime now) const {
  return day_of(now) == today_.day ? today_.bytes[index(on)] : 0;
}

double Budget::reserve(Spending on, double rest) const {
  double count = 0;
  switch (on) {
    case Spending::link: count = plan_.link_per_day; break;
    case Spending::upload: count = plan_.uploads_per_day; break;
    case Spending::key: count = plan_.keys_per_day; break;
    case Spending::core: count = plan_.cores_per_day; break;
    case Spending::full:
    case Spending::follow_up: break;
  }
  return count * cost_[index(on)] * rest;
}

double Budget::left_beside_line(WallTime now) const {
  const double rest = rest_of_day(now);
  const double kept = reserve(Spending::link, rest) + reserve(Spending::upload, rest);
  return static_cast<double>(plan_.bytes_per_day) * (1.0 - kUncounted) - static_cast<double>(used(now)) - kept;
}

double Budget::left_beside_keys(WallTime now) const {
  return left_beside_line(now) - kKeysBeyondCadence * reserve(Spending::key, rest_of_day(now));
}

std::uint64_t Budget::backlog_room(WallTime now) const {
  const double left = left_beside_keys(now) - reserve(Spending::core, rest_of_day(now));
  return left > 0 ? static_cast<std::uint64_t>(left) : 0;
}

Allowance Budget::allowance(WallTime now) const {
  const double share = static_cast<double>(used(now)) / static_cast<double>(plan_.bytes_per_day);
  const double rest = rest_of_day(now);
  const double after_link = left_beside_line(now);
  const double after_key = left_beside_keys(now);
  Allowance allowance;
  allowance.key = after_link >= cost_[index(Spending::key)];
  allowance.core = share < kCoreStopsAt && after_key >= cost_[index(Spending::core)];
  const double after_core = after_key - reserve(Spending::core, rest);
  allowance.full = share < kFullStopsAt && after_core >= cost_[index(Spending::full)];
  allowance.follow_up = after_key >= static_cast<double>(kFollowUpBytesMax);
  if (share > kFullStopsAt) {
    const double way = std::min(1.0, (share - kFullStopsAt) / (kCoreStopsAt - kFullStopsAt));
    allowance.core_stretch = 1.0 + way * (kCoreStretchMax - 1.0);
  }
  return allowance;
}

}  // namespace kua::probe
