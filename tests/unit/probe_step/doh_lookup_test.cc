#include "probe/step/doh_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/loopback/h2_server.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::DohOptions;
using probe::DohResult;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class Doh : public ::testing::Test {
 protected:
  DohServerOptions server_options() {
    DohServerOptions options;
    options.identity = world.authority.issue({{"dns.example"}});
    options.answer = [](const wire::DnsMessage& query) {
      return addresses_reply(query, {"192.0.2.1", "2001:db8::1"});
    };
    return options;
  }
  DohResult ask(const Endpoint& endpoint) {
    DohOptions options;
    options.context.role = StepRole::trusted;
    options.url = "https://dns.example/dns-query";
    options.server_name = "dns.example";
    options.authority = "dns.example";
    options.path = "/dns-query";
    options.endpoint = endpoint;
    options.name = *DomainName::parse("site.example");
    options.types = {QueryType::a, QueryType::aaaa};
    options.deadline = world.clock.monotonic_now() + std::chrono::milliseconds(500);
    const probe::Timeline timeline{&world.clock, world.clock.monotonic_now()};
    const auto tally = std::make_shared<probe::WireTally>();
    return world.loop.run(doh_lookup(world.trust, timeline, tally, std::move(options)));
  }
  DohResult ask_server(DohServerOptions options) {
    const DohServer server(world.loop, std::move(options));
    DohResult result = ask({*IpAddress::parse("127.0.0.1"), server.port(), Transport::tcp});
    EXPECT_EQ(server.connections(), 1);
    return result;
  }
  World world;
};

TEST_F(Doh, AsksBothTypesOverOneConnection) {
  const DohResult result = ask_server(server_options());
  ASSERT_THAT(result.observations, SizeIs(2));
  for (const Lookup& lookup : result.observations) {
    EXPECT_FALSE(lookup.failure) << to_string(lookup.failure->code);
    EXPECT_EQ(lookup.engine, ResolverEngine::doh);
    EXPECT_EQ(lookup.resolver, "https://dns.example/dns-query");
    EXPECT_EQ(lookup.role, StepRole::trusted);
  }
  EXPECT_THAT(result.observations[0].reply->addresses, ElementsAre(*IpAddress::parse("192.0.2.1")));
  EXPECT_THAT(result.observations[1].reply->addresses, ElementsAre(*IpAddress::parse("2001:db8::1")));
}

TEST_F(Doh, BelievesNothingOverAChainWeDoNotTrust) {
  DohServerOptions options = server_options();
  options.identity = Authority("State Root").issue({{"dns.example"}});
  const DohResult result = ask_server(std::move(options));
  EXPECT_EQ(result.observations.at(0).failure,
            (Failure{FailureCode::ssl_unknown_authority, Operation::tls_handshake}));
  EXPECT_FALSE(result.observations.at(0).reply);
}

TEST_F(Doh, BelievesNothingUnderAnotherName) {
  DohServerOptions options = server_options();
  options.identity = world.authority.issue({{"other.example"}});
  EXPECT_EQ(ask_server(std::move(options)).observations.at(0).failure,
            (Failure{FailureCode::ssl_invalid_hostname, Operation::tls_handshake}));
}

TEST_F(Doh, NeedsHttp2) {
  DohServerOptions options = server_options();
  options.alpn = "http/1.1";
  EXPECT_EQ(ask_server(std::move(options)).observations.at(0).failure,
            (Failure{FailureCode::http_request_failed, Operation::tls_handshake}));
}

TEST_F(Doh, TellsAnHttpError) {
  DohServerOptions options = server_options();
  options.status = 503;
  EXPECT_EQ(ask_server(std::move(options)).observations.at(0).failure,
            (Failure{FailureCode::http_unexpected_status_code, Operation::http_round_trip}));
}

TEST_F(Doh, TakesNoPageForAnAnswer) {
  DohServerOptions options = server_options();
  options.content_type = "text/html";
  EXPECT_EQ(ask_server(std::move(options)).observations.at(0).failure,
            (Failure{FailureCode::dns_server_misbehaving, Operation::resolve}));
}

TEST_F(Doh, HandsOnNxdomain) {
  DohServerOptions options = server_options();
  options.answer = [](const wire::DnsMessage& query) { return wire::reply_to(query, wire::kDnsNxDomain); };
  const DohResult result = ask_server(std::move(options));
  EXPECT_EQ(result.observations.at(0).failure, (Failure{FailureCode::dns_nxdomain_error, Operation::resolve}));
  EXPECT_TRUE(result.observations.at(0).reply);
}

TEST_F(Doh, TellsWhichStepKeptItAway) {
  Endpoint gone{*IpAddress::parse("127.0.0.1"), 0, Transport::tcp};
  {
    const DohServer server(world.loop, server_options());
    gone.port = server.port();
  }
  EXPECT_EQ(ask(gone).observations.at(1).failure, (Failure{FailureCode::connection_refused, Operation::connect}));

  ServerOptions silent;
  silent.gate = [](std::string_view) { return Then::hold; };
  const Server server(world.loop, silent);
  gone.port = server.port();
  EXPECT_EQ(ask(gone).observations.at(0).failure,
            (Failure{FailureCode::generic_timeout_error, Operation::tls_handshake}));
}

}  // namespace
}  // namespace kua::test
