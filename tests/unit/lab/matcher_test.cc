#include "tests/lab/forwarder/matcher.h"

#include <gtest/gtest.h>

#include "tests/unit/lab/packets.h"

namespace kua::lab {
namespace {

struct NameCase {
  const char* claim;
  const char* pattern;
  const char* name;
  bool matches;
};

TEST(NamePattern, Table) {
  const std::vector<NameCase> cases = {
      {"a name matches itself", "www.example.com", "www.example.com", true},
      {"letter case does not count", "www.example.com", "WWW.eXample.COM", true},
      {"a trailing dot does not count", "www.example.com", "www.example.com.", true},
      {"a name does not match what is below it", "example.com", "www.example.com", false},
      {"a wildcard matches what is below", "*.example.com", "a.b.example.com", true},
      {"a wildcard does not match the name itself", "*.example.com", "example.com", false},
      {"a wildcard respects labels", "*.example.com", "wwwexample.com", false},
      {"nothing matches an absent name", "www.example.com", "", false},
  };
  for (const NameCase& row : cases) {
    EXPECT_EQ(NamePattern(row.pattern).matches(row.name), row.matches) << row.claim;
  }
}

// Whether a rule with `match` sees the packet, which is the first of its flow.
bool sees(const Match& match, wire::BytesView packet, Toward toward = Toward::world) {
  const auto sight = look_at(packet, toward);
  Flow flow(0);
  observe(flow, *sight, packet);
  return matches(match, *sight, names_in(*sight, flow));
}

Match with(auto change) {
  Match match;
  change(match);
  return match;
}

TEST(Matcher, AddressAndPortMeanTheRemoteEndInBothDirections) {
  const Match match = with([](Match& m) {
    m.address = Prefix::parse("203.0.113.0/28");
    m.port = 443;
  });
  test::Conversation talk;
  EXPECT_TRUE(sees(match, talk.syn()));
  EXPECT_TRUE(sees(match, talk.syn_ack(), Toward::probe));
  EXPECT_FALSE(sees(match, test::Conversation(443, 80).syn())) << "port 443 of the probe";
}

TEST(Matcher, ProtocolsAreToldApart) {
  const auto of = [](Protocol protocol) { return with([&](Match& m) { m.protocol = protocol; }); };
  test::Conversation talk;
  EXPECT_TRUE(sees(of(Protocol::tcp), talk.syn()));
  EXPECT_FALSE(sees(of(Protocol::udp), talk.syn()));
  EXPECT_TRUE(sees(of(Protocol::udp), test::question("a.example")));
  EXPECT_TRUE(sees(of(Protocol::icmp), test::echo(test::kServer)));
  EXPECT_TRUE(sees(of(Protocol::all), test::echo(test::kServer)));
}

TEST(Matcher, NamesAreLookedForInWhatTheProbeSends) {
  const Match match = with([](Match& m) { m.contains = "secret"; });
  test::Conversation talk;
  EXPECT_TRUE(sees(match, talk.client_says("a secret word")));
  EXPECT_FALSE(sees(match, talk.server_says("a secret word"), Toward::probe));
}

TEST(Matcher, AllKeysMustHold) {
  const Match match = with([](Match& m) {
    m.sni = NamePattern("www.example.com");
    m.address = Prefix::parse("203.0.113.99/32");
  });
  test::Conversation talk;
  EXPECT_FALSE(sees(match, talk.client_says(test::hello_for("www.example.com"))));
}

TEST(Matcher, AQuestionIsOnlySeenOnItsPort) {
  const Match match = with([](Match& m) { m.qname = NamePattern("*.example"); });
  EXPECT_TRUE(sees(match, test::question("a.example")));
  wire::Bytes elsewhere = test::question("a.example");
  elsewhere[23] = 54;  // the destination port
  EXPECT_FALSE(sees(match, elsewhere));
}

TEST(Matcher, AHelloWithoutANameHasNone) {
  wire::ClientHelloRequest request;
  test::Conversation talk;
  const wire::Bytes packet = talk.client_says(wire::encode_client_hello(request));
  EXPECT_FALSE(sees(with([](Match& m) { m.sni = NamePattern("*.example.com"); }), packet));
}

}  // namespace
}  // namespace kua::lab
