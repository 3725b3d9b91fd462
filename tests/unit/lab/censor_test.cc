#include "tests/lab/forwarder/censor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/lab/packets.h"
#include "wire/tls_record.h"

namespace kua::lab {
namespace {

using test::at_seconds;
using test::Conversation;
using Fate = Censor::Decision::Fate;

const std::vector<IpAddress> kRouters = {*IpAddress::parse("198.18.254.2"), *IpAddress::parse("2001:db8:fe::2")};

Rule rule_for(Match match, Act act) {
  Rule rule;
  rule.match = std::move(match);
  rule.act = std::move(act);
  return rule;
}
Match sni(std::string name) {
  Match match;
  match.sni = NamePattern(std::move(name));
  return match;
}
Match host(std::string name) {
  Match match;
  match.host = NamePattern(std::move(name));
  return match;
}
Match address(std::string_view prefix) {
  Match match;
  match.address = Prefix::parse(prefix).value();
  return match;
}

// Carries a conversation past a censor and keeps what it decided last.
struct Walk {
  explicit Walk(std::vector<Rule> rules) : censor(std::move(rules), kRouters, 20000) {}

  Fate world(wire::Bytes packet, double seconds = 0) { return go(std::move(packet), Toward::world, seconds); }
  Fate probe(wire::Bytes packet, double seconds = 0) { return go(std::move(packet), Toward::probe, seconds); }
  void open(Conversation& talk, double seconds = 0) {
    world(talk.syn(), seconds);
    probe(talk.syn_ack(), seconds);
  }
  Fate go(wire::Bytes packet, Toward toward, double seconds) {
    bytes = std::move(packet);
    last = censor.inspect(bytes, toward, at_seconds(seconds));
    return last.fate;
  }
  // The TCP header of injected packet number `i`; it must be one.
  wire::TcpSegment injected_tcp(std::size_t i) const {
    const auto packet = wire::decode_ip(last.injected.at(i).packet);
    return *wire::decode_tcp(packet->payload);
  }

  Censor censor;
  Censor::Decision last;
  wire::Bytes bytes;
};

TEST(Censor, ResetsBothWaysWhenTheNameAppears) {
  Walk walk({rule_for(sni("www.example.com"), Reset{})});
  Conversation talk;
  walk.open(talk);
  EXPECT_TRUE(walk.last.injected.empty());
  EXPECT_EQ(walk.world(talk.client_says(test::hello_for("www.example.com"))), Fate::swallow);
  ASSERT_EQ(walk.last.injected.size(), 2u);
  EXPECT_EQ(walk.last.injected[0].toward, Toward::probe);
  EXPECT_EQ(walk.last.injected[1].toward, Toward::world);
  EXPECT_TRUE(walk.injected_tcp(0).flags & wire::kTcpRst);
  // A client takes a reset only at exactly the number it expects (RFC 5961 §3.2); so does the server,
  // which has not got the packet that was swallowed.
  EXPECT_EQ(walk.injected_tcp(0).sequence, talk.server_next());
  EXPECT_EQ(walk.injected_tcp(1).sequence, test::kClientIsn + 1);
  EXPECT_TRUE(wire::checksums_hold(walk.last.injected[0].packet));
}

TEST(Censor, MarksOfInjectedPacketsDifferFromTheServers) {
  Walk walk({rule_for(sni("www.example.com"), Reset{})});
  Conversation talk;
  walk.open(talk);
  walk.world(talk.client_says(test::hello_for("www.example.com")));
  const auto injected = wire::decode_ip(walk.last.injected.at(0).packet)->header;
  EXPECT_NE(injected.hop_limit, 64);
  EXPECT_NE(injected.identification, 0);
}

TEST(Censor, OnPathLeavesThePacketAndCountsOnItsArrival) {
  Rule rule = rule_for(sni("www.example.com"), Reset{});
  rule.on_path = true;
  Walk walk({rule});
  Conversation talk;
  walk.open(talk);
  EXPECT_EQ(walk.world(talk.client_says(test::hello_for("www.example.com"))), Fate::pass);
  EXPECT_EQ(walk.injected_tcp(1).sequence, talk.client_next());
}

TEST(Censor, FindsANameSplitOverSegmentsInAnyOrder) {
  Walk walk({rule_for(sni("www.example.com"), Reset{})});
  Conversation talk;
  walk.open(talk);
  const wire::Bytes hello = test::hello_for("www.example.com");
  const wire::Bytes first = talk.client_says(wire::BytesView(hello).first(60));
  const wire::Bytes second = talk.client_says(wire::BytesView(hello).subspan(60));
  EXPECT_EQ(walk.world(second), Fate::pass);
  EXPECT_EQ(walk.world(first), Fate::swallow);
  EXPECT_EQ(walk.world(second), Fate::swallow) << "a retransmission carries the name as well";
}

TEST(Censor, DropLastsForTheFlowBothWaysAndSparesOthers) {
  Walk walk({rule_for(sni("www.example.com"), Drop{})});
  Conversation talk;
  Conversation other(40001);
  walk.open(talk);
  EXPECT_EQ(walk.world(talk.client_says(test::hello_for("www.example.com"))), Fate::swallow);
  EXPECT_EQ(walk.world(talk.client_says("later")), Fate::swallow);
  EXPECT_EQ(walk.probe(talk.server_says("late")), Fate::swallow);
  EXPECT_EQ(walk.world(other.syn()), Fate::pass);
  walk.probe(other.syn_ack());
  EXPECT_EQ(walk.world(other.client_says(test::hello_for("other.example"))), Fate::pass);
}

TEST(Censor, ADroppedQuestionDoesNotSilenceTheResolversSocket) {
  Match match;
  match.qname = NamePattern("www.example.com");
  Walk walk({rule_for(match, Drop{})});
  EXPECT_EQ(walk.world(test::question("www.example.com")), Fate::swallow);
  EXPECT_EQ(walk.world(test::question("other.example")), Fate::pass);
}

TEST(Censor, RefusesASyn) {
  Walk walk({rule_for(address("203.0.113.10/32"), Refuse{})});
  Conversation talk;
  EXPECT_EQ(walk.world(talk.syn()), Fate::swallow);
  ASSERT_EQ(walk.last.injected.size(), 1u);
  EXPECT_EQ(walk.injected_tcp(0).flags, wire::kTcpRst | wire::kTcpAck);
  EXPECT_EQ(walk.injected_tcp(0).acknowledgement, test::kClientIsn + 1);
}

TEST(Censor, AnAlertIsFollowedByTheEnd) {
  Walk walk({rule_for(sni("www.example.com"), Alert{})});
  Conversation talk;
  walk.open(talk);
  EXPECT_EQ(walk.world(talk.client_says(test::hello_for("www.example.com"))), Fate::swallow);
  const wire::TcpSegment alert = walk.injected_tcp(0);
  const auto record = wire::decode_tls_record(alert.payload);
  ASSERT_TRUE(record);
  EXPECT_TRUE(wire::decode_tls_alert(*record));
  EXPECT_TRUE(alert.flags & wire::kTcpFin);
  EXPECT_EQ(walk.probe(talk.server_says("true answer")), Fate::swallow);
}

TEST(Censor, ALongBlockPageComesInOrderedSegments) {
  const std::string page = "HTTP/1.1 200 OK\r\n\r\n" + std::string(3000, 'x');
  Walk walk({rule_for(host("www.example.com"), BlockPage{page})});
  Conversation talk(40000, 80);
  walk.open(talk);
  walk.world(talk.client_says("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"));
  std::string seen;
  std::uint32_t next = talk.server_next();
  for (std::size_t i = 0; i < walk.last.injected.size(); ++i) {
    if (walk.last.injected[i].toward == Toward::world) continue;
    const wire::TcpSegment segment = walk.injected_tcp(i);
    EXPECT_EQ(segment.sequence, next);
    next += static_cast<std::uint32_t>(segment.payload.size());
    seen += wire::as_text(segment.payload);
  }
  EXPECT_EQ(seen, page);
}

TEST(Censor, EveryRequestOfAConnectionIsLookedAt) {
  Walk walk({rule_for(host("*.example.com"), Reset{})});
  Conversation talk(40000, 80);
  walk.open(talk);
  EXPECT_EQ(walk.world(talk.client_says("GET / HTTP/1.1\r\nHost: open.example\r\n\r\n")), Fate::pass);
  EXPECT_EQ(walk.world(talk.client_says("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n")), Fate::swallow);
}

TEST(Censor, TheFirstRuleThatMatchesAPacketWins) {
  Walk walk({rule_for(sni("www.example.com"), Drop{}), rule_for(sni("*.example.com"), Reset{})});
  Conversation talk;
  walk.open(talk);
  walk.world(talk.client_says(test::hello_for("www.example.com")));
  EXPECT_TRUE(walk.last.injected.empty());
}

TEST(Censor, ForgesAnAnswerAndLetsTheQuestionPass) {
  Match match;
  match.qname = NamePattern("www.example.com");
  const IpAddress bogon = *IpAddress::parse("10.10.34.34");
  Walk walk({rule_for(match, ForgeDns{false, {bogon}})});
  EXPECT_EQ(walk.world(test::question("www.example.com")), Fate::pass);
  ASSERT_EQ(walk.last.injected.size(), 1u);
  const auto packet = wire::decode_ip(walk.last.injected[0].packet);
  const auto datagram = wire::decode_udp(packet->payload);
  EXPECT_EQ(packet->header.source, test::kResolver);
  EXPECT_EQ(datagram->destination_port, 5353);
  const auto reply = wire::decode_dns(datagram->payload);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->header.id, 7);
  EXPECT_THAT(wire::answers_of(*reply).addresses, testing::ElementsAre(bogon));
}

TEST(Censor, FreezesBehindTheGivenBytesFromTheServer) {
  Walk walk({rule_for(sni("www.example.com"), Freeze{1000})});
  Conversation talk;
  walk.open(talk);
  EXPECT_EQ(walk.world(talk.client_says(test::hello_for("www.example.com"))), Fate::pass);
  const wire::Bytes first = talk.server_says(std::string(900, 'a'));
  EXPECT_EQ(walk.probe(first), Fate::pass);
  EXPECT_EQ(walk.probe(first), Fate::pass) << "what is sent again is not counted again";
  EXPECT_EQ(walk.probe(talk.server_says(std::string(900, 'b'))), Fate::swallow);
  EXPECT_EQ(walk.world(talk.client_says("x")), Fate::swallow);
}

TEST(Censor, AThrottledFlowWaitsItsTurn) {
  Walk walk({rule_for(sni("www.example.com"), Throttle{80})});  // 10 kB/s
  Conversation talk;
  walk.open(talk);
  walk.world(talk.client_says(test::hello_for("www.example.com")));
  walk.probe(talk.server_says(std::string(960, 'a')), 1);
  EXPECT_EQ(walk.last.release, at_seconds(1.1));
}

TEST(Censor, ResidualBlockingEndsAndIsNotRenewedByItself) {
  Rule rule = rule_for(sni("www.example.com"), Reset{});
  rule.residual = Microseconds(10'000'000);
  Walk walk({rule});
  Conversation talk;
  Conversation soon(40001);
  Conversation later(40002);
  walk.open(talk);
  walk.world(talk.client_says(test::hello_for("www.example.com")), 1);
  EXPECT_EQ(walk.world(soon.syn(), 10.5), Fate::swallow);
  EXPECT_EQ(walk.injected_tcp(0).flags, wire::kTcpRst | wire::kTcpAck);
  EXPECT_EQ(walk.world(later.syn(), 11), Fate::pass);
}

TEST(Censor, RulesHaveTheirHours) {
  Rule rule = rule_for(address("203.0.113.0/24"), Refuse{});
  rule.from = Microseconds(5'000'000);
  rule.until = Microseconds(8'000'000);
  Walk walk({rule});
  walk.censor.start(at_seconds(100));
  std::uint16_t port = 40000;
  const auto syn_at = [&](double seconds) { return walk.world(Conversation(port++).syn(), seconds); };
  EXPECT_EQ(syn_at(104.9), Fate::pass);
  EXPECT_EQ(syn_at(105), Fate::swallow);
  EXPECT_EQ(syn_at(108), Fate::pass);
}

TEST(Censor, ProbabilityIsDrawnOncePerFlowAndRepeats) {
  Rule rule = rule_for(address("203.0.113.10/32"), Refuse{});
  rule.probability = 0.5;
  Walk one({rule});
  Walk other({rule});
  int refused = 0;
  for (std::uint16_t port = 40000; port < 40200; ++port) {
    Conversation talk(port);
    const wire::Bytes syn = talk.syn();
    const Fate fate = one.world(syn);
    EXPECT_EQ(one.world(syn), fate) << "the same flow, the same fate";
    EXPECT_EQ(other.world(syn), fate) << "the same scenario, the same fate";
    refused += fate == Fate::swallow ? 1 : 0;
  }
  EXPECT_GT(refused, 70);
  EXPECT_LT(refused, 130);
}

TEST(Censor, ProhibitsFromItsOwnAddressInBothFamilies) {
  Walk walk({rule_for(address("203.0.113.10/32"), IcmpProhibited{}), rule_for(address("2001:db8::10/128"), IcmpProhibited{})});
  EXPECT_EQ(walk.world(Conversation().syn()), Fate::swallow);
  EXPECT_EQ(wire::decode_ip(walk.last.injected.at(0).packet)->header.source, kRouters[0]);
  EXPECT_EQ(walk.world(Conversation(40000, 443, test::kProbe6, test::kServer6).syn()), Fate::swallow);
  EXPECT_EQ(wire::decode_ip(walk.last.injected.at(0).packet)->header.source, kRouters[1]);
}

TEST(Censor, TakesAConnectionOverInTheMiddle) {
  const Endpoint helper{*IpAddress::parse("198.19.66.1"), 7000, Transport::tcp};
  Walk walk({rule_for(sni("www.example.com"), Mitm{{helper}})});
  Conversation talk;
  walk.open(talk);
  const wire::Bytes hello = test::hello_for("www.example.com");
  EXPECT_EQ(walk.world(talk.client_says(hello)), Fate::swallow);
  const auto syn_packet = wire::decode_ip(walk.last.injected.at(0).packet);
  const auto syn = wire::decode_tcp(syn_packet->payload);
  EXPECT_EQ(syn_packet->header.destination, helper.address);
  EXPECT_EQ(syn->sequence, test::kClientIsn) << "the client's numbers stay as they are";

  wire::TcpSegment syn_ack;
  syn_ack.source_port = helper.port;
  syn_ack.destination_port = syn->source_port;
  syn_ack.sequence = 777;
  syn_ack.acknowledgement = test::kClientIsn + 1;
  syn_ack.flags = wire::kTcpSyn | wire::kTcpAck;
  const wire::IpHeader from_helper = Conversation::header(helper.address, test::kProbe);
  EXPECT_EQ(walk.probe(wire::encode_tcp(from_helper, syn_ack)), Fate::swallow);
  ASSERT_EQ(walk.last.injected.size(), 2u) << "an acknowledgement and the ClientHello";
  EXPECT_TRUE(std::ranges::equal(walk.injected_tcp(1).payload, hello));

  wire::TcpSegment data = syn_ack;
  data.sequence = 778;
  data.flags = wire::kTcpAck;
  const wire::Bytes text = {'h', 'i'};
  data.payload = text;
  EXPECT_EQ(walk.probe(wire::encode_tcp(from_helper, data)), Fate::pass);
  const auto seen = wire::decode_ip(walk.bytes);
  EXPECT_EQ(seen->header.source, test::kServer);
  EXPECT_EQ(wire::decode_tcp(seen->payload)->sequence, talk.server_next());
  EXPECT_EQ(walk.probe(talk.server_says("the true server")), Fate::swallow);
}

}  // namespace
}  // namespace kua::lab
