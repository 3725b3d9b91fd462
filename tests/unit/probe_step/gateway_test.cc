#include "probe/step/gateway.h"

#include <gtest/gtest.h>

#include "platform/clock/clock.h"
#include "tests/support/loopback/loop.h"

namespace kua::probe {
namespace {

constexpr std::string_view kHead =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

std::string route(std::string_view line) { return std::string(kHead) + std::string(line) + "\n"; }

TEST(DefaultRoute, IsReadFromTheMachinesOwnWords) {
  const auto found = find_default_route(
      route("eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0"), "");
  EXPECT_EQ(found, (DefaultRoute{"eth0", IpAddress::parse("192.168.1.1")}));
}

TEST(DefaultRoute, MayHaveNobodyToAsk) {
  const auto found =
      find_default_route(route("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0"), "");
  EXPECT_EQ(found, (DefaultRoute{"ppp0", std::nullopt}));
}

TEST(DefaultRoute, IsIPv6sWhereIPv4HasNone) {
  const std::string six =
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n";
  const auto found = find_default_route(
      route("eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0"), six);
  EXPECT_EQ(found, (DefaultRoute{"eth0", IpAddress::parse("fe80::1")}));
}

TEST(DefaultRoute, IsNotOneThatRejects) {
  const std::string six =
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n";
  EXPECT_FALSE(find_default_route("", six));
  EXPECT_FALSE(find_default_route(route("eth0\t00000000\t0101A8C0\t0201\t0\t0\t0\t00000000\t0\t0\t0"), ""));
}

TEST(DefaultRoute, IsNoneInTornOrForeignText) {
  EXPECT_FALSE(find_default_route("", ""));
  EXPECT_FALSE(find_default_route("eth0\t00000000\t0101A8C0", "garbage\n\n \t\n"));
  EXPECT_FALSE(find_default_route(route("eth0\t00000000\tzzzzzzzz\t0003\t0\t0\t0\t00000000\t0\t0\t0"), ""));
}

constexpr std::string_view kArp =
    "IP address       HW type     Flags       HW address            Mask     Device\n"
    "192.168.1.1      0x1         0x2         aa:bb:cc:dd:ee:01     *        eth0\n"
    "192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0\n";

TEST(Neighbour, CountsWhenItsEntryIsComplete) {
  EXPECT_TRUE(is_neighbour(kArp, *IpAddress::parse("192.168.1.1")));
  EXPECT_FALSE(is_neighbour(kArp, *IpAddress::parse("192.168.1.9")));
  EXPECT_FALSE(is_neighbour(kArp, *IpAddress::parse("192.168.1.2")));
}

TEST(Gateway, IsAskedOnLoopback) {
  kua::test::Loop loop;
  const platform::SystemClock clock;
  const Timeline timeline{&clock, clock.monotonic_now()};
  const auto tally = std::make_shared<WireTally>();
  const DefaultRoute route{"lo", IpAddress::parse("127.0.0.1")};
  const auto latest = clock.monotonic_now() + std::chrono::seconds(2);
  // An echo reply, or the refusal of the discard port: both are answers.
  const GatewayResult result = loop.run(probe_gateway(timeline, tally, route, "/nonexistent", latest));
  EXPECT_TRUE(result.reached);
  EXPECT_FALSE(result.failure);
  EXPECT_GT(tally->sent, 0u);
}

}  // namespace
}  // namespace kua::probe
