#include "probe/uplink/enrolment_times.h"

#include <gtest/gtest.h>

namespace kua::probe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr MonotonicTime kStart{hours(1)};

class EnrolmentTimesTest : public testing::Test {
 protected:
  EnrolmentTimes times_{{.again = hours(24), .retry = minutes(5)}};
};

TEST_F(EnrolmentTimesTest, AProcessBeginsWithIt) {
  EXPECT_TRUE(times_.begin(kStart, Standing::enrolled));
  EXPECT_FALSE(times_.begin(kStart + hours(23), Standing::enrolled));
  EXPECT_TRUE(times_.begin(kStart + hours(24), Standing::enrolled));
}

TEST_F(EnrolmentTimesTest, AStrangerThatWasRefusedWaitsHoweverOftenReportsAreHurried) {
  EXPECT_TRUE(times_.begin(kStart, Standing::stranger));
  times_.line_returned();
  EXPECT_FALSE(times_.begin(kStart + minutes(4), Standing::stranger));
  EXPECT_TRUE(times_.begin(kStart + minutes(5), Standing::stranger));
  EXPECT_FALSE(times_.begin(kStart + minutes(6), Standing::stranger));
}

TEST_F(EnrolmentTimesTest, ALineThatReturnsIsTriedAtOnceWhenNobodyWasReached) {
  EXPECT_TRUE(times_.begin(kStart, Standing::stranger));
  times_.unreached();
  EXPECT_FALSE(times_.begin(kStart + minutes(1), Standing::stranger));
  times_.line_returned();
  EXPECT_TRUE(times_.begin(kStart + minutes(1), Standing::stranger));
}

TEST_F(EnrolmentTimesTest, AKeyThatTheCollectorForgotIsEnrolledButNotInCircles) {
  EXPECT_TRUE(times_.begin(kStart, Standing::enrolled));
  EXPECT_TRUE(times_.begin(kStart + hours(3), Standing::stranger));
  EXPECT_FALSE(times_.begin(kStart + hours(3) + minutes(1), Standing::stranger));
}

}  // namespace
}  // namespace kua::probe
