#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(WebReachability, RecordsEachStepOfAPageThatIsReached) {
  World world;
  DnsServer dns(world.loop, zone("site.example", {"127.0.0.1"}));
  world.instrument.system_resolvers = {dns.endpoint()};
  ServerOptions options;
  options.identity = world.authority.issue({{"site.example"}});
  options.respond = [](std::string_view) { return Reply{page("A page", 50'000)}; };
  Server server(world.loop, options);

  const Measurement m = world.check("https://site.example:" + std::to_string(server.port()) + "/");

  EXPECT_EQ(m.validity, Validity::ok) << m.validity_reason;
  const auto lookups = steps_of<Lookup>(m);
  ASSERT_THAT(lookups, SizeIs(2));
  EXPECT_FALSE(lookups[0].failure);
  EXPECT_EQ(lookups[1].failure->code, FailureCode::dns_no_answer);
  const auto handshakes = steps_of<TlsHandshake>(m);
  ASSERT_THAT(handshakes, SizeIs(1));
  EXPECT_FALSE(handshakes[0].failure);
  EXPECT_EQ(handshakes[0].trust, ChainTrust::trusted);
  EXPECT_EQ(handshakes[0].version, "TLSv1.3");
  EXPECT_EQ(handshakes[0].alpn, "http/1.1");
  EXPECT_THAT(handshakes[0].chain, SizeIs(2));
  EXPECT_THAT(handshakes[0].chain.at(0).der, IsEmpty());
  const auto trips = steps_of<HttpRoundTrip>(m);
  ASSERT_THAT(trips, SizeIs(1));
  EXPECT_FALSE(trips[0].failure);
  EXPECT_EQ(trips[0].status, 200);
  EXPECT_EQ(trips[0].title, "A page");
  EXPECT_EQ(trips[0].body_bytes, 50'000u);
  EXPECT_THAT(trips[0].body_sample, IsEmpty());
  EXPECT_GT(m.bytes_received, 50'000u);
  EXPECT_THAT(m.limits, IsEmpty());
}

}  // namespace
}  // namespace kua::test
