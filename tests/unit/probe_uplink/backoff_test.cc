#include "probe/uplink/backoff.h"

#include <gtest/gtest.h>

#include "probe/limits.h"

namespace kua::probe {
namespace {

using std::chrono::seconds;
constexpr MonotonicTime kNow{seconds(1000)};

TEST(Backoff, DoublesFromTheFirstPauseToTheLast) {
  Backoff backoff;
  EXPECT_TRUE(backoff.may_try(kNow));
  backoff.failed(kNow, 0);
  EXPECT_EQ(backoff.not_before(), kNow + Microseconds(kBackoffFirst) / 2);
  backoff.failed(kNow, 0);
  EXPECT_EQ(backoff.not_before(), kNow + Microseconds(kBackoffFirst));
  for (int i = 0; i < 100; ++i) backoff.failed(kNow, 0);
  EXPECT_EQ(backoff.not_before(), kNow + Microseconds(kBackoffLast) / 2);
}

TEST(Backoff, JitterLiesBetweenHalfAndWhole) {
  Backoff low;
  Backoff high;
  low.failed(kNow, 0);
  high.failed(kNow, 0.999);
  EXPECT_LT(low.not_before(), high.not_before());
  EXPECT_LE(high.not_before(), kNow + Microseconds(kBackoffFirst));
}

TEST(Backoff, TheLineReturningForgetsFailuresButNotWhatThePeerAskedFor) {
  Backoff backoff;
  backoff.failed(kNow, 0.5);
  backoff.line_returned();
  EXPECT_TRUE(backoff.may_try(kNow));
  backoff.told_to_wait(kNow, seconds(40));
  backoff.line_returned();
  EXPECT_FALSE(backoff.may_try(kNow + seconds(39)));
  EXPECT_TRUE(backoff.may_try(kNow + seconds(40)));
}

TEST(Backoff, AnEndlessRetryAfterIsCut) {
  Backoff backoff;
  backoff.told_to_wait(kNow, seconds(1'000'000));
  EXPECT_EQ(backoff.not_before(), kNow + Microseconds(kRetryAfterMax));
}

}  // namespace
}  // namespace kua::probe
