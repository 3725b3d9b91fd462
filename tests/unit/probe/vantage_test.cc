#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "probe/vantage/anchored_clock.h"
#include "probe/vantage/clock_check.h"
#include "probe/vantage/resolver_probe.h"
#include "probe/vantage/resolvers.h"
#include "probe/vantage/tunnel.h"

namespace kua::probe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Endpoint resolver(const char* address) { return {*IpAddress::parse(address), 53, Transport::udp}; }

TEST(NetworkOf, IsWhatSharesTheLineWithThisMachine) {
  const auto network = [](const char* address, const char* mask) {
    return network_of(*IpAddress::parse(address), *IpAddress::parse(mask)).text();
  };
  EXPECT_EQ(network("2a02:1:2:3::5", "ffff:ffff:ffff:ffff::"), "2a02:1:2:3::/64");
  EXPECT_EQ(network("2a02:1:2:3::5", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "2a02:1:2:3::/64") << "DHCPv6";
  EXPECT_EQ(network("2a02:1:2:3::5", "ffff:ffff:ffff::"), "2a02:1:2::/48");
  EXPECT_EQ(network("95.56.9.1", "255.255.240.0"), "95.56.0.0/20");
  EXPECT_EQ(network("95.56.9.1", "255.255.255.255"), "95.56.9.1/32") << "PPP";
  EXPECT_EQ(network("95.56.9.1", "0.0.0.0"), "95.56.9.1/32") << "not the whole internet";
}

TEST(ResolvConfTest, NameserversInOrder) {
  const auto found = read_resolv_conf(
      "# comment\nsearch home\nnameserver 192.0.2.1\n  nameserver\t2001:db8::1%eth0\nnameserver nonsense\n"
      "options timeout:1\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n");
  EXPECT_THAT(found, testing::ElementsAre(resolver("192.0.2.1"), resolver("2001:db8::1"), resolver("192.0.2.3")));
  EXPECT_TRUE(read_resolv_conf("").empty());
}

struct Whose {
  const char* claim;
  std::vector<const char*> addresses;
  ResolverClass expected;
  friend std::ostream& operator<<(std::ostream& out, const Whose& row) { return out << row.claim; }
};

class ResolverClassTable : public testing::TestWithParam<Whose> {};

TEST_P(ResolverClassTable, IsWhatTheAddressesSay) {
  std::vector<Endpoint> resolvers;
  for (const char* address : GetParam().addresses) resolvers.push_back(resolver(address));
  const std::vector<IpAddress> trusted = {*IpAddress::parse("198.51.100.53")};
  EXPECT_EQ(classify_resolvers(resolvers, trusted), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, ResolverClassTable,
    testing::Values(Whose{"a public address nobody knows is the network's", {"92.46.1.1"}, ResolverClass::network},
                    Whose{"an address in a carrier's shared space is the network's", {"100.64.0.1"}, ResolverClass::network},
                    Whose{"Google's is a third party's", {"8.8.8.8", "8.8.4.4"}, ResolverClass::third_party},
                    Whose{"Cloudflare's is, over IPv6 too", {"2606:4700:4700::1111"}, ResolverClass::third_party},
                    Whose{"Yandex's family resolver is a third party's", {"77.88.8.7"}, ResolverClass::third_party},
                    Whose{"a trusted one of the list is a third party's", {"198.51.100.53"}, ResolverClass::third_party},
                    Whose{"a home router may forward to anybody", {"192.168.1.1"}, ResolverClass::unknown},
                    Whose{"so may one on this machine", {"127.0.0.1"}, ResolverClass::unknown},
                    Whose{"of a mixture nobody knows which one answered", {"92.46.1.1", "8.8.8.8"}, ResolverClass::unknown},
                    Whose{"none is nobody's", {}, ResolverClass::unknown}));

Lookup answered(std::vector<const char*> addresses) {
  Lookup lookup;
  lookup.reply = DnsReply{.addresses = {}, .cnames = {}, .ttl_seconds = {}, .raw = {}};
  for (const char* address : addresses) lookup.reply->addresses.push_back(*IpAddress::parse(address));
  return lookup;
}

TEST(FilterSignTest, AnAdvertisingNameThatLeadsNowhereIsFiltered) {
  EXPECT_EQ(filter_sign(answered({"0.0.0.0"})), FilterSign::filtered);
  EXPECT_EQ(filter_sign(answered({"::"})), FilterSign::filtered);
  EXPECT_EQ(filter_sign(answered({"192.168.1.2"})), FilterSign::filtered);
  EXPECT_EQ(filter_sign(answered({"142.250.1.1"})), FilterSign::free);
  EXPECT_EQ(filter_sign(answered({})), FilterSign::none);  // NXDOMAIN may be anybody's
  EXPECT_EQ(filter_sign(Lookup()), FilterSign::none);
}

TEST(RefineTest, AHomeResolverAccusesOnlyAfterItWasSeenToForward) {
  const ResolverFindings nothing;
  const ResolverFindings forwards{.forwards_freely = true};
  const ResolverFindings filters{.filter_seen = true};
  EXPECT_EQ(refine(ResolverClass::unknown, ResolverPlace::home_network, nothing), ResolverClass::unknown);
  EXPECT_EQ(refine(ResolverClass::unknown, ResolverPlace::home_network, forwards), ResolverClass::network);
  EXPECT_EQ(refine(ResolverClass::unknown, ResolverPlace::home_network, filters), ResolverClass::local_filter);
  EXPECT_EQ(refine(ResolverClass::unknown, ResolverPlace::elsewhere, forwards), ResolverClass::unknown)
      << "a mixture stays one";
  EXPECT_EQ(refine(ResolverClass::network, ResolverPlace::elsewhere, nothing), ResolverClass::network);
  EXPECT_EQ(refine(ResolverClass::third_party, ResolverPlace::elsewhere, filters), ResolverClass::third_party);
}

TEST(TunnelTest, NamesOfVpnClientsAreTunnels) {
  for (const char* name : {"tun0", "wg0", "utun3", "nordlynx", "proton0", "tailscale0", "tap1"}) {
    EXPECT_TRUE(is_tunnel_name(name)) << name;
  }
  for (const char* name : {"eth0", "enp3s0", "wlan0", "wwan0", "br-lan", "wan0", "ppp0"}) {
    EXPECT_FALSE(is_tunnel_name(name)) << name;
  }
  EXPECT_TRUE(is_wireguard("INTERFACE=office\nDEVTYPE=wireguard\n"));
  EXPECT_FALSE(is_wireguard("INTERFACE=eth0\n"));
}

TEST(ClockCheckTest, TheMedianDecidesAndNotTheOneServerThatIsWrong) {
  const WallTime ours = *parse_rfc3339("2024-01-05T10:00:00Z");
  const std::vector<ClockAnchor> anchors = {{ours + seconds(1), ours}, {ours - hours(24 * 365), ours}, {ours, ours}};
  EXPECT_EQ(clock_error(anchors), Microseconds(0));
  EXPECT_FALSE(clock_error({}));
}

TEST(ClockCheckTest, ManyMinutesEitherWayAreWrong) {
  EXPECT_FALSE(is_wrong(minutes(9)));
  EXPECT_TRUE(is_wrong(minutes(11)));
  EXPECT_TRUE(is_wrong(-hours(24 * 700)));
}

TEST(ClockCheckTest, DatesOfReachedControlsAreAnchorsAtTheInstantOfTheirAnswer) {
  Measurement look;
  LinkCheck check;
  check.reached = true;
  check.offset = seconds(2);
  check.duration = seconds(1);
  check.server_date = *parse_rfc3339("2024-01-05T10:00:33Z");
  LinkCheck portal = check;
  portal.reached = false;  // whoever stands in between may say what he likes
  look.observations = {check, portal, Lookup()};
  const auto anchors = anchors_of(look, *parse_rfc3339("2024-01-05T10:00:00Z"));
  ASSERT_EQ(anchors.size(), 1u);
  EXPECT_EQ(anchors[0].server - anchors[0].ours, seconds(30));
}

class FixedClock final : public platform::Clock {
 public:
  WallTime wall_now() const override { return *parse_rfc3339("1970-01-01T00:10:00Z"); }
  MonotonicTime monotonic_now() const override { return MonotonicTime(minutes(10)); }
};

TEST(AnchoredClockTest, CorrectsTheWallAndLeavesTheMonotonicClock) {
  const FixedClock system;
  AnchoredClock clock(system);
  EXPECT_EQ(clock.wall_now(), system.wall_now());
  clock.correct(*parse_rfc3339("2024-01-05T10:00:00Z") - system.wall_now());
  EXPECT_EQ(clock.wall_now(), *parse_rfc3339("2024-01-05T10:00:00Z"));
  EXPECT_EQ(clock.monotonic_now(), system.monotonic_now());
}

}  // namespace
}  // namespace kua::probe
