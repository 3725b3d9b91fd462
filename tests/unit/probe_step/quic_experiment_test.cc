// When QUIC is tried beside TCP, what follows a failure, and what it may cost. The peer speaks no version
// that we do, or nothing at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <map>

#include "probe/limits.h"
#include "probe/step/quic_handshake.h"
#include "tests/lab/forwarder/quic_initial.h"
#include "tests/unit/probe_step/udp_peer.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::Depth;
using probe::FollowUp;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Datagrams = std::vector<wire::Bytes>;
const UdpPeer::Answer kSilent = [](const wire::Bytes&) { return Datagrams{}; };
const UdpPeer::Answer kOtherVersion = [](const wire::Bytes& asked) {
  return Datagrams{version_negotiation(asked, {0xff00001d})};
};

struct QuicBesideTcp : ::testing::Test {
  void SetUp() override {
    if (!probe::has_quic()) GTEST_SKIP() << "this build has no QUIC handshakes (KUA_QUIC)";
    world.instrument.system_resolvers = {dns.endpoint()};
  }

  // What the page says in Alt-Svc; "{}" is the port it is had at.
  ServerOptions saying(const std::string& alt_svc, std::vector<std::string> names = {"site.example"}) {
    ServerOptions options = secure(world, std::move(names));
    options.respond = [this, alt_svc](std::string_view) {
      std::string field = alt_svc;
      if (const auto at = field.find("{}"); at != std::string::npos) field.replace(at, 2, std::to_string(port));
      return Reply{"HTTP/1.1 200 OK\r\nAlt-Svc: " + field + "\r\nContent-Length: 0\r\n\r\n"};
    };
    return options;
  }
  Measurement look(const std::string& alt_svc, const UdpPeer::Answer& answer, FollowUp granted = FollowUp::immediate,
                   Depth depth = Depth::core) {
    Server server(world.loop, saying(alt_svc));
    port = server.port();
    UdpPeer peer(world.loop, answer, "127.0.0.1", port);
    Measurement out = world.check(at("https", "site.example", port), granted, depth);
    datagrams = peer.received();
    return out;
  }
  // Server names of the first datagrams that came.
  [[nodiscard]] std::vector<std::string> names_seen() const {
    std::vector<std::string> out;
    for (const wire::Bytes& datagram : datagrams) {
      std::map<std::uint64_t, wire::Bytes> crypto;
      if (const auto name = lab::quic_server_name(datagram, crypto)) out.push_back(*name);
    }
    return out;
  }

  World world;
  DnsServer dns{world.loop, zone("site.example", {"127.0.0.1"})};
  std::uint16_t port = 0;
  Datagrams datagrams;
};

struct WithoutQuic : QuicBesideTcp {
  void SetUp() override {
    if (probe::has_quic()) GTEST_SKIP() << "this build has QUIC handshakes (KUA_QUIC)";
    world.instrument.system_resolvers = {dns.endpoint()};
  }
};

TEST_F(WithoutQuic, ARecordSaysWhereItWouldHaveBeenTried) {
  EXPECT_THAT(look(R"(h3=":{}")", kSilent).missing, Contains("quic"));
  EXPECT_THAT(datagrams, IsEmpty());
  EXPECT_THAT(look("clear", kSilent).missing, Not(Contains("quic")));
}

TEST_F(QuicBesideTcp, IsTriedWhereThePageOffersItAtItsOwnPort) {
  const Measurement m = look(R"(h3=":{}"; ma=60)", kOtherVersion, FollowUp::none);
  const auto steps = steps_of<QuicHandshake>(m);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].endpoint.transport, Transport::udp);
  EXPECT_EQ(steps[0].server_name, "site.example");
  EXPECT_EQ(steps[0].failure->code, FailureCode::quic_incompatible_version);
  EXPECT_THAT(steps_of<QuicPing>(m, StepRole::same_address), IsEmpty()) << "no follow-up was granted";
  EXPECT_EQ(m.validity, Validity::ok);
}

TEST_F(QuicBesideTcp, IsNotTriedWithoutAnOfferOrInTheKeyTier) {
  for (const char* silent : {"clear", R"(h3=":1")", R"(h3="elsewhere.example:{}")", R"(h2=":{}")"}) {
    const Measurement m = look(silent, kOtherVersion);
    EXPECT_THAT(steps_of<QuicHandshake>(m), IsEmpty()) << silent;
    EXPECT_THAT(datagrams, IsEmpty()) << silent;
  }
  look(R"(h3=":{}")", kOtherVersion, FollowUp::immediate, Depth::key);
  EXPECT_THAT(datagrams, IsEmpty());
}

TEST_F(QuicBesideTcp, AnOfferUnderAForgedCertificateIsNobodys) {
  const Authority forger("Another Root");
  ServerOptions options = saying(R"(h3=":{}")");
  LeafOptions leaf;
  leaf.names = {"site.example"};
  options.identity = forger.issue(leaf);
  Server server(world.loop, options);
  port = server.port();
  UdpPeer peer(world.loop, kOtherVersion, "127.0.0.1", port);
  const Measurement m = world.check(at("https", "site.example", port), FollowUp::immediate);
  EXPECT_THAT(steps_of<QuicHandshake>(m), IsEmpty());
  EXPECT_THAT(peer.received(), IsEmpty());
}

TEST_F(QuicBesideTcp, SilenceIsFollowedByTheRetryThePairAndThePings) {
  const Measurement m = look(R"(h3=":{}")", kSilent);
  ASSERT_THAT(steps_of<QuicHandshake>(m), SizeIs(1));
  EXPECT_EQ(steps_of<QuicHandshake>(m)[0].failure->code, FailureCode::generic_timeout_error);
  EXPECT_THAT(steps_of<QuicHandshake>(m, StepRole::retry), SizeIs(1));
  const auto pair = steps_of<QuicHandshake>(m, StepRole::same_address);
  ASSERT_THAT(pair, SizeIs(1));
  EXPECT_EQ(pair[0].server_name, "harmless.example");
  EXPECT_THAT(names_seen(), Contains("harmless.example"));
  EXPECT_THAT(steps_of<QuicPing>(m, StepRole::same_address), SizeIs(1));
  EXPECT_THAT(steps_of<QuicPing>(m, StepRole::witness), IsEmpty()) << "none is listed at this port";
  EXPECT_THAT(steps_of<Connect>(m, StepRole::same_address), IsEmpty()) << "TCP is not in doubt";
  EXPECT_LT(m.runtime, world.instrument.pacing.handshake_deadline + world.instrument.pacing.immediate_set_deadline +
                           std::chrono::milliseconds(500));
}

TEST_F(QuicBesideTcp, AWitnessAtTheSamePortIsPinged) {
  Server server(world.loop, saying(R"(h3=":{}")"));
  port = server.port();
  UdpPeer peer(world.loop, kSilent, "127.0.0.1", port);
  UdpPeer elsewhere(world.loop, kOtherVersion, "127.0.0.9", port);
  world.list.witnesses = {{*IpAddress::parse("127.0.0.9"), port, Transport::tcp},
                          {*IpAddress::parse("127.0.0.1"), port, Transport::tcp},
                          {*IpAddress::parse("127.0.0.8"), 1, Transport::tcp}};
  const Measurement m = world.check(at("https", "site.example", port), FollowUp::immediate);
  const auto pings = steps_of<QuicPing>(m, StepRole::witness);
  ASSERT_THAT(pings, SizeIs(1));
  EXPECT_EQ(pings[0].endpoint.address, *IpAddress::parse("127.0.0.9"));
  EXPECT_FALSE(pings[0].failure);
  ASSERT_THAT(elsewhere.received(), SizeIs(1)) << "and no name is shown there";
}

TEST_F(QuicBesideTcp, WhatIsInDoubtOverTcpComesFirst) {
  // Another address of the same family is reset: the follow-up tries QUIC then.
  ServerOptions options = saying(R"(h3=":{}")");
  Server server(world.loop, options);
  port = server.port();
  UdpPeer peer(world.loop, kOtherVersion, "127.0.0.1", port);
  ServerOptions first = options;
  first.address = "127.0.0.9";
  first.port = port;
  first.gate = [](std::string_view) { return Then::reset; };
  Server reset_at_first(world.loop, first);
  DnsServer both(world.loop, zone("site.example", {"127.0.0.9", "127.0.0.1"}));
  world.instrument.system_resolvers = {both.endpoint()};
  const Measurement m = world.check(at("https", "site.example", port), FollowUp::immediate);
  const auto quic = steps_of<QuicHandshake>(m);
  ASSERT_THAT(quic, SizeIs(1));
  const auto again = steps_of<TlsHandshake>(m, StepRole::retry);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_GT(quic[0].offset, again[0].offset);
}

TEST_F(QuicBesideTcp, AFamilyInDoubtLeavesTheOtherItsSay) {
  Server server(world.loop, saying(R"(h3=":{}")"));
  port = server.port();
  UdpPeer peer(world.loop, kOtherVersion, "127.0.0.1", port);
  DnsServer both(world.loop, zone("site.example", {"127.0.0.1", "::1"}));  // where nobody listens
  world.instrument.system_resolvers = {both.endpoint()};
  const Measurement m = world.check(at("https", "site.example", port), FollowUp::immediate);
  const auto quic = steps_of<QuicHandshake>(m);
  ASSERT_THAT(quic, SizeIs(1));
  const auto again = steps_of<Connect>(m, StepRole::retry);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_LT(quic[0].offset, again[0].offset);
}

// No further descriptor for this process, once TCP is done.
struct NoMoreSockets {
  NoMoreSockets() { ::getrlimit(RLIMIT_NOFILE, &before); }
  ~NoMoreSockets() { ::setrlimit(RLIMIT_NOFILE, &before); }
  NoMoreSockets(const NoMoreSockets&) = delete;
  NoMoreSockets& operator=(const NoMoreSockets&) = delete;
  void begin() const {
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  rlimit before{};
};

TEST_F(QuicBesideTcp, AFailureOfThisMachineCostsNothingButQuic) {
  const NoMoreSockets limit;
  ServerOptions options = saying(R"(h3=":{}")");
  options.respond = [&limit, say = options.respond](std::string_view asked) {
    limit.begin();
    return say(asked);
  };
  Server server(world.loop, options);
  port = server.port();
  const Measurement m = world.check(at("https", "site.example", port), FollowUp::immediate);
  EXPECT_EQ(m.validity, Validity::ok) << m.validity_reason;
  EXPECT_THAT(m.missing, Contains("quic"));
  EXPECT_THAT(steps_of<QuicHandshake>(m), IsEmpty());
  EXPECT_THAT(steps_of<HttpRoundTrip>(m), SizeIs(1));
}

TEST_F(QuicBesideTcp, AShareTooShortToTellSilenceIsNotTaken) {
  world.instrument.pacing.immediate_set_deadline = std::chrono::milliseconds(300);
  const Microseconds enough = world.instrument.pacing.handshake_deadline / 3;
  const Measurement m = look(R"(h3=":{}")", kSilent);
  ASSERT_THAT(steps_of<QuicHandshake>(m), SizeIs(1));
  const auto later = [&m, enough](const auto& steps) {
    for (const auto& step : steps) EXPECT_GE(step.duration, enough);
    return steps.size();
  };
  const std::size_t taken = later(steps_of<QuicHandshake>(m, StepRole::retry)) +
                            later(steps_of<QuicHandshake>(m, StepRole::same_address)) +
                            later(steps_of<QuicPing>(m, StepRole::same_address));
  EXPECT_GE(taken, 1U);
  EXPECT_LT(taken, 3U);
  EXPECT_EQ(m.limits.at("immediate_set"), 1U);
}

TEST_F(QuicBesideTcp, IsTriedAtTheFinalHostAlone) {
  Server second(world.loop, saying(R"(h3=":{}")", {"www.site.example"}));
  port = second.port();
  ServerOptions first = secure(world, {"site.example"});
  std::uint16_t first_port = 0;
  first.respond = [this, &first_port](std::string_view) {
    return Reply{"HTTP/1.1 302 Found\r\nAlt-Svc: h3=\":" + std::to_string(first_port) + "\"\r\nLocation: " +
                 at("https", "www.site.example", port) + "\r\nContent-Length: 0\r\n\r\n"};
  };
  Server redirecting(world.loop, first);
  first_port = redirecting.port();
  UdpPeer at_first(world.loop, kOtherVersion, "127.0.0.1", first_port);
  UdpPeer at_second(world.loop, kOtherVersion, "127.0.0.1", port);
  DnsServer every(world.loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{{addresses_reply(query, {"127.0.0.1"})}};
  });
  world.instrument.system_resolvers = {every.endpoint()};
  const Measurement m = world.check(at("https", "site.example", first_port), FollowUp::none);
  const auto steps = steps_of<QuicHandshake>(m);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].host, "www.site.example");
  EXPECT_THAT(at_first.received(), IsEmpty());
}

TEST_F(QuicBesideTcp, ASilentPortCostsLittle) {
  const Measurement with = look(R"(h3=":{}")", kSilent);
  const Measurement without = look("clear", kSilent);
  const std::uint64_t extra =
      with.bytes_sent + with.bytes_received - without.bytes_sent - without.bytes_received;
  EXPECT_LT(extra, probe::kFollowUpBytesMax / 4) << extra;
}

}  // namespace
}  // namespace kua::test
