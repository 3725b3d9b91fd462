#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "probe/limits.h"
#include "probe/step/quic_handshake.h"
#include "probe/step/quic_ping.h"
#include "tests/lab/forwarder/quic_initial.h"
#include "tests/unit/probe_step/udp_peer.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::QuicOptions;
using probe::QuicPingOptions;
using probe::QuicPingResult;
using probe::QuicResult;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using std::chrono::milliseconds;

using Datagrams = std::vector<wire::Bytes>;
const Datagrams kSilence;

struct Quic : ::testing::Test {
  World world;
  probe::Timeline timeline{&world.clock, world.clock.monotonic_now()};
  std::shared_ptr<probe::WireTally> tally = std::make_shared<probe::WireTally>();

  QuicPingResult ping(const Endpoint& endpoint, milliseconds within = milliseconds(1'000)) {
    QuicPingOptions options;
    options.endpoint = endpoint;
    options.deadline = timeline.now() + within;
    return world.loop.run(probe::quic_ping(timeline, tally, std::move(options)));
  }
  QuicResult shake(const Endpoint& endpoint, const std::string& name, milliseconds within = milliseconds(600)) {
    QuicOptions options;
    options.endpoint = endpoint;
    options.server_name = name;
    options.deadline = timeline.now() + within;
    return world.loop.run(probe::quic_handshake(world.trust, timeline, tally, std::move(options)));
  }
};

std::optional<FailureCode> code_of(const StepContext& step) {
  if (!step.failure) return std::nullopt;
  EXPECT_EQ(step.failure->operation, Operation::quic_handshake);
  return step.failure->code;
}

TEST_F(Quic, APingIsAnsweredByWhoSpeaksIt) {
  UdpPeer peer(world.loop, [](const wire::Bytes& asked) {
    return Datagrams{version_negotiation(asked, {1, 0x6b3343cf})};
  });
  const auto step = ping(peer.endpoint()).observation;
  EXPECT_EQ(code_of(step), std::nullopt);
  EXPECT_THAT(step.versions, ElementsAre(1, 0x6b3343cf));
  EXPECT_EQ(step.bytes_received, 23U + 8U);
  ASSERT_THAT(peer.received(), SizeIs(1));
  EXPECT_THAT(peer.received().front(), SizeIs(1200));
  EXPECT_EQ(tally->sent, 14U + 20U + 8U + 1200U);
}

TEST_F(Quic, APingOverIp6) {
  UdpPeer peer(world.loop, [](const wire::Bytes& asked) { return Datagrams{version_negotiation(asked, {1})}; },
               "::1");
  EXPECT_EQ(code_of(ping(peer.endpoint()).observation), std::nullopt);
}

TEST_F(Quic, APingThatIsLostIsSentAgain) {
  int seen = 0;
  UdpPeer peer(world.loop, [&seen](const wire::Bytes& asked) {
    return ++seen < 2 ? kSilence : Datagrams{version_negotiation(asked, {1})};
  });
  EXPECT_EQ(code_of(ping(peer.endpoint()).observation), std::nullopt);
  EXPECT_EQ(seen, 2);
}

TEST_F(Quic, AnotherDatagramIsNoAnswerToAPing) {
  UdpPeer peer(world.loop, [](const wire::Bytes&) { return Datagrams{{1, 2, 3}, {}}; });
  const auto result = ping(peer.endpoint(), milliseconds(400));
  EXPECT_EQ(code_of(result.observation), FailureCode::generic_timeout_error);
  EXPECT_EQ(result.observation.bytes_received, 6U) << "of both copies' answers";
  EXPECT_FALSE(result.instrument);
}

TEST_F(Quic, AClosedPortIsRefused) {
  Endpoint endpoint;
  {
    UdpPeer peer(world.loop, [](const wire::Bytes&) { return kSilence; });
    endpoint = peer.endpoint();
  }
  EXPECT_EQ(code_of(ping(endpoint).observation), FailureCode::connection_refused);
  if (!probe::has_quic()) GTEST_SKIP() << "this build has no QUIC handshakes (KUA_QUIC)";
  const auto result = shake(endpoint, "site.example");
  EXPECT_EQ(code_of(result.observation), FailureCode::connection_refused);
  EXPECT_TRUE(result.observation.initial_sent);
  EXPECT_FALSE(result.instrument);
}

struct QuicShake : Quic {
  void SetUp() override {
    if (!probe::has_quic()) GTEST_SKIP() << "this build has no QUIC handshakes (KUA_QUIC)";
  }
};

TEST_F(QuicShake, SilenceIsATimeoutAndTheNameHadLeft) {
  UdpPeer peer(world.loop, [](const wire::Bytes&) { return kSilence; });
  const auto result = shake(peer.endpoint(), "site.example");
  EXPECT_EQ(code_of(result.observation), FailureCode::generic_timeout_error);
  EXPECT_TRUE(result.observation.initial_sent);
  EXPECT_EQ(result.observation.replies, 0U);
  EXPECT_EQ(result.observation.server_name, "site.example");
  EXPECT_EQ(result.observation.trust, ChainTrust::not_presented);
  ASSERT_GE(peer.received().size(), 2U) << "a lost datagram must not look like a blocked one";
  EXPECT_EQ(peer.received().front().size(), 1200U);
  std::map<std::uint64_t, wire::Bytes> crypto;
  EXPECT_EQ(lab::quic_server_name(peer.received().front(), crypto), "site.example");
}

TEST_F(QuicShake, AnAddressLiteralIsNotSentAsAName) {
  UdpPeer peer(world.loop, [](const wire::Bytes&) { return kSilence; });
  EXPECT_EQ(shake(peer.endpoint(), "127.0.0.1", milliseconds(100)).observation.server_name, std::nullopt);
  std::map<std::uint64_t, wire::Bytes> crypto;
  EXPECT_EQ(lab::quic_server_name(peer.received().front(), crypto), "");
}

TEST_F(QuicShake, AServerOfOtherVersionsIsNoSilence) {
  UdpPeer peer(world.loop, [](const wire::Bytes& asked) {
    return Datagrams{version_negotiation(asked, {0xff00001d})};
  });
  const auto step = shake(peer.endpoint(), "site.example").observation;
  EXPECT_EQ(code_of(step), FailureCode::quic_incompatible_version);
  EXPECT_EQ(step.replies, 1U);
}

TEST_F(QuicShake, GarbageDoesNotEndIt) {
  UdpPeer peer(world.loop, [](const wire::Bytes& asked) {
    wire::Bytes flipped = asked;
    flipped[100] ^= 1;
    return Datagrams{{}, wire::Bytes(40, 0xff), flipped};
  });
  const auto step = shake(peer.endpoint(), "site.example").observation;
  EXPECT_EQ(code_of(step), FailureCode::generic_timeout_error);
  EXPECT_GE(step.replies, 3U);
  EXPECT_EQ(step.version, "");
}

// GnuTLS reads the policy when it is loaded: the process of a death test in this style is a new one.
TEST_F(QuicShake, APolicyOfThisMachineWithoutTls13IsItsOwnFailure) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string policy = ::testing::TempDir() + "kua_gnutls_policy_" + std::to_string(::getpid());
  if (::getenv("GNUTLS_SYSTEM_PRIORITY_FILE") == nullptr) {
    std::ofstream(policy) << "[overrides]\ndisabled-version = tls1.3\n";
    ::setenv("GNUTLS_SYSTEM_PRIORITY_FILE", policy.c_str(), 1);
  }
  const auto try_it = [this] {
    UdpPeer peer(world.loop, [](const wire::Bytes&) { return kSilence; });
    const auto result = shake(peer.endpoint(), "site.example", milliseconds(100));
    std::exit(result.instrument && peer.received().empty() ? 7 : 1);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(7), "");
  ::unsetenv("GNUTLS_SYSTEM_PRIORITY_FILE");
  std::filesystem::remove(policy);
}

TEST_F(QuicShake, AFloodIsCutOff) {
  UdpPeer peer(world.loop, [](const wire::Bytes&) {
    return Datagrams(2 * probe::kQuicDatagramsMax, wire::Bytes(40, 0xff));
  });
  const auto result = shake(peer.endpoint(), "site.example");
  EXPECT_EQ(code_of(result.observation), FailureCode::message_size);
  EXPECT_EQ(result.observation.replies, probe::kQuicDatagramsMax);
  EXPECT_TRUE(result.flooded);
}

}  // namespace
}  // namespace kua::test
