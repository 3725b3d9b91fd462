#include "tests/lab/forwarder/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lab/forwarder/nat64.h"
#include "tests/unit/lab/packets.h"

namespace kua::lab {
namespace {

using test::at_seconds;
using test::Conversation;

const IpAddress kInside = *IpAddress::parse("192.168.1.2");
const IpAddress kGateway = *IpAddress::parse("192.168.1.1");
const IpAddress kCollector = *IpAddress::parse("198.19.80.1");

Plan plan_with_home() {
  Plan plan;
  HomePlan home;
  home.inside4 = kInside;
  home.inside6 = test::kProbe6;
  home.public4 = test::kProbe;
  home.gateway4 = kGateway;
  home.gateway6 = IpAddress::parse("2001:db8:100::1");
  plan.homes.push_back(home);
  for (std::size_t i = 0; i < plan.routers.size(); ++i) {
    plan.routers[i] = {*IpAddress::parse("198.18.254." + std::to_string(i + 1)),
                       *IpAddress::parse("2001:db8:fe::" + std::to_string(i + 1))};
  }
  plan.collectors = {kCollector};
  plan.resolvers = {test::kResolver};
  return plan;
}

wire::Bytes with_hop_limit(std::uint8_t limit, const IpAddress& to = test::kServer) {
  wire::IpHeader header = Conversation::header(kInside, to);
  header.hop_limit = limit;
  return wire::encode_udp(header, {4000, 33434, {}});
}

wire::Bytes syn_of(const IpAddress& client, const IpAddress& server = test::kServer) {
  return Conversation(40000, 443, client, server).syn();
}

// Sends one packet from home and returns what came out at once.
std::vector<Delivery> send(Router& router, wire::Bytes packet, double seconds = 0) {
  router.accept({EndKind::home, 0}, std::move(packet), at_seconds(seconds));
  return router.take_deliveries();
}

wire::IpHeader header_of(const Delivery& delivery) { return wire::decode_ip(delivery.packet)->header; }

TEST(Router, TranslatesAddressesAndTakesFiveOffTheHopLimit) {
  const Plan plan = plan_with_home();
  Router router(plan);
  const auto out = send(router, syn_of(kInside));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].end.kind, EndKind::world);
  EXPECT_EQ(header_of(out[0]).source, test::kProbe);
  EXPECT_EQ(header_of(out[0]).hop_limit, 64 - 5);
  EXPECT_TRUE(wire::checksums_hold(out[0].packet));

  router.accept({EndKind::world, 0}, Conversation(40000, 443, test::kProbe).syn_ack(), at_seconds(0));
  const auto back = router.take_deliveries();
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(header_of(back[0]).destination, kInside);
  EXPECT_TRUE(wire::checksums_hold(back[0].packet));
}

TEST(Router, EachHopSpeaksForItselfWhenAPacketDies) {
  const Plan plan = plan_with_home();
  const std::vector<std::string> wanted = {"192.168.1.1", "198.18.254.1", "198.18.254.2", "198.18.254.3",
                                           "198.18.254.4"};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    Router router(plan);
    const auto out = send(router, with_hop_limit(static_cast<std::uint8_t>(i + 1)));
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0].end.kind, EndKind::home);
    EXPECT_EQ(header_of(out[0]).source.text(), wanted[i]);
    const auto icmp = wire::decode_icmp(wire::decode_ip(out[0].packet)->payload);
    EXPECT_EQ(icmp->type, wire::kIcmpTimeExceeded);
    const auto quoted = wire::decode_ip(icmp->payload, wire::Extent::cut);
    EXPECT_EQ(quoted->header.source, kInside) << "a translator also translates what errors quote";
  }
}

TEST(Router, TheCensorSeesAPacketThatDiesAtItsHopAndNoneThatDiesBefore) {
  Plan plan = plan_with_home();
  Rule rule;
  rule.match.address = Prefix::parse("203.0.113.10/32").value();
  rule.act = IcmpProhibited{};
  plan.rules.push_back(rule);
  const auto answer_to = [&](std::uint8_t limit) {
    Router router(plan);
    const auto out = send(router, with_hop_limit(limit));
    return wire::decode_icmp(wire::decode_ip(out.at(0).packet)->payload)->type;
  };
  EXPECT_EQ(answer_to(2), wire::kIcmpTimeExceeded) << "hop 1";
  EXPECT_EQ(answer_to(3), wire::kIcmpUnreachable) << "hop 2, where the box is";
}

TEST(Router, TheCollectorObeysItsOwnSettingAndNothingElse) {
  Plan plan = plan_with_home();
  Rule rule;
  rule.match.protocol = Protocol::all;
  plan.rules.push_back(rule);
  plan.line.down_from = Microseconds{0};
  {
    Router router(plan);
    EXPECT_EQ(send(router, syn_of(kInside, kCollector)).size(), 1u);
    EXPECT_EQ(send(router, syn_of(kInside)).size(), 0u);
  }
  plan.collector_blocked = true;
  Router router(plan);
  EXPECT_EQ(send(router, syn_of(kInside, kCollector)).size(), 1u) << "a probe joins before it is cut off";
  router.start(at_seconds(0));
  EXPECT_EQ(send(router, syn_of(kInside, kCollector)).size(), 0u);
}

TEST(Router, ADelayedAnswerComesWhenItIsDue) {
  Plan plan = plan_with_home();
  plan.line.delay = Microseconds(300'000);
  Router router(plan);
  EXPECT_EQ(send(router, syn_of(kInside)).size(), 1u) << "the delay is on the way back";
  router.accept({EndKind::world, 0}, Conversation(40000, 443, test::kProbe).syn_ack(), at_seconds(1));
  EXPECT_TRUE(router.take_deliveries().empty());
  EXPECT_EQ(router.next_due(), at_seconds(1.3));
  router.run_due(at_seconds(1.3));
  EXPECT_EQ(router.take_deliveries().size(), 1u);
}

TEST(Router, LossIsAsOftenAsSaidAndRepeats) {
  Plan plan = plan_with_home();
  plan.line.loss = 0.1;
  const auto survivors = [&] {
    Router router(plan);
    std::vector<std::size_t> arrived;
    for (int i = 0; i < 2000; ++i) arrived.push_back(send(router, with_hop_limit(64)).size());
    return arrived;
  };
  const auto first = survivors();
  EXPECT_NEAR(static_cast<double>(std::ranges::count(first, 1u)), 1800, 60);
  EXPECT_EQ(first, survivors());
}

TEST(Router, TheGatewayAnswersThoughTheLineIsDown) {
  Plan plan = plan_with_home();
  plan.line.down_from = Microseconds{0};
  Router router(plan);
  wire::IcmpMessage ping;
  ping.type = wire::kIcmpEcho;
  const auto out = send(router, wire::encode_icmp(Conversation::header(kInside, kGateway), ping));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(wire::decode_icmp(wire::decode_ip(out[0].packet)->payload)->type, wire::kIcmpEchoReply);
}

TEST(Router, Nat64CarriesTcpBothWays) {
  Plan plan = plan_with_home();
  plan.homes[0].inside4.reset();
  plan.line.nat64 = true;
  Router router(plan);
  const auto out = send(router, syn_of(test::kProbe6, nat64_address(test::kServer)));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(header_of(out[0]).source, test::kProbe);
  EXPECT_EQ(header_of(out[0]).destination, test::kServer);
  EXPECT_TRUE(wire::checksums_hold(out[0].packet));
  router.accept({EndKind::world, 0}, Conversation(40000, 443, test::kProbe).syn_ack(), at_seconds(0));
  const auto back = router.take_deliveries();
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(header_of(back[0]).source.text(), "64:ff9b::cb00:710a");
  EXPECT_EQ(header_of(back[0]).destination, test::kProbe6);
  EXPECT_TRUE(wire::checksums_hold(back[0].packet));
}

}  // namespace
}  // namespace kua::lab
