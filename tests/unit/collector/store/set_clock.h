// A clock that stands where the test puts it; both of its hands move together.
#pragma once

#include <atomic>

#include "platform/clock/clock.h"

namespace kua::collector {

class SetClock final : public platform::Clock {
 public:
  explicit SetClock(WallTime time) : wall_(time.time_since_epoch().count()) {}
  WallTime wall_now() const override { return WallTime(Microseconds(wall_.load())); }
  MonotonicTime monotonic_now() const override { return MonotonicTime(Microseconds(wall_.load())); }
  void set(WallTime time) { wall_ = time.time_since_epoch().count(); }
  void advance(Microseconds by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_;
};

}  // namespace kua::collector
