#include "probe/step/tls_handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <ostream>

#include "probe/step/tcp_connect.h"
#include "probe/step/trust_store_impl.h"
#include "probe/step/verify_chain.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::ConnectOptions;
using probe::ConnectResult;
using probe::TlsOptions;
using probe::TlsResult;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

boost::asio::awaitable<TlsResult> shake(World& world, std::uint16_t port, std::string name) {
  const probe::Timeline timeline{&world.clock, world.clock.monotonic_now()};
  const auto tally = std::make_shared<probe::WireTally>();
  ConnectOptions connect;
  connect.endpoint = {*IpAddress::parse("127.0.0.1"), port, Transport::tcp};
  connect.deadline = timeline.now() + std::chrono::milliseconds(500);
  ConnectResult connected = co_await tcp_connect(timeline, tally, std::move(connect));
  TlsOptions options;
  options.endpoint = connected.observation.endpoint;
  options.server_name = std::move(name);
  options.deadline = timeline.now() + std::chrono::milliseconds(300);
  co_return co_await tls_handshake(world.trust, timeline, std::move(connected.stream), std::move(options));
}

TlsHandshake observe(World& world, const ServerOptions& options, const std::string& name = "site.example") {
  Server server(world.loop, options);
  return world.loop.run(shake(world, server.port(), name)).observation;
}

struct Chain {
  const char* says;
  ChainTrust trust;
  std::function<Identity(const World&)> identity;
  const char* name = "site.example";
  friend void PrintTo(const Chain& row, std::ostream* out) { *out << row.says; }
};

class PresentedChain : public ::testing::TestWithParam<Chain> {};

TEST_P(PresentedChain, IsRecordedAndNeverEndsTheHandshake) {
  World world;
  ServerOptions options;
  options.identity = GetParam().identity(world);
  const TlsHandshake seen = observe(world, options, GetParam().name);
  EXPECT_FALSE(seen.failure) << GetParam().says;
  EXPECT_EQ(seen.trust, GetParam().trust) << GetParam().says;
  ASSERT_THAT(seen.chain, Not(IsEmpty()));
  EXPECT_EQ(seen.chain[0].sha256.size(), 64u);
  EXPECT_EQ(seen.chain[0].spki_sha256.size(), 64u);
  EXPECT_EQ(seen.chain[0].der.empty(), seen.trust == ChainTrust::trusted) << GetParam().says;
}

// Certificates of a PEM text, as DER.
std::vector<std::string> der_of(const std::string& pem) {
  const probe::OpensslPtr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<std::string> out;
  while (X509* const read = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    const probe::OpensslPtr<X509> certificate(read);
    unsigned char* der = nullptr;
    const int length = i2d_X509(certificate.get(), &der);
    out.emplace_back(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
  }
  return out;
}

// What came over QUIC is judged as what came over TCP.
TEST_P(PresentedChain, IsJudgedTheSameFromItsBytes) {
  World world;
  ServerOptions options;
  options.identity = GetParam().identity(world);
  const TlsHandshake seen = observe(world, options, GetParam().name);
  probe::ChainVerdict verdict;
  verdict.now = world.clock.wall_now();
  probe::judge_chain(world.trust.impl().context.get(), der_of(options.identity->chain_pem), GetParam().name, verdict);
  EXPECT_EQ(verdict.trust, seen.trust) << GetParam().says;
  EXPECT_EQ(verdict.chain, seen.chain) << GetParam().says;
}

TEST(JudgeChain, OfNothingOrGarbage) {
  World world;
  SSL_CTX* const context = world.trust.impl().context.get();
  probe::ChainVerdict none;
  probe::judge_chain(context, {}, "site.example", none);
  EXPECT_EQ(none.trust, ChainTrust::not_presented);
  probe::ChainVerdict garbage;
  probe::judge_chain(context, {"no certificate"}, "site.example", garbage);
  EXPECT_EQ(garbage.trust, ChainTrust::invalid);
  EXPECT_THAT(garbage.chain, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Chains, PresentedChain,
    ::testing::Values(
        Chain{"a leaf of our authority", ChainTrust::trusted,
              [](const World& w) { return w.authority.issue({{"site.example"}}); }},
        Chain{"a wildcard", ChainTrust::trusted, [](const World& w) { return w.authority.issue({{"*.site.example"}}); },
              "www.site.example"},
        Chain{"expired", ChainTrust::expired,
              [](const World& w) { return w.authority.issue({{"site.example"}, -9, -2}); }},
        Chain{"not yet valid", ChainTrust::expired,
              [](const World& w) { return w.authority.issue({{"site.example"}, 2, 90}); }},
        Chain{"another name", ChainTrust::wrong_host,
              [](const World& w) { return w.authority.issue({{"other.example"}}); }},
        Chain{"signed by itself", ChainTrust::self_signed,
              [](const World&) { return Authority::self_signed({{"site.example"}}); }},
        Chain{"a root nobody trusts", ChainTrust::unknown_authority,
              [](const World&) { return Authority("State Root").issue({{"site.example"}}); }},
        Chain{"untrusted counts before expired and wrong name", ChainTrust::unknown_authority,
              [](const World&) { return Authority("State Root").issue({{"other.example"}, -9, -2}); }},
        Chain{"an address literal in the certificate", ChainTrust::trusted,
              [](const World& w) { return w.authority.issue({{"IP:127.0.0.1"}}); }, "127.0.0.1"},
        Chain{"an address literal that is not", ChainTrust::wrong_host,
              [](const World& w) { return w.authority.issue({{"site.example"}}); }, "127.0.0.1"}));

TEST(TlsHandshakes, SendNoServerNameForAnAddress) {
  World world;
  ServerOptions options;
  options.identity = world.authority.issue({{"IP:127.0.0.1"}});
  EXPECT_FALSE(observe(world, options, "127.0.0.1").server_name);
}

TEST(TlsHandshakes, JudgeByTheInstrumentsClock) {
  class OldClock final : public platform::Clock {
   public:
    [[nodiscard]] WallTime wall_now() const override { return *parse_rfc3339("2001-01-01T00:00:00Z"); }
    [[nodiscard]] MonotonicTime monotonic_now() const override { return real_.monotonic_now(); }

   private:
    platform::SystemClock real_;
  };
  World world;
  ServerOptions options;
  options.identity = world.authority.issue({{"site.example"}});
  Server server(world.loop, options);
  const OldClock old;
  const auto run = [](World& w, const OldClock& clock, std::uint16_t port) -> boost::asio::awaitable<TlsResult> {
    const probe::Timeline timeline{&clock, clock.monotonic_now()};
    ConnectOptions connect;
    connect.endpoint = {*IpAddress::parse("127.0.0.1"), port, Transport::tcp};
    connect.deadline = timeline.now() + std::chrono::milliseconds(500);
    const auto tally = std::make_shared<probe::WireTally>();
    ConnectResult connected = co_await tcp_connect(timeline, tally, std::move(connect));
    TlsOptions tls;
    tls.server_name = "site.example";
    tls.deadline = timeline.now() + std::chrono::milliseconds(300);
    co_return co_await tls_handshake(w.trust, timeline, std::move(connected.stream), std::move(tls));
  };
  EXPECT_EQ(world.loop.run(run(world, old, server.port())).observation.trust, ChainTrust::expired);
}

struct Interference {
  const char* says;
  Then then;
  FailureCode code;
  friend void PrintTo(const Interference& row, std::ostream* out) { *out << row.says; }
};

class AfterTheClientHello : public ::testing::TestWithParam<Interference> {};

TEST_P(AfterTheClientHello, TheFailureIsToldApart) {
  World world;
  ServerOptions options;
  options.identity = world.authority.issue({{"site.example"}});
  options.gate = [](std::string_view) { return GetParam().then; };
  const TlsHandshake seen = observe(world, options);
  EXPECT_EQ(seen.failure, (Failure{GetParam().code, Operation::tls_handshake})) << GetParam().says;
  EXPECT_TRUE(seen.client_hello_sent);
  EXPECT_EQ(seen.bytes_received, 0u);
  EXPECT_EQ(seen.version, "");
  EXPECT_EQ(seen.trust, ChainTrust::not_presented);
  EXPECT_EQ(seen.server_name, "site.example");
}

INSTANTIATE_TEST_SUITE_P(Acts, AfterTheClientHello,
                         ::testing::Values(Interference{"RST", Then::reset, FailureCode::connection_reset},
                                           Interference{"FIN", Then::close, FailureCode::eof_error},
                                           Interference{"silence", Then::hold,
                                                        FailureCode::generic_timeout_error}));

TEST(TlsHandshakes, KeepTheAlertThatEndedThem) {
  World world;
  ServerOptions options;
  options.raw_reply = std::string("\x15\x03\x03\x00\x02\x02\x70", 7);  // fatal unrecognized_name
  const TlsHandshake seen = observe(world, options);
  EXPECT_EQ(seen.failure, (Failure{FailureCode::ssl_failed_handshake, Operation::tls_handshake}));
  EXPECT_EQ(seen.alert, 0x70);
  EXPECT_EQ(seen.bytes_received, 7u);
}

TEST(TlsHandshakes, FailOnAnAnswerInPlainHttp) {
  World world;
  ServerOptions options;
  options.raw_reply = "HTTP/1.1 403 Forbidden\r\n\r\n";
  const TlsHandshake seen = observe(world, options);
  EXPECT_EQ(seen.failure, (Failure{FailureCode::ssl_failed_handshake, Operation::tls_handshake}));
  EXPECT_FALSE(seen.alert);
  EXPECT_GT(seen.bytes_received, 0u);
}

}  // namespace
}  // namespace kua::test
