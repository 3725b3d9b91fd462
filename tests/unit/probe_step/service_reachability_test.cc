#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::Depth;
using probe::FollowUp;
using ::testing::Contains;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Measurement check_service(World& world, std::vector<ServiceEndpoint> endpoints, ServiceRule rule,
                          FollowUp follow_up = FollowUp::immediate, Depth depth = Depth::core) {
  Target target{*TargetId::parse("service:chat"), {}, std::move(endpoints), rule, "COMT", {}, {}, {}};
  probe::ExperimentRequest request{std::move(target), depth, follow_up, {}, 1, probe::kBodyWireBytesMax,
                                   probe::kFollowUpBytesMax, {}};
  return world.loop.run(probe::service_reachability(world.instrument, std::move(request)));
}

std::uint16_t closed_port(World& world) {
  const Server gone(world.loop, {});
  return gone.port();
}

TEST(ServiceReachability, ConnectsToLiteralsAndShakesHandsWithNames) {
  World world;
  DnsServer dns(world.loop, zone("chat.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  Server raw(world.loop, {});
  ServerOptions options;
  options.identity = world.authority.issue({{"chat.example"}});
  Server secure(world.loop, options);

  const Measurement m = check_service(world,
                                      {{"127.0.0.1", raw.port(), Transport::tcp, false},
                                       {"chat.example", secure.port(), Transport::tcp, true}},
                                      ServiceRule::all);

  EXPECT_EQ(m.experiment, "service_reachability");
  EXPECT_EQ(m.input, "service:chat");
  EXPECT_THAT(steps_of<Connect>(m), SizeIs(2));
  const auto handshakes = steps_of<TlsHandshake>(m);
  ASSERT_THAT(handshakes, SizeIs(1));
  EXPECT_EQ(handshakes[0].host, "chat.example");
  EXPECT_EQ(handshakes[0].trust, ChainTrust::trusted);
  EXPECT_THAT(steps_of<HttpRoundTrip>(m), IsEmpty());
  EXPECT_THAT(steps_of<Connect>(m, StepRole::retry), IsEmpty());
}

TEST(ServiceReachability, OneEndpointIsEnoughForAny) {
  World world;
  Server raw(world.loop, {});
  const Measurement m = check_service(world,
                                      {{"127.0.0.1", raw.port(), Transport::tcp, false},
                                       {"127.0.0.1", closed_port(world), Transport::tcp, false}},
                                      ServiceRule::any);
  EXPECT_THAT(steps_of<Connect>(m), SizeIs(2));
  EXPECT_THAT(steps_of<Connect>(m, StepRole::retry), IsEmpty());
}

TEST(ServiceReachability, AFailingEndpointIsFollowedUpForAll) {
  World world;
  Server raw(world.loop, {});
  const std::uint16_t closed = closed_port(world);
  const Measurement m = check_service(
      world, {{"127.0.0.1", raw.port(), Transport::tcp, false}, {"127.0.0.1", closed, Transport::tcp, false}},
      ServiceRule::all);
  const auto retries = steps_of<Connect>(m, StepRole::retry);
  ASSERT_THAT(retries, SizeIs(1));
  EXPECT_EQ(retries[0].endpoint.port, closed);
  EXPECT_EQ(retries[0].failure->code, FailureCode::connection_refused);
}

TEST(ServiceReachability, KeyTierStopsAtTheFirstOfAnyThatIsReached) {
  World world;
  Server a(world.loop, {});
  Server b(world.loop, {});
  const Measurement m = check_service(
      world, {{"127.0.0.1", a.port(), Transport::tcp, false}, {"127.0.0.1", b.port(), Transport::tcp, false}},
      ServiceRule::any, FollowUp::immediate, Depth::key);
  EXPECT_THAT(steps_of<Connect>(m), SizeIs(1));
}

TEST(ServiceReachability, SaysWhatItCannotTest) {
  World world;
  const Measurement m =
      check_service(world, {{"127.0.0.1", 3478, Transport::udp, false}}, ServiceRule::any);
  EXPECT_THAT(m.missing, Contains("udp_endpoints"));
  EXPECT_THAT(m.observations, IsEmpty());
}

}  // namespace
}  // namespace kua::test
