#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "protocol/record_codec.h"
#include "tests/support/loopback/h2_server.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::Depth;
using probe::FollowUp;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(WebReachability, RecordsEachStepOfAPageThatIsReached) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  Server server(world.loop, secure(world, {"site.example"}));

  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::all);

  EXPECT_EQ(m.validity, Validity::ok) << m.validity_reason;
  const auto lookups = steps_of<Lookup>(m);
  ASSERT_THAT(lookups, SizeIs(2));
  EXPECT_FALSE(lookups[0].failure);
  EXPECT_EQ(lookups[1].failure->code, FailureCode::dns_no_answer);
  const auto handshakes = steps_of<TlsHandshake>(m);
  ASSERT_THAT(handshakes, SizeIs(1));
  EXPECT_EQ(handshakes[0].trust, ChainTrust::trusted);
  EXPECT_EQ(handshakes[0].version, "TLSv1.3");
  EXPECT_EQ(handshakes[0].alpn, "http/1.1");
  EXPECT_THAT(handshakes[0].chain, SizeIs(2));
  EXPECT_THAT(handshakes[0].chain.at(0).der, IsEmpty());
  const auto trips = steps_of<HttpRoundTrip>(m);
  ASSERT_THAT(trips, SizeIs(1));
  EXPECT_EQ(trips[0].status, 200);
  EXPECT_EQ(trips[0].title, "A page");
  EXPECT_EQ(trips[0].body_bytes, 50'000u);
  EXPECT_THAT(trips[0].body_sample, IsEmpty());
  EXPECT_THAT(m.limits, IsEmpty());
  EXPECT_THAT(m.observations, SizeIs(5)) << "nothing failed, so nothing follows";
  EXPECT_GT(m.bytes_received, 51'000u);
  EXPECT_LT(m.bytes_received, 60'000u);
}

TEST(WebReachability, StampsTheRecordWithRoundedTimes) {
  World world;
  const Measurement m = world.check("https://127.0.0.1:1/");
  EXPECT_EQ(m.header.time, floor_to(m.header.time, std::chrono::seconds(10)));
  EXPECT_EQ(m.header.monotonic, floor_to(m.header.monotonic, std::chrono::seconds(10)));
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(m.header.time.time_since_epoch());
  EXPECT_EQ(m.header.id.unix_milliseconds(), since_epoch.count()) << "the id must tell no more than the time";
  EXPECT_EQ(m.header.software, "kua-probe/test");
}

TEST(WebReachability, KeyTierEndsWithTheHandshake) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1", "127.0.0.2"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  Server server(world.loop, secure(world, {"site.example"}));
  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::all, Depth::key);
  EXPECT_THAT(steps_of<Connect>(m), SizeIs(1));
  EXPECT_THAT(steps_of<TlsHandshake>(m), SizeIs(1));
  EXPECT_THAT(steps_of<HttpRoundTrip>(m), IsEmpty());
  EXPECT_LT(m.bytes_sent + m.bytes_received, 4'500u);
}

TEST(WebReachability, AsksTheNextResolverWhenOneIsSilent) {
  World world;
  DnsServer silent(world.loop, [](const wire::DnsMessage&) { return std::vector<TimedReply>{}; });
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {silent.endpoint(), dns.endpoint()};
  Server server(world.loop, secure(world, {"site.example"}));
  const Measurement m = world.check(at("https", "site.example", server.port()));
  const auto lookups = steps_of<Lookup>(m);
  ASSERT_THAT(lookups, SizeIs(4));
  EXPECT_EQ(lookups[0].failure->code, FailureCode::generic_timeout_error);
  EXPECT_FALSE(lookups[2].failure);
  EXPECT_EQ(steps_of<HttpRoundTrip>(m).at(0).status, 200);
}

TEST(WebReachability, TellsNoAddressThatARedirectsNameSpells) {
  World world;
  DnsServer dns(world.loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{{addresses_reply(query, {"127.0.0.1"})}};
  });
  world.instrument.system_resolvers = {dns.endpoint()};
  Server second(world.loop, secure(world, {"other.example"}));
  ServerOptions options;
  options.respond = [&second](std::string_view) {
    return Reply{redirect(at("https", "Host-95-56-1-2.login.example", second.port()))};
  };
  Server first(world.loop, options);
  const Measurement m = world.check(at("http", "site.example", first.port()), FollowUp::immediate);
  const std::string stand_in = "host-scrubbed.login.example";
  std::size_t steps = 0;
  for (const Observation& observation : m.observations) {
    const StepContext* step = context_of(observation);
    EXPECT_EQ(step->host, step->hop == 0 ? "site.example" : stand_in);
    steps += step->hop;
  }
  EXPECT_GE(steps, 4u);
  EXPECT_EQ(m.limits.at("scrubbed_names"), 1u);
  const std::string record = protocol::write_record(m);
  EXPECT_THAT(record, Not(HasSubstr("95-56-1-2")));
  EXPECT_THAT(record, HasSubstr("https://" + stand_in));
  EXPECT_TRUE(protocol::RecordReader().read(record)) << "a record that a collector refuses is lost";
}

TEST(WebReachability, FollowsRedirectsUnderEachHostsOwnName) {
  World world;
  DnsServer dns(world.loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{{addresses_reply(query, {"127.0.0.1"})}};
  });
  world.instrument.system_resolvers = {dns.endpoint()};
  Server second(world.loop, secure(world, {"www.site.example"}));
  ServerOptions options;
  options.respond = [&second](std::string_view) {
    return Reply{redirect(at("https", "www.site.example", second.port(), "/home"))};
  };
  Server first(world.loop, options);

  const Measurement m = world.check(at("http", "site.example", first.port()));

  const auto trips = steps_of<HttpRoundTrip>(m);
  ASSERT_THAT(trips, SizeIs(2));
  EXPECT_EQ(trips[0].host, "site.example");
  EXPECT_EQ(trips[0].hop, 0u);
  EXPECT_EQ(trips[1].host, "www.site.example");
  EXPECT_EQ(trips[1].hop, 1u);
  EXPECT_EQ(trips[1].url, at("https", "www.site.example", second.port(), "/home"));
  const auto handshakes = steps_of<TlsHandshake>(m);
  ASSERT_THAT(handshakes, SizeIs(1));
  EXPECT_EQ(handshakes[0].server_name, "www.site.example");
  EXPECT_EQ(handshakes[0].hop, 1u);
}

TEST(WebReachability, EndsARedirectLoopAtTheLimit) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options;
  options.respond = [](std::string_view) { return Reply{redirect("/again")}; };
  Server server(world.loop, options);
  const Measurement m = world.check(at("http", "site.example", server.port()));
  EXPECT_THAT(steps_of<HttpRoundTrip>(m), SizeIs(probe::kRedirectsMax + 1));
  EXPECT_THAT(m.limits, ElementsAre(Pair("redirects", 1)));
  EXPECT_EQ(dns.queries(), 2) << "the same host is looked up once";
}

struct Location {
  const char* says;
  const char* text;
  bool failure;
  const char* limit;
  friend void PrintTo(const Location& row, std::ostream* out) { *out << row.says; }
};
class DeadEnd : public ::testing::TestWithParam<Location> {};

TEST_P(DeadEnd, IsNotFollowed) {
  World world;
  world.list.routable = {*Prefix::parse("127.0.0.1/32"), *Prefix::parse("127.0.0.3/32")};
  world.instrument.own_networks = {*Prefix::parse("127.0.0.3/32")};
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options;
  options.respond = [](std::string_view) { return Reply{redirect(GetParam().text)}; };
  Server server(world.loop, options);
  const Measurement m = world.check(at("http", "site.example", server.port()));
  const auto trips = steps_of<HttpRoundTrip>(m);
  ASSERT_THAT(trips, SizeIs(1));
  EXPECT_EQ(trips[0].failure.has_value(), GetParam().failure) << GetParam().says;
  EXPECT_EQ(m.limits.contains(GetParam().limit), *GetParam().limit != '\0') << GetParam().says;
}
INSTANTIATE_TEST_SUITE_P(
    Locations, DeadEnd,
    ::testing::Values(Location{"an address at home", "http://192.168.1.1/login", false, "private_redirects"},
                      Location{"an address in the lab's list is not the machine's own", "http://127.0.0.2/", false,
                               "private_redirects"},
                      Location{"a neighbour under a public address", "http://127.0.0.3/", false, "private_redirects"},
                      Location{"another program's link", "tg://resolve?domain=x", false, ""},
                      Location{"no URL", "http://[::1", true, ""}, Location{"no host", "https:///", true, ""}));

TEST(WebReachability, NeverContactsAPrivateAddressForAPublicName) {
  World world;
  Server trap(world.loop, {});
  world.list.routable.clear();
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1", "10.10.34.35"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  const Measurement m = world.check(at("http", "site.example", trap.port()), FollowUp::all);
  EXPECT_THAT(steps_of<Connect>(m), IsEmpty());
  EXPECT_EQ(trap.connections(), 0);
  EXPECT_THAT(steps_of<Lookup>(m, StepRole::retry), Not(IsEmpty())) << "it is a reason to doubt";
}

TEST(WebReachability, NeitherContactsNorTellsNeighboursUnderPublicAddresses) {
  World world;
  const Server trap(world.loop, {});
  world.list.routable.push_back(*Prefix::parse("2001:db8::/32"));
  world.instrument.own_networks = {*Prefix::parse("127.0.0.0/24"), *Prefix::parse("2001:db8:1:2::/64")};
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1", "2001:db8:1:2::5"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  const Measurement m = world.check(at("http", "site.example", trap.port()), FollowUp::all);
  EXPECT_EQ(trap.connections(), 0);
  for (const Observation& observation : m.observations) {
    EXPECT_FALSE(std::holds_alternative<Connect>(observation));
    const auto* lookup = std::get_if<Lookup>(&observation);
    if (lookup == nullptr) continue;
    EXPECT_EQ(lookup->resolver, "private") << "it is a router's public address";
    if (lookup->name.text() != "site.example" || lookup->type != QueryType::aaaa || !lookup->reply) continue;
    EXPECT_THAT(lookup->reply->addresses, ElementsAre(*IpAddress::parse("fd00::")));
    EXPECT_THAT(lookup->reply->raw, IsEmpty());
  }
}

TEST(WebReachability, EndsAndClosesWhenItIsDropped) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1", "127.0.0.2"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  boost::asio::cancellation_signal drop;
  ServerOptions options = secure(world, {"site.example"});
  options.address = "0.0.0.0";
  options.gate = [&](std::string_view) {  // in the middle of the handshake
    boost::asio::post(world.loop.context(), [&drop] { drop.emit(boost::asio::cancellation_type::terminal); });
    return Then::hold;
  };
  Server server(world.loop, options);
  world.instrument.pacing.handshake_deadline = std::chrono::seconds(30);
  std::optional<boost::system::error_code> ended;
  int reported = 0;
  probe::ExperimentRequest request{
      Target{*TargetId::parse("web:test"), at("https", "site.example", server.port()), {}, {}, "NEWS", {}, {}, {}},
      Depth::core, FollowUp::all, {}, 1, probe::kBodyWireBytesMax,
      probe::kFollowUpBytesMax, [&](const Observation&) { ++reported; }};
  const auto on_end = [&](std::exception_ptr problem, const Measurement&) {
    try {
      if (problem) std::rethrow_exception(problem);
    } catch (const boost::system::system_error& error) {
      ended = error.code();
    }
  };
  boost::asio::co_spawn(world.loop.context(), probe::web_reachability(world.instrument, std::move(request)),
                        boost::asio::bind_cancellation_slot(drop.slot(), on_end));
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!ended && std::chrono::steady_clock::now() < latest) {
    world.loop.context().run_one_for(std::chrono::seconds(1));
  }
  EXPECT_EQ(ended, boost::asio::error::operation_aborted);
  EXPECT_LT(reported, 10);
}

TEST(WebReachability, TriesUpToFourAddressesAndShakesHandsOnce) {
  World world;
  DnsServer dns(world.loop,
                zone("site.example", {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  options.address = "0.0.0.0";
  Server server(world.loop, options);
  const Measurement m = world.check(at("https", "site.example", server.port()));
  EXPECT_THAT(steps_of<Connect>(m), SizeIs(4));
  EXPECT_THAT(steps_of<TlsHandshake>(m), SizeIs(1));
  EXPECT_THAT(m.limits, ElementsAre(Pair("addresses", 1)));
}

TEST(WebReachability, LooksAtBothFamilies) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1", "::1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  Server four(world.loop, options);
  options.address = "::1";
  options.port = four.port();
  options.gate = [](std::string_view) { return Then::reset; };
  std::optional<Server> six;
  try {
    six.emplace(world.loop, options);
  } catch (const boost::system::system_error&) {
    GTEST_SKIP() << "no IPv6 on this machine's loopback";
  }
  const Measurement m = world.check(at("https", "site.example", four.port()), FollowUp::immediate);
  const auto handshakes = steps_of<TlsHandshake>(m);
  ASSERT_THAT(handshakes, SizeIs(2));
  const auto retries = steps_of<TlsHandshake>(m, StepRole::retry);
  ASSERT_THAT(retries, SizeIs(1));
  EXPECT_EQ(retries[0].endpoint.address.family(), Family::ip6) << "only the family that failed";
  EXPECT_EQ(steps_of<HttpRoundTrip>(m).at(0).status, 200);
}

// In a network namespace of its own, where nothing has a route.
int check_without_route() {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return 77;
  World world;
  world.list.routable = {*Prefix::parse("2001:db8::/32"), *Prefix::parse("198.18.0.0/15")};
  const Measurement six = world.check("https://[2001:db8::1]/", FollowUp::immediate);
  const Measurement four = world.check("https://198.18.0.1/", FollowUp::immediate);
  const bool noted = std::ranges::find(six.missing, "ipv6") != six.missing.end();
  return noted && six.validity == Validity::vantage && four.validity == Validity::vantage ? 0 : 1;
}

TEST(WebReachability, CallsALineWithoutRouteNoFaultOfTheTarget) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check_without_route());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(status, 0);
}

TEST(WebReachability, ReportsAUrlThatIsNone) {
  World world;
  const Measurement m = world.check("gopher://site.example/");
  EXPECT_EQ(m.validity, Validity::instrument);
  EXPECT_THAT(m.observations, IsEmpty());
}

}  // namespace
}  // namespace kua::test
