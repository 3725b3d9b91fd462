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

void Budget::spend(Spending on, std::uint64_t bytes, WallTime now) {
  if (bytes > kSpentAtOnceMax) return;
  if (const std::int64_t day = day_of(now); day != today_.day) today_ = Day{.day = day, .bytes = {}};
  today_.bytes[index(on)] += bytes;
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

Allowance Budget::allowance(WallTime now) const {
  const double limit = static_cast<double>(plan_.bytes_per_day);
  const double spent = static_cast<double>(used(now));
  const double share = spent / limit;
  const double rest = rest_of_day(now);
  const double kept = reserve(Spending::link, rest) + reserve(Spending::upload, rest);
  const double after_link = limit * (1.0 - kUncounted) - spent - kept;
  const double after_key = after_link - kKeysBeyondCadence * reserve(Spending::key, rest);
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
