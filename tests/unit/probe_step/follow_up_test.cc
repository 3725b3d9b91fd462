// What follows a failure: pairs, retries, and lookups where nobody should answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/loopback/h2_server.h"
#include "tests/unit/probe_step/silent_listener.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::Depth;
using probe::FollowUp;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(WebFollowUp, PairsAResetWithAHarmlessNameAndAWitness) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  options.gate = [](std::string_view hello) { return names(hello, "site.example") ? Then::reset : Then::go_on; };
  Server server(world.loop, options);
  ServerOptions witness_options = secure(world, {"witness.example"});
  witness_options.address = "127.0.0.9";
  witness_options.gate = options.gate;
  Server witness(world.loop, witness_options);
  world.list.witnesses = {{*IpAddress::parse("127.0.0.9"), witness.port(), Transport::tcp}};

  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);

  EXPECT_EQ(steps_of<TlsHandshake>(m).at(0).failure->code, FailureCode::connection_reset);
  const auto s = steps_of<TlsHandshake>(m, StepRole::same_address);
  ASSERT_THAT(s, SizeIs(1));
  EXPECT_FALSE(s[0].failure);
  EXPECT_EQ(s[0].server_name, "harmless.example");
  EXPECT_EQ(s[0].host, "site.example");
  EXPECT_EQ(s[0].endpoint.port, server.port());
  const auto x = steps_of<TlsHandshake>(m, StepRole::witness);
  ASSERT_THAT(x, SizeIs(1));
  EXPECT_EQ(x[0].failure->code, FailureCode::connection_reset);
  EXPECT_EQ(x[0].server_name, "site.example");
  EXPECT_EQ(x[0].endpoint.port, witness.port());
  EXPECT_EQ(steps_of<TlsHandshake>(m, StepRole::retry).at(0).failure->code, FailureCode::connection_reset);
  EXPECT_THAT(steps_of<TlsHandshake>(m, StepRole::residual), IsEmpty());
  EXPECT_THAT(m.missing, Contains("no_resolver"));
}

// From the end of the first main step that failed to the first step that is none of the main ones.
template <typename Step>
Microseconds begun_after_failure(const Measurement& m) {
  Microseconds failed = Microseconds::max();
  for (const Step& step : steps_of<Step>(m)) {
    if (step.failure) failed = std::min(failed, step.offset + step.duration);
  }
  Microseconds begun = Microseconds::max();
  for (const Observation& observation : m.observations) {
    const StepContext* context = context_of(observation);
    if (context != nullptr && context->role != StepRole::main) begun = std::min(begun, context->offset);
  }
  return begun - failed;
}

TEST(WebFollowUp, WaitsHalfAConnectForASilentIpv6) {
  World world;
  world.instrument.pacing.connect_deadline = std::chrono::seconds(2);
  ServerOptions options = secure(world, {"site.example"});
  options.gate = [](std::string_view) { return Then::reset; };
  Server server(world.loop, options);
  const SilentListener six("::1", server.port());
  if (!six.listens()) GTEST_SKIP() << "no IPv6 on this machine's loopback, or the port is taken";
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1", "::1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate, Depth::core);
  ASSERT_THAT(steps_of<Connect>(m), SizeIs(2));
  EXPECT_LT(begun_after_failure<TlsHandshake>(m), std::chrono::milliseconds(1'500));
}

TEST(WebFollowUp, BeginsInTimeWhereASecondHandshakeHangs) {
  World world;
  world.instrument.pacing.handshake_deadline = std::chrono::seconds(2);
  world.instrument.pacing.follow_up_within = std::chrono::milliseconds(300);
  ServerOptions options = secure(world, {"site.example"});
  options.gate = [](std::string_view) { return Then::reset; };
  const Server resets(world.loop, options);
  options.address = "127.0.0.9";
  options.port = resets.port();
  options.gate = [](std::string_view) { return Then::hold; };
  const Server silent(world.loop, options);
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1", "127.0.0.9"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  const Measurement m = world.check(at("https", "site.example", resets.port()), FollowUp::immediate);
  ASSERT_THAT(steps_of<TlsHandshake>(m), SizeIs(2));
  EXPECT_LT(begun_after_failure<TlsHandshake>(m), std::chrono::milliseconds(1'000));
}

TEST(WebFollowUp, LetsResidualBlockingPassBeforeItAsksAgain) {
  using std::chrono::milliseconds;
  using Steady = std::chrono::steady_clock;
  World world;
  world.instrument.pacing.residual_rest = milliseconds(600);
  world.instrument.pacing.retry_rest_min = milliseconds(300);
  world.instrument.pacing.retry_rest_max = milliseconds(300);
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  Steady::time_point until;  // each sight of the target's name closes the address anew
  options.gate = [&until](std::string_view hello) {
    if (names(hello, "site.example")) until = Steady::now() + milliseconds(400);
    return Steady::now() < until ? Then::reset : Then::go_on;
  };
  Server server(world.loop, options);
  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::all);
  EXPECT_TRUE(steps_of<TlsHandshake>(m, StepRole::same_address).at(0).failure);
  const auto residual = steps_of<TlsHandshake>(m, StepRole::residual);
  ASSERT_THAT(residual, SizeIs(1));
  EXPECT_EQ(residual[0].server_name, "harmless.example");
  EXPECT_FALSE(residual[0].failure) << "a retry under the target's name in between would have closed it";
  EXPECT_GE(steps_of<TlsHandshake>(m, StepRole::retry).size(), 2u);
}

TEST(WebFollowUp, ComparesHostsOverPlainHttp) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options;
  options.gate = [](std::string_view head) { return names(head, "Host: site.example") ? Then::reset : Then::go_on; };
  Server server(world.loop, options);
  const Measurement m = world.check(at("http", "site.example", server.port()), FollowUp::immediate);
  EXPECT_EQ(steps_of<HttpRoundTrip>(m).at(0).failure->code, FailureCode::connection_reset);
  const auto s = steps_of<HttpRoundTrip>(m, StepRole::same_address);
  ASSERT_THAT(s, SizeIs(1));
  EXPECT_FALSE(s[0].failure);
  EXPECT_THAT(server.requests().at(0), HasSubstr("Host: harmless.example"));
}

// Real port numbers of DNS need the right to bind them.
std::optional<DnsServer> on_port_53(Loop& loop, DnsServer::Answer answer, const std::string& address) {
  try {
    return std::optional<DnsServer>(std::in_place, loop, std::move(answer), address, 53);
  } catch (const boost::system::system_error&) {
    return std::nullopt;
  }
}

TEST(WebFollowUp, GoesWhereTrustedResolversPointWhenTheNetworksLies) {
  World world;
  DnsServer lying(world.loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{{wire::reply_to(query, wire::kDnsNxDomain)}};
  });
  world.instrument.system_resolvers = {lying.endpoint()};
  DohServerOptions doh_options;
  doh_options.identity = world.authority.issue({{"dns.example"}});
  doh_options.answer = [](const wire::DnsMessage& query) { return addresses_reply(query, {"127.0.0.3"}); };
  DohServer doh(world.loop, doh_options);
  world.list.trusted_resolvers = {{"test", at("https", "dns.example", doh.port(), "/dns-query{?dns}"),
                                   {*IpAddress::parse("127.0.0.1")}, false}};
  ServerOptions options = secure(world, {"site.example"});
  options.address = "127.0.0.3";
  Server server(world.loop, options);

  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);

  EXPECT_EQ(steps_of<Lookup>(m).at(0).failure->code, FailureCode::dns_nxdomain_error);
  EXPECT_THAT(steps_of<Connect>(m), IsEmpty());
  const auto trusted = steps_of<Lookup>(m, StepRole::trusted);
  ASSERT_THAT(trusted, SizeIs(2));
  EXPECT_EQ(trusted[0].engine, ResolverEngine::doh);
  EXPECT_FALSE(trusted[0].failure);
  const auto handshakes = steps_of<TlsHandshake>(m, StepRole::trusted);
  ASSERT_THAT(handshakes, SizeIs(1));
  EXPECT_EQ(handshakes[0].trust, ChainTrust::trusted);
  EXPECT_EQ(steps_of<HttpRoundTrip>(m, StepRole::trusted).at(0).status, 200);
  const auto harmless = steps_of<Lookup>(m, StepRole::same_address);
  ASSERT_THAT(harmless, Not(IsEmpty()));
  EXPECT_EQ(harmless[0].name.text(), "harmless.example");
  EXPECT_EQ(harmless[0].host, "site.example");
}

TEST(WebFollowUp, PairsWhatFailsBehindALie) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"10.1.2.3"}));  // an address that is not gone to
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"other.example"});
  options.gate = [](std::string_view hello) { return names(hello, "site.example") ? Then::reset : Then::go_on; };
  Server server(world.loop, options);
  DohServerOptions doh_options;
  doh_options.identity = world.authority.issue({{"dns.example"}});
  doh_options.answer = [](const wire::DnsMessage& query) { return addresses_reply(query, {"127.0.0.1"}); };
  DohServer doh(world.loop, doh_options);
  world.list.trusted_resolvers = {{"test", at("https", "dns.example", doh.port(), "/dns-query{?dns}"),
                                   {*IpAddress::parse("127.0.0.1")}, false}};

  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);

  ASSERT_THAT(steps_of<TlsHandshake>(m, StepRole::trusted), SizeIs(1));
  EXPECT_EQ(steps_of<TlsHandshake>(m, StepRole::trusted)[0].failure->code, FailureCode::connection_reset);
  ASSERT_THAT(steps_of<TlsHandshake>(m, StepRole::same_address), SizeIs(1));
  EXPECT_FALSE(steps_of<TlsHandshake>(m, StepRole::same_address)[0].failure);
  EXPECT_THAT(steps_of<TlsHandshake>(m, StepRole::retry), SizeIs(1));
}

TEST(WebFollowUp, KeyTierAsksTrustedResolversOnlyOnDoubt) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  auto trusted = on_port_53(world.loop, zone("site.example", {"127.0.0.1"}), "127.0.0.53");
  if (!trusted) GTEST_SKIP() << "port 53 cannot be bound";
  world.list.trusted_resolvers = {{"test", "", {*IpAddress::parse("127.0.0.53")}, true}};
  Server server(world.loop, secure(world, {"site.example"}));
  (void)world.check(at("https", "site.example", server.port()), FollowUp::all, Depth::key);
  EXPECT_EQ(trusted->queries(), 0);
  ServerOptions broken = secure(world, {"site.example"});
  broken.gate = [](std::string_view) { return Then::close; };
  Server failing(world.loop, broken);
  const Measurement m =
      world.check(at("https", "site.example", failing.port()), FollowUp::immediate, Depth::key);
  EXPECT_EQ(trusted->queries(), 2);
  EXPECT_EQ(steps_of<Lookup>(m, StepRole::trusted).at(0).resolver, "127.0.0.53:53");
}

TEST(WebFollowUp, AsksAnAddressThatRunsNoResolver) {
  World world;
  DnsServer dns(world.loop, zone("other.example", {}));
  world.instrument.system_resolvers = {dns.endpoint()};
  auto injector = on_port_53(world.loop, zone("site.example", {"10.10.34.36"}), "127.0.0.54");
  if (!injector) GTEST_SKIP() << "port 53 cannot be bound";
  world.list.no_resolvers = {*IpAddress::parse("127.0.0.54")};
  const Measurement m = world.check("https://site.example/", FollowUp::immediate);
  const auto asked = steps_of<Lookup>(m, StepRole::no_resolver);
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_TRUE(asked[0].reply) << "whoever answers there is on the path";
}

TEST(WebFollowUp, DoubtsALateAnswerThatDiffers) {
  World world;
  DnsServer dns(world.loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{{addresses_reply(query, {"127.0.0.1"})},
                                   {addresses_reply(query, {"127.0.0.2"}), std::chrono::milliseconds(10)}};
  });
  world.instrument.system_resolvers = {dns.endpoint()};
  Server server(world.loop, secure(world, {"site.example"}));
  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);
  const auto lookups = steps_of<Lookup>(m);
  ASSERT_THAT(lookups.at(0).late, SizeIs(1));
  EXPECT_THAT(lookups[0].late[0].addresses, ElementsAre(*IpAddress::parse("127.0.0.2")));
  EXPECT_THAT(steps_of<Lookup>(m, StepRole::retry), Not(IsEmpty()));
}

TEST(WebFollowUp, ShowsThePageBehindAnUntrustedChain) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  options.identity = Authority("State Root").issue({{"site.example"}});
  options.respond = [](std::string_view) { return Reply{page("Blocked for 192.0.2.77", 900)}; };
  Server server(world.loop, options);
  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);
  const auto handshakes = steps_of<TlsHandshake>(m);
  ASSERT_THAT(handshakes, SizeIs(1));
  EXPECT_EQ(handshakes[0].trust, ChainTrust::unknown_authority);
  EXPECT_THAT(handshakes[0].chain.at(0).der, Not(IsEmpty()));
  const auto trips = steps_of<HttpRoundTrip>(m);
  EXPECT_EQ(trips.at(0).title, "Blocked for [scrubbed]");
  EXPECT_THAT(trips[0].body_sample, SizeIs(::testing::Gt(100u)));
  EXPECT_THAT(steps_of<TlsHandshake>(m, StepRole::same_address), SizeIs(1));
}

TEST(WebFollowUp, KeepsTheBytesOfAForgedCertificateOnce) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  options.identity = Authority("State Root").issue({{"site.example"}});
  Server server(world.loop, options);
  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);
  std::vector<std::string> bytes;
  std::size_t handshakes = 0;
  for (const Observation& observation : m.observations) {
    const auto* handshake = std::get_if<TlsHandshake>(&observation);
    if (handshake == nullptr) continue;
    ++handshakes;
    for (const Certificate& certificate : handshake->chain) {
      EXPECT_THAT(certificate.sha256, SizeIs(64));
      if (!certificate.der.empty()) bytes.push_back(certificate.sha256);
    }
  }
  EXPECT_GE(handshakes, 3u);
  EXPECT_THAT(bytes, SizeIs(2)) << "leaf and root";
}

TEST(WebFollowUp, ComparesNoMoreThanTheBeginningOfAPage) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options;
  options.respond = [](std::string_view) {
    std::string answer = page("Forbidden", 100'000);
    return Reply{answer.replace(9, 6, "403 No")};
  };
  Server server(world.loop, options);
  const Measurement m = world.check(at("http", "site.example", server.port()), FollowUp::immediate);
  EXPECT_EQ(steps_of<HttpRoundTrip>(m).at(0).body_bytes, 100'000u);
  EXPECT_EQ(steps_of<HttpRoundTrip>(m, StepRole::same_address).at(0).body_bytes, probe::kRoundBodyWireBytesMax);
}

// The pairs of speed that a check of a page of so many bytes makes.
std::size_t speed_pairs(std::size_t body_bytes, FollowUp follow_up) {
  World world;
  world.instrument.pacing.slow_below_bytes_per_second = 1e12;  // every page is slow
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  options.respond = [body_bytes](std::string_view) { return Reply{page("A page", body_bytes)}; };
  Server server(world.loop, options);
  const Measurement m = world.check(at("https", "site.example", server.port()), follow_up);
  const auto harmless = steps_of<HttpRoundTrip>(m, StepRole::same_address);
  EXPECT_EQ(steps_of<HttpRoundTrip>(m, StepRole::retry).size(), harmless.empty() ? 0 : harmless.size() - 1);
  for (const HttpRoundTrip& step : harmless) EXPECT_TRUE(step.last_byte && *step.last_byte <= step.duration);
  return harmless.size();
}

TEST(WebFollowUp, ComparesSpeedsOfASlowPageOnDemandOnly) {
  EXPECT_EQ(speed_pairs(30'000, FollowUp::all), 3u);
  EXPECT_EQ(speed_pairs(30'000, FollowUp::immediate), 0u);
  EXPECT_EQ(speed_pairs(1'000, FollowUp::all), 0u) << "too short to tell";
}

TEST(WebFollowUp, EndsNearTheImmediateSetsDeadline) {
  World world;
  world.instrument.pacing.immediate_set_deadline = std::chrono::milliseconds(300);
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options = secure(world, {"site.example"});
  options.gate = [](std::string_view) { return Then::hold; };
  Server server(world.loop, options);
  const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);
  for (const StepRole role : {StepRole::same_address, StepRole::retry}) {
    const auto steps = steps_of<TlsHandshake>(m, role);
    ASSERT_THAT(steps, SizeIs(1));
    EXPECT_EQ(steps[0].failure->code, FailureCode::generic_timeout_error);
  }
  EXPECT_LT(m.runtime, std::chrono::milliseconds(400 + 300 + 150));
}

TEST(WebFollowUp, RepeatsItsOrderWithItsSeed) {
  const auto order = [] {
    World world;
    DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
    world.instrument.system_resolvers = {dns.endpoint()};
    ServerOptions options = secure(world, {"site.example"});
    options.gate = [](std::string_view) { return Then::reset; };
    Server server(world.loop, options);
    std::vector<StepRole> roles;
    const Measurement m = world.check(at("https", "site.example", server.port()), FollowUp::immediate);
    for (const Observation& observation : m.observations) {
      if (std::holds_alternative<TlsHandshake>(observation)) roles.push_back(context_of(observation)->role);
    }
    return roles;
  };
  EXPECT_EQ(order(), order());
}

}  // namespace
}  // namespace kua::test
