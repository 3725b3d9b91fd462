#include "platform/clock/clock.h"

#include <ctime>

#include "measurement/check.h"

namespace kua::platform {
namespace {

Microseconds read_clock(clockid_t id) {
  timespec now{};
  KUA_CHECK(::clock_gettime(id, &now) == 0);
  return std::chrono::duration_cast<Microseconds>(std::chrono::seconds(now.tv_sec) +
                                                  std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

WallTime SystemClock::wall_now() const { return WallTime(read_clock(CLOCK_REALTIME)); }
MonotonicTime SystemClock::monotonic_now() const {
  return MonotonicTime(read_clock(CLOCK_BOOTTIME));
}

}  // namespace kua::platform
