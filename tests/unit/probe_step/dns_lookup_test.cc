#include "probe/step/dns_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <span>

#include "probe/limits.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::dns_lookup;
using probe::LookupOptions;
using probe::LookupResult;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A machine that is busy elsewhere for longer makes a test of retransmission say nothing.
constexpr std::chrono::milliseconds kStall{50};

class DnsLookup : public ::testing::Test {
 protected:
  LookupOptions options_for(const Endpoint& resolver) {
    LookupOptions options;
    options.resolver = resolver;
    options.resolver_text = "private";
    options.name = *DomainName::parse("site.example");
    options.types = {QueryType::a};
    options.deadline = clock.monotonic_now() + std::chrono::milliseconds(700);
    return options;
  }
  LookupResult ask(LookupOptions options) {
    return loop.run(dns_lookup(timeline, tally, std::move(options)));
  }
  // Lets the listener hear what is on its way, then takes it.
  std::vector<DnsReply> late_of(const LookupResult& result, QueryType type = QueryType::a) {
    while (clock.monotonic_now() < result.late->until()) {
      loop.context().restart();
      loop.context().run_one_for(result.late->until() - clock.monotonic_now());
    }
    return result.late->take(type);
  }

  Loop loop;
  platform::SystemClock clock;
  probe::Timeline timeline{&clock, clock.monotonic_now()};
  std::shared_ptr<probe::WireTally> tally = std::make_shared<probe::WireTally>();
};

TEST_F(DnsLookup, KeepsTheReplyAsItCame) {
  DnsServer server(loop, zone("site.example", {"192.0.2.1", "192.0.2.2"}));
  const LookupResult result = ask(options_for(server.endpoint()));
  ASSERT_THAT(result.observations, SizeIs(1));
  const Lookup& lookup = result.observations[0];
  EXPECT_FALSE(lookup.failure);
  ASSERT_TRUE(lookup.reply);
  EXPECT_THAT(lookup.reply->addresses,
              ElementsAre(*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2")));
  EXPECT_EQ(lookup.reply->ttl_seconds, 60u);
  EXPECT_TRUE(wire::decode_dns(wire::as_bytes(lookup.reply->raw)));
  EXPECT_EQ(lookup.reply->offset - lookup.offset, lookup.duration);
  EXPECT_EQ(result.late, nullptr);
  EXPECT_GT(tally->sent, 70u);
  EXPECT_GT(tally->received, 100u);
  EXPECT_EQ(server.queries(), 1);
}

TEST_F(DnsLookup, HoldsBackWhatIsMoreThanMayBeOpenAtOnce) {
  std::size_t asked = 0;
  std::size_t ended = 0;
  std::size_t open_at_most = 0;
  const auto answer = zone("site.example", {"192.0.2.1"});
  DnsServer server(loop, [&](const wire::DnsMessage& query) {
    open_at_most = std::max(open_at_most, ++asked - ended);
    auto replies = answer(query);
    for (TimedReply& reply : replies) reply.after = std::chrono::milliseconds(5);
    return replies;
  });
  constexpr std::size_t kLookups = 2 * probe::kLookupsOpenMax + 3;
  std::vector<LookupResult> results(kLookups);
  for (LookupResult& result : results) {
    boost::asio::co_spawn(loop.context(), dns_lookup(timeline, tally, options_for(server.endpoint())),
                          [&](const std::exception_ptr& problem, LookupResult come) {
                            ASSERT_FALSE(problem);
                            result = std::move(come);
                            ++ended;
                          });
  }
  const auto latest = clock.monotonic_now() + std::chrono::seconds(20);
  while (ended < kLookups && clock.monotonic_now() < latest) {
    loop.context().restart();
    loop.context().run_one_for(std::chrono::seconds(1));
  }
  ASSERT_EQ(ended, kLookups);
  EXPECT_LE(open_at_most, probe::kLookupsOpenMax);
  EXPECT_GT(open_at_most, 1u);
  for (const LookupResult& result : results) {
    ASSERT_THAT(result.observations, SizeIs(1));
    EXPECT_TRUE(result.observations[0].reply);
    EXPECT_FALSE(result.instrument);
  }
}

TEST_F(DnsLookup, AsksForBothTypesOnOneChannel) {
  DnsServer server(loop, zone("site.example", {"192.0.2.1", "2001:db8::1"}));
  LookupOptions options = options_for(server.endpoint());
  options.types = {QueryType::a, QueryType::aaaa};
  const LookupResult result = ask(std::move(options));
  ASSERT_THAT(result.observations, SizeIs(2));
  EXPECT_THAT(result.observations[0].reply->addresses, ElementsAre(*IpAddress::parse("192.0.2.1")));
  EXPECT_THAT(result.observations[1].reply->addresses, ElementsAre(*IpAddress::parse("2001:db8::1")));
  EXPECT_EQ(server.queries(), 2);
}

struct Rcode {
  std::uint16_t rcode;
  FailureCode code;
};
class DnsRcode : public DnsLookup, public ::testing::WithParamInterface<Rcode> {};

TEST_P(DnsRcode, IsHandedOnAtOnce) {
  DnsServer server(loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{{wire::reply_to(query, GetParam().rcode)}};
  });
  const LookupResult result = ask(options_for(server.endpoint()));
  EXPECT_EQ(result.observations.at(0).failure, (Failure{GetParam().code, Operation::resolve}));
  EXPECT_EQ(result.observations.at(0).reply->rcode, GetParam().rcode);
  EXPECT_EQ(server.queries(), 1);
}
INSTANTIATE_TEST_SUITE_P(Codes, DnsRcode,
                         ::testing::Values(Rcode{wire::kDnsNoError, FailureCode::dns_no_answer},
                                           Rcode{wire::kDnsNxDomain, FailureCode::dns_nxdomain_error},
                                           Rcode{wire::kDnsServFail, FailureCode::dns_servfail_error},
                                           Rcode{wire::kDnsRefused, FailureCode::dns_refused_error},
                                           Rcode{4, FailureCode::dns_server_misbehaving}));

TEST_F(DnsLookup, AsksThreeTimesBeforeItGivesUp) {
  DnsServer server(loop, [](const wire::DnsMessage&) { return std::vector<TimedReply>{}; });
  LookupOptions options = options_for(server.endpoint());
  options.deadline = clock.monotonic_now() + std::chrono::milliseconds(1400);
  options.late_wait = std::chrono::milliseconds(50);
  const MonotonicTime deadline = options.deadline;
  const LookupResult result = ask(std::move(options));
  if (clock.monotonic_now() - deadline > kStall) GTEST_SKIP() << "the machine stalled";
  EXPECT_EQ(result.observations.at(0).failure,
            (Failure{FailureCode::generic_timeout_error, Operation::resolve}));
  EXPECT_FALSE(result.observations.at(0).reply);
  EXPECT_EQ(result.late, nullptr);
  EXPECT_EQ(server.queries(), 3);
}

TEST_F(DnsLookup, TellsARefusedPortFromSilence) {
  Endpoint gone{*IpAddress::parse("127.0.0.1"), 0, Transport::udp};
  {
    DnsServer server(loop, zone("site.example", {}));
    gone = server.endpoint();
  }
  const LookupResult result = ask(options_for(gone));
  EXPECT_EQ(result.observations.at(0).failure,
            (Failure{FailureCode::connection_refused, Operation::resolve}));
}

TEST_F(DnsLookup, HearsTheTrueAnswerBehindAForgedOne) {
  DnsServer server(loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{{addresses_reply(query, {"10.10.34.35"})},
                                   {addresses_reply(query, {"192.0.2.1"}), std::chrono::milliseconds(10)}};
  });
  LookupOptions options = options_for(server.endpoint());
  options.late_wait = std::chrono::milliseconds(60);
  const LookupResult result = ask(std::move(options));
  EXPECT_THAT(result.observations.at(0).reply->addresses, ElementsAre(*IpAddress::parse("10.10.34.35")));
  EXPECT_LT(result.observations.at(0).duration, std::chrono::milliseconds(60)) << "it must not wait";
  const auto late = late_of(result);
  ASSERT_THAT(late, SizeIs(1));
  EXPECT_THAT(late[0].addresses, ElementsAre(*IpAddress::parse("192.0.2.1")));
}

TEST_F(DnsLookup, DoesNotMistakeARepeatedAnswerForASecondOne) {
  DnsServer server(loop, [](const wire::DnsMessage& query) {
    return std::vector<TimedReply>{
        {addresses_reply(query, {"192.0.2.1", "192.0.2.2"})},
        {addresses_reply(query, {"192.0.2.2", "192.0.2.1"}), std::chrono::milliseconds(5)}};
  });
  LookupOptions options = options_for(server.endpoint());
  options.late_wait = std::chrono::milliseconds(40);
  const LookupResult result = ask(std::move(options));
  EXPECT_THAT(late_of(result), IsEmpty());
}

TEST_F(DnsLookup, AllowsOneAnswerForEachCopySent) {
  // The first copy's answer is slow; both copies are answered, differently, by a balancing server.
  int queries = 0;
  DnsServer server(loop, [&queries](const wire::DnsMessage& query) {
    ++queries;
    const std::string address = "192.0.2." + std::to_string(queries);
    return std::vector<TimedReply>{{addresses_reply(query, {address}), std::chrono::milliseconds(300)}};
  });
  LookupOptions options = options_for(server.endpoint());
  options.deadline = clock.monotonic_now() + std::chrono::milliseconds(1400);  // a copy after 200 ms
  options.late_wait = std::chrono::milliseconds(400);
  const MonotonicTime deadline = options.deadline;
  const LookupResult result = ask(std::move(options));
  if (clock.monotonic_now() - deadline > kStall) GTEST_SKIP() << "the machine stalled";
  ASSERT_TRUE(result.observations.at(0).reply);
  EXPECT_THAT(late_of(result), IsEmpty());
  EXPECT_EQ(server.queries(), 2);
}

// The same port over TCP, for one truncated answer.
boost::asio::awaitable<void> answer_over_tcp(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor) {
  const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  auto [problem, socket] = co_await acceptor->async_accept(token);
  if (problem) co_return;
  std::array<std::uint8_t, 514> bytes{};
  const boost::asio::mutable_buffer into = boost::asio::buffer(bytes);
  const auto [failed, count] = co_await socket.async_read_some(into, token);
  if (failed) co_return;
  const auto query = wire::decode_dns(std::span(bytes).subspan(2, count - 2));
  const auto reply = wire::encode_dns(addresses_reply(*query, {"192.0.2.9"}));
  wire::Bytes framed;
  wire::put_u16(framed, static_cast<std::uint16_t>(reply->size()));
  wire::put_bytes(framed, *reply);
  const boost::asio::const_buffer out = boost::asio::buffer(framed);
  const auto [broken, sent] = co_await boost::asio::async_write(socket, out, token);
  EXPECT_FALSE(broken);
  EXPECT_EQ(sent, framed.size());
}

TEST_F(DnsLookup, AsksOverTcpWhenTheAnswerIsCutShort) {
  using boost::asio::ip::tcp;
  // An address of its own, so that the port which TCP was given is free for UDP too.
  const std::string address = "127.0.0.77";
  const tcp::endpoint any_port(boost::asio::ip::make_address(address), 0);
  const auto acceptor = std::make_shared<tcp::acceptor>(loop.context(), any_port);
  const auto cut_short = [](const wire::DnsMessage& query) {
    wire::DnsMessage reply = wire::reply_to(query, wire::kDnsNoError);
    reply.header.truncated = true;
    return std::vector<TimedReply>{{reply}};
  };
  DnsServer server(loop, cut_short, address, acceptor->local_endpoint().port());
  boost::asio::co_spawn(loop.context(), answer_over_tcp(acceptor), boost::asio::detached);
  const LookupResult result = ask(options_for(server.endpoint()));
  ASSERT_TRUE(result.observations.at(0).reply);
  EXPECT_THAT(result.observations[0].reply->addresses, ElementsAre(*IpAddress::parse("192.0.2.9")));
  EXPECT_FALSE(result.observations[0].failure);
}

TEST_F(DnsLookup, IgnoresRepliesToOtherQuestions) {
  DnsServer server(loop, [](const wire::DnsMessage& query) {
    wire::DnsMessage other = addresses_reply(query, {"192.0.2.66"});
    other.questions[0].name = "other.example";
    wire::DnsMessage stranger = addresses_reply(query, {"192.0.2.67"});
    stranger.header.id ^= 1;
    return std::vector<TimedReply>{{other}, {stranger},
                                   {addresses_reply(query, {"192.0.2.1"}), std::chrono::milliseconds(5)}};
  });
  const LookupResult result = ask(options_for(server.endpoint()));
  ASSERT_TRUE(result.observations.at(0).reply);
  EXPECT_THAT(result.observations[0].reply->addresses, ElementsAre(*IpAddress::parse("192.0.2.1")));
}

TEST_F(DnsLookup, ScrubsClientSubnets) {
  DnsServer server(loop, [](const wire::DnsMessage& query) {
    wire::DnsMessage reply = addresses_reply(query, {"192.0.2.1"});
    if (!reply.edns) reply.edns.emplace();
    reply.edns->options.push_back({wire::kDnsOptionClientSubnet, {0, 1, 24, 0, 198, 51, 100}});
    return std::vector<TimedReply>{{reply}};
  });
  const LookupResult result = ask(options_for(server.endpoint()));
  ASSERT_TRUE(result.observations.at(0).reply);
  EXPECT_EQ(result.observations[0].reply->raw.find("\xc6\x33\x64"), std::string::npos);
}

}  // namespace
}  // namespace kua::test
