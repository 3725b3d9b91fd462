#include "probe/step/tcp_connect.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "probe/step/contact_guard.h"
#include "tests/unit/probe_step/silent_listener.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

namespace asio = boost::asio;
using probe::ConnectOptions;
using probe::ConnectResult;

struct Attempt {
  ConnectResult result;
  probe::WireTally tally;
};

asio::awaitable<int> counted(std::shared_ptr<probe::WireTally> tally) {
  co_await farewells_said(tally);
  co_return 0;
}

Attempt connect_to(Loop& loop, const Endpoint& endpoint) {
  const platform::SystemClock clock;
  const auto tally = std::make_shared<probe::WireTally>();
  ConnectOptions options;
  options.context.host = "site.example";
  options.endpoint = endpoint;
  options.deadline = clock.monotonic_now() + std::chrono::milliseconds(200);
  const probe::Timeline timeline{&clock, clock.monotonic_now()};
  Attempt out;
  out.result = loop.run(tcp_connect(timeline, tally, std::move(options)));
  out.result.stream.reset();
  loop.run(counted(tally));
  out.tally = *tally;
  return out;
}

Endpoint local(std::uint16_t port) { return {*IpAddress::parse("127.0.0.1"), port, Transport::tcp}; }

TEST(TcpConnect, CountsWhatTheHandshakeAndTheCloseCost) {
  Loop loop;
  Server server(loop, {});
  const Attempt attempt = connect_to(loop, local(server.port()));
  EXPECT_FALSE(attempt.result.observation.failure);
  EXPECT_EQ(attempt.result.observation.host, "site.example");
  // SYN 74, ACK 66, FIN and last ACK 66 each, Ethernet included. The kernel counts the peer's FIN as a byte.
  EXPECT_EQ(attempt.tally.sent, 74u + 3 * 66u);
  const std::uint64_t fin_and_ack_in_one = 74 + 66 + 1;
  EXPECT_TRUE(attempt.tally.received == fin_and_ack_in_one || attempt.tally.received == fin_and_ack_in_one + 66);
}

TEST(TcpConnect, TellsARefusal) {
  Loop loop;
  std::uint16_t port = 0;
  {
    Server server(loop, {});
    port = server.port();
  }
  const Attempt attempt = connect_to(loop, local(port));
  EXPECT_EQ(attempt.result.observation.failure, (Failure{FailureCode::connection_refused, Operation::connect}));
  EXPECT_FALSE(attempt.result.instrument);
}

TEST(TcpConnect, WaitsNoLongerThanItsDeadline) {
  Loop loop;
  const SilentListener silent("127.0.0.1");
  const Attempt attempt = connect_to(loop, local(silent.port()));
  EXPECT_EQ(attempt.result.observation.failure, (Failure{FailureCode::generic_timeout_error, Operation::connect}));
  EXPECT_GE(attempt.result.observation.duration, std::chrono::milliseconds(200));
  EXPECT_EQ(attempt.tally.received, 0u);
}

TEST(TcpConnect, CallsALackOfDescriptorsOurOwnFailure) {
  Loop loop;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  boost::asio::steady_timer started(loop.context());  // the loop's own descriptors exist
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Attempt attempt = connect_to(loop, local(9));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(attempt.result.instrument);
}

TEST(ContactGuard, BarsWhatIsNotPublicUnlessTheListSaysSo) {
  const std::vector<Prefix> lab = {*Prefix::parse("198.18.0.0/15")};
  EXPECT_TRUE(probe::may_contact(*IpAddress::parse("93.184.216.34"), {}, {}));
  EXPECT_FALSE(probe::may_contact(*IpAddress::parse("192.168.1.1"), lab, {}));
  EXPECT_FALSE(probe::may_contact(*IpAddress::parse("127.0.0.1"), lab, {}));
  EXPECT_FALSE(probe::may_contact(*IpAddress::parse("198.18.0.1"), {}, {}));
  EXPECT_TRUE(probe::may_contact(*IpAddress::parse("198.18.0.1"), lab, {}));
}

TEST(ContactGuard, BarsTheNeighboursOfThisMachineUnderPublicAddresses) {
  const std::vector<Prefix> own = {*Prefix::parse("2a02:1:2:3::/64"), *Prefix::parse("95.56.0.0/20")};
  const std::vector<Prefix> lab = {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")};
  for (const char* neighbour : {"2a02:1:2:3::5", "95.56.15.1"}) {
    EXPECT_FALSE(probe::may_contact(*IpAddress::parse(neighbour), {}, own)) << neighbour;
    EXPECT_FALSE(probe::may_contact(*IpAddress::parse(neighbour), lab, own)) << neighbour;
    const auto told = probe::stand_in_for(*IpAddress::parse(neighbour), own);
    ASSERT_TRUE(told) << neighbour;
    EXPECT_TRUE(probe::is_home_address(*told)) << neighbour;
  }
  EXPECT_TRUE(probe::may_contact(*IpAddress::parse("2a02:1:2:4::5"), {}, own));
  EXPECT_TRUE(probe::may_contact(*IpAddress::parse("95.56.16.1"), {}, own));
  EXPECT_FALSE(probe::stand_in_for(*IpAddress::parse("95.56.16.1"), own));
  EXPECT_FALSE(probe::stand_in_for(*IpAddress::parse("192.168.1.7"), {{*Prefix::parse("192.168.1.0/24")}}))
      << "private addresses tell of no home";
}

}  // namespace
}  // namespace kua::test
