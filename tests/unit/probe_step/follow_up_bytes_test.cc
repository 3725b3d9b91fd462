// What a follow-up may cost, kept while it runs.
#include "probe/experiment/follow_up_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::FollowUp;
using probe::FollowUpBytes;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;

TEST(FollowUpBytes, AStepUnderWayCountsAsWhatItSetAside) {
  FollowUpBytes bytes(100);
  auto first = bytes.begin(60);
  ASSERT_TRUE(first);
  EXPECT_FALSE(bytes.begin(41));
  const auto second = bytes.begin(40);
  EXPECT_TRUE(second);
  first->sent = 5;
  first->received = 10;
  EXPECT_FALSE(bytes.begin(1)) << "its connection may still bring the rest";
  first.reset();
  EXPECT_TRUE(bytes.has_room(45));
  EXPECT_FALSE(bytes.has_room(46));
  EXPECT_EQ(bytes.sum().sent, 5u);
  EXPECT_EQ(bytes.sum().received, 10u);
}

TEST(FollowUpBytes, AStepThatTookMoreThanReckonedCountsInFull) {
  FollowUpBytes bytes(100);
  auto step = bytes.begin(10);
  step->received = 95;
  EXPECT_FALSE(bytes.has_room(6)) << "while it is under way, too";
  step.reset();
  EXPECT_FALSE(bytes.has_room(6));
  EXPECT_TRUE(bytes.has_room(5));
}

// A page in the place of the site's, refused under any name: each look at it takes 24 kB.
class LongRefusal : public testing::Test {
 protected:
  LongRefusal() { world_.instrument.system_resolvers = {dns_.endpoint()}; }
  Measurement check(FollowUp follow_up, std::uint64_t bytes_max) {
    world_.follow_up_bytes_max = bytes_max;
    return world_.check(at("http", "site.example", server_.port()), follow_up);
  }
  static ServerOptions refusing() {
    ServerOptions options;
    options.respond = [](std::string_view) {
      std::string answer = page("Forbidden", 100'000);
      return Reply{answer.replace(9, 6, "403 No")};
    };
    return options;
  }
  World world_;
  DnsServer dns_{world_.loop, zone("site.example", {"127.0.0.1"})};
  Server server_{world_.loop, refusing()};
};

std::uint64_t bytes_of(const Measurement& m) { return m.bytes_sent + m.bytes_received; }

TEST_F(LongRefusal, NothingIsBegunThatWouldGoOver) {
  constexpr std::uint64_t kBytesMax = 45'000;
  constexpr std::uint64_t kAcknowledgements = 3'000;  // the main step's vary
  const std::uint64_t main_bytes = bytes_of(check(FollowUp::none, kBytesMax));
  const Measurement m = check(FollowUp::all, kBytesMax);
  EXPECT_LE(bytes_of(m), main_bytes + kBytesMax + kAcknowledgements);
  EXPECT_THAT(m.limits, Contains(Key("follow_up_bytes")));
  EXPECT_THAT(steps_of<HttpRoundTrip>(m, StepRole::retry), SizeIs(1)) << "what may clear the target comes first";
  EXPECT_THAT(steps_of<HttpRoundTrip>(m, StepRole::same_address), IsEmpty());
}

TEST_F(LongRefusal, AtTheOrdinaryBoundNothingIsCut) {
  const Measurement m = check(FollowUp::immediate, probe::kFollowUpBytesMax);
  EXPECT_THAT(m.limits, Not(Contains(Key("follow_up_bytes"))));
  EXPECT_THAT(steps_of<HttpRoundTrip>(m, StepRole::retry), SizeIs(1));
  EXPECT_THAT(steps_of<HttpRoundTrip>(m, StepRole::same_address), SizeIs(1));
}

TEST_F(LongRefusal, WithNothingLeftNothingFollows) {
  const Measurement m = check(FollowUp::all, 0);
  for (const Observation& observation : m.observations) {
    EXPECT_EQ(context_of(observation)->role, StepRole::main);
  }
  EXPECT_THAT(m.limits, Contains(Key("follow_up_bytes")));
}

}  // namespace
}  // namespace kua::test
