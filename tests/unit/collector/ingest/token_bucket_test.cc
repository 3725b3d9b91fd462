#include "collector/ingest/token_bucket.h"

#include <gtest/gtest.h>

#include "collector/ingest/peer_limits.h"

namespace kua::collector {
namespace {

using std::chrono::seconds;

MonotonicTime at(int second) { return MonotonicTime(seconds(second)); }

TEST(TokenBucket, ABurstThenTheRate) {
  const Rate rate{60, 3};
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(rate, at(0)));
  EXPECT_FALSE(bucket.take(rate, at(0)));
  EXPECT_EQ(bucket.wait_seconds(rate), 2);
  EXPECT_TRUE(bucket.take(rate, at(1)));
  EXPECT_FALSE(bucket.take(rate, at(1)));
}

TEST(TokenBucket, RestFillsItUpToItsBurstOnly) {
  const Rate rate{60, 3};
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(rate, at(0)));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(rate, at(3600)));
  EXPECT_FALSE(bucket.take(rate, at(3600)));
}

TEST(PeerLimits, OneBlockSharesOneBucket) {
  PeerLimits limits(Rate{60, 1});
  EXPECT_TRUE(limits.take(*IpAddress::parse("203.0.113.7"), at(0)));
  EXPECT_FALSE(limits.take(*IpAddress::parse("203.0.113.8"), at(0)));
  EXPECT_FALSE(limits.has(*IpAddress::parse("203.0.113.9"), at(0)));
  EXPECT_TRUE(limits.take(*IpAddress::parse("203.0.114.7"), at(0)));
  EXPECT_TRUE(limits.take(*IpAddress::parse("2001:db8::1"), at(0)));
  EXPECT_FALSE(limits.take(*IpAddress::parse("2001:db8:0:5::1"), at(0)));
}

}  // namespace
}  // namespace kua::collector
