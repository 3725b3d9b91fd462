// Handshakes that a server takes part in.
#include "probe/step/quic_handshake.h"

#include <gtest/gtest.h>

#include "tests/unit/probe_step/quic_server.h"
#include "tests/unit/probe_step/udp_peer.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

struct QuicHandshakes : ::testing::Test {
  World world;
  QuicHandshake shake(const UdpPeer& peer, const std::string& name = "site.example") {
    const probe::Timeline timeline{&world.clock, world.clock.monotonic_now()};
    probe::QuicOptions options;
    options.endpoint = peer.endpoint();
    options.server_name = name;
    options.deadline = timeline.now() + std::chrono::seconds(3);
    const auto tally = std::make_shared<probe::WireTally>();
    return world.loop.run(probe::quic_handshake(world.trust, timeline, tally, std::move(options))).observation;
  }
  // Until what was sent last has been read.
  void settle() { world.loop.context().restart(), world.loop.context().poll(); }
};

TEST_F(QuicHandshakes, EndWithAGoodbye) {
  QuicServer server(world.authority.issue({{"site.example"}}), "h3");
  UdpPeer peer(world.loop, [&server](const wire::Bytes& datagram) { return server.answer(datagram); });
  const QuicHandshake seen = shake(peer);
  settle();
  EXPECT_FALSE(seen.failure);
  EXPECT_EQ(seen.version, "QUICv1");
  EXPECT_TRUE(seen.cipher.starts_with("TLS_")) << seen.cipher;
  EXPECT_EQ(seen.alpn, "h3");
  EXPECT_EQ(seen.trust, ChainTrust::trusted);
  EXPECT_GE(seen.bytes_received, 1200U);
  EXPECT_EQ(seen.close_code, std::nullopt);
  EXPECT_TRUE(server.is_done());
  EXPECT_TRUE(server.was_closed());
}

TEST_F(QuicHandshakes, AreNotEndedByACertificate) {
  struct Row {
    const char* says;
    ChainTrust trust;
    Identity identity;
  };
  const Row rows[] = {
      {"another name", ChainTrust::wrong_host, world.authority.issue({{"other.example"}})},
      {"expired", ChainTrust::expired, world.authority.issue({{"site.example"}, -9, -2})},
      {"signed by itself", ChainTrust::self_signed, Authority::self_signed({{"site.example"}})},
      {"a root nobody trusts", ChainTrust::unknown_authority, Authority("State Root").issue({{"site.example"}})},
  };
  for (const Row& row : rows) {
    QuicServer server(row.identity, "h3");
    UdpPeer peer(world.loop, [&server](const wire::Bytes& datagram) { return server.answer(datagram); });
    const QuicHandshake seen = shake(peer);
    EXPECT_FALSE(seen.failure) << row.says;
    EXPECT_EQ(seen.trust, row.trust) << row.says;
    ASSERT_FALSE(seen.chain.empty()) << row.says;
    EXPECT_FALSE(seen.chain[0].der.empty()) << row.says;
  }
}

TEST_F(QuicHandshakes, TellAServersRefusal) {
  QuicServer server(world.authority.issue({{"site.example"}}), "another");
  UdpPeer peer(world.loop, [&server](const wire::Bytes& datagram) { return server.answer(datagram); });
  const QuicHandshake seen = shake(peer);
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code, FailureCode::ssl_failed_handshake);
  EXPECT_EQ(seen.close_code, 0x100U + 120U) << "no_application_protocol";
  EXPECT_EQ(seen.trust, ChainTrust::not_presented);
}

TEST_F(QuicHandshakes, OutliveALostDatagram) {
  QuicServer server(world.authority.issue({{"site.example"}}), "h3");
  int seen_by_peer = 0;
  UdpPeer peer(world.loop, [&](const wire::Bytes& datagram) {
    return ++seen_by_peer == 1 ? std::vector<wire::Bytes>() : server.answer(datagram);
  });
  const QuicHandshake seen = shake(peer);
  EXPECT_FALSE(seen.failure);
  EXPECT_GE(seen.duration, std::chrono::milliseconds(300));
}

}  // namespace
}  // namespace kua::test
