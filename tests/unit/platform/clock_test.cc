#include "platform/clock/clock.h"

#include <gtest/gtest.h>

namespace kua::platform {
namespace {

TEST(SystemClock, WallTimeLiesInThisCentury) {
  using namespace std::chrono;
  const auto now = SystemClock().wall_now();
  EXPECT_GT(now, sys_days(2024y / January / 1));
  EXPECT_LT(now, sys_days(2100y / January / 1));
}

TEST(SystemClock, MonotonicTimeNeverGoesBack) {
  const SystemClock clock;
  auto last = clock.monotonic_now();
  EXPECT_GT(last.time_since_epoch().count(), 0);
  for (int i = 0; i < 1000; ++i) {
    const auto now = clock.monotonic_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace kua::platform
