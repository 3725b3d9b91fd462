#include "measurement/time.h"

#include <gtest/gtest.h>

namespace kua {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339, WritesWhatItReads) {
  for (const char* text : {"1970-01-01T00:00:00Z", "2022-01-05T10:55:00Z", "2024-02-29T23:59:59.5Z",
                           "9999-12-31T23:59:59.000001Z"}) {
    const auto time = parse_rfc3339(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(to_rfc3339(*time), text);
  }
}

TEST(Rfc3339, AnOffsetIsTakenOff) {
  EXPECT_EQ(parse_rfc3339("2022-01-05T16:55:00+06:00"), parse_rfc3339("2022-01-05T10:55:00Z"));
  EXPECT_EQ(parse_rfc3339("2022-01-05T07:25:00-03:30"), parse_rfc3339("2022-01-05T10:55:00Z"));
}

TEST(Rfc3339, RefusesWhatIsNotATime) {
  for (const char* text : {"", "2022", "2022-02-30T00:00:00Z", "2022-13-01T00:00:00Z",
                           "2022-01-05 10:55:00Z", "2022-01-05T24:00:00Z", "2022-01-05T10:55:00",
                           "2022-01-05T10:55:00.Z", "2022-01-05T10:55:00Zz", "1969-12-31T23:59:59Z",
                           "2022-01-05T10:55:00+0600", "-022-01-05T10:55:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(FloorTo, RoundsDownAlsoBeforeTheEpoch) {
  EXPECT_EQ(floor_to(WallTime(19s), 10s), WallTime(10s));
  EXPECT_EQ(floor_to(WallTime(20s), 10s), WallTime(20s));
  EXPECT_EQ(floor_to(WallTime(-1s), 10s), WallTime(-10s));
}

}  // namespace
}  // namespace kua
