#include "probe/step/http_round_trip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "probe/step/tcp_connect.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::ConnectOptions;
using probe::ConnectResult;
using probe::HttpOptions;
using probe::HttpResult;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

struct Exchange {
  HttpResult result;
  std::vector<std::string> requests;
};

boost::asio::awaitable<HttpResult> trip(const platform::Clock& clock, std::uint16_t port, HttpOptions options) {
  const probe::Timeline timeline{&clock, clock.monotonic_now()};
  const auto tally = std::make_shared<probe::WireTally>();
  ConnectOptions connect;
  connect.endpoint = {*IpAddress::parse("127.0.0.1"), port, Transport::tcp};
  connect.deadline = timeline.now() + std::chrono::milliseconds(500);
  ConnectResult connected = co_await tcp_connect(timeline, tally, std::move(connect));
  options.deadline = timeline.now() + std::chrono::milliseconds(300);
  co_return co_await http_round_trip(timeline, *connected.stream, std::move(options));
}

Exchange exchange(Reply reply, probe::HttpMethod method = probe::HttpMethod::get) {
  Loop loop;
  const platform::SystemClock clock;
  ServerOptions server_options;
  server_options.respond = [&reply](std::string_view) { return reply; };
  Server server(loop, server_options);
  HttpOptions options;
  options.url = "http://site.example/";
  options.authority = "site.example";
  options.target = "/";
  options.method = method;
  options.body = {100'000, 200'000};
  Exchange out;
  out.result = loop.run(trip(clock, server.port(), std::move(options)));
  out.requests = server.requests();
  return out;
}

TEST(HttpRoundTrips, AskAsABrowserDoes) {
  const Exchange seen = exchange({page("T")});
  ASSERT_THAT(seen.requests, SizeIs(1));
  EXPECT_THAT(seen.requests[0], HasSubstr("GET / HTTP/1.1\r\nHost: site.example\r\nUser-Agent: Mozilla/"));
  EXPECT_TRUE(seen.result.observation.request_sent);
}

TEST(HttpRoundTrips, KeepWhatAFingerprintNeeds) {
  const Exchange seen = exchange({page("Access &amp; denied", 9'000)});
  const HttpRoundTrip& trip = seen.result.observation;
  EXPECT_FALSE(trip.failure);
  EXPECT_EQ(trip.status, 200);
  EXPECT_EQ(trip.title, "Access & denied");
  EXPECT_EQ(trip.body_bytes, 9'000u);
  EXPECT_THAT(trip.body_sample, SizeIs(probe::kBodySampleBytes)) << "over plain HTTP";
  EXPECT_THAT(trip.headers, Contains(Pair("Content-Type", "text/html")));
  EXPECT_GT(trip.bytes_received, 9'000u);
  EXPECT_EQ(seen.result.date, "Tue, 04 Jan 2022 16:45:00 GMT");
  EXPECT_THAT(seen.result.limits, IsEmpty());
}

TEST(HttpRoundTrips, KeepNoHashOfWhatTheSampleLeavesOut) {
  EXPECT_THAT(exchange({page("T", 9'000)}).result.observation.body_sha256, SizeIs(64));
  EXPECT_THAT(exchange({page("For 192.0.2.77", 1'000)}).result.observation.body_sha256, SizeIs(64))
      << "the scrubber sees all of it";
  EXPECT_THAT(exchange({page("For 192.0.2.77", 9'000)}).result.observation.body_sha256, IsEmpty());
}

struct Answer {
  const char* says;
  Reply reply;
  std::optional<Failure> failure;
  std::optional<int> status;
  std::vector<std::string> limits;
  friend void PrintTo(const Answer& row, std::ostream* out) { *out << row.says; }
};

const Failure kEofInHead{FailureCode::eof_error, Operation::http_round_trip};
const Failure kEofInBody{FailureCode::eof_error, Operation::read};

class Hostile : public ::testing::TestWithParam<Answer> {};

TEST_P(Hostile, EndsInAResult) {
  const Answer& expected = GetParam();
  const Exchange seen = exchange(expected.reply);
  const HttpRoundTrip& trip = seen.result.observation;
  EXPECT_EQ(trip.failure, expected.failure)
      << expected.says << (trip.failure ? to_string(trip.failure->code) : " no failure");
  EXPECT_EQ(trip.status ? std::optional<int>(*trip.status) : std::nullopt, expected.status) << expected.says;
  std::vector<std::string> limits;
  for (const auto& [name, count] : seen.result.limits) limits.push_back(name);
  EXPECT_EQ(limits, expected.limits) << expected.says;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, Hostile,
    ::testing::Values(
        Answer{"nothing, then FIN", {"", Then::close}, kEofInHead, {}, {}},
        Answer{"nothing, then RST", {"", Then::reset},
               Failure{FailureCode::connection_reset, Operation::http_round_trip}, {}, {}},
        Answer{"silence", {"", Then::hold},
               Failure{FailureCode::generic_timeout_error, Operation::http_round_trip}, {}, {}},
        Answer{"half a head", {"HTTP/1.1 200 OK\r\nServer: x\r\n", Then::close}, kEofInHead, {}, {}},
        Answer{"no HTTP", {"SSH-2.0-OpenSSH\r\n\r\n\r\n", Then::close},
               Failure{FailureCode::http_request_failed, Operation::http_round_trip}, {}, {"malformed_http"}},
        Answer{"a body shorter than it says", {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Then::close},
               kEofInBody, 200, {}},
        Answer{"a body that freezes", {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Then::hold},
               Failure{FailureCode::generic_timeout_error, Operation::read}, 200, {}},
        Answer{"a chunk that never ends",
               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nabc", Then::close}, kEofInBody, 200, {}},
        Answer{"chunks of garbage",
               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", Then::close},
               Failure{FailureCode::http_request_failed, Operation::read}, 200, {"malformed_http"}},
        Answer{"an endless body", {"HTTP/1.1 200 OK\r\n\r\nx", Then::forever}, {}, 200, {"body_wire_bytes"}},
        Answer{"an endless head", {"HTTP/1.1 200 OK\r\nX: x", Then::forever}, {}, {}, {"header_bytes"}},
        Answer{"a chunk's extension without end",
               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x", Then::forever}, {}, 200,
               {"header_bytes"}},
        Answer{"a coding that it is not",
               {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", Then::close},
               {}, 200, {"broken_coding"}},
        Answer{"an end that only the closing tells", {"HTTP/1.0 200 OK\r\n\r\nbody", Then::close}, {}, 200, {}},
        Answer{"a hint before the answer",
               {"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                Then::close}, {}, 404, {}},
        Answer{"no body where none may be", {"HTTP/1.1 204 No Content\r\n\r\n", Then::hold}, {}, 204, {}}));

TEST(HttpRoundTrips, KeepABoundedNumberOfHeaders) {
  std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  for (int i = 0; i < 100; ++i) head += "X-" + std::to_string(i) + ": " + std::string(20, 'v') + "\r\n";
  head += "\r\n";
  const Exchange seen = exchange({head});
  EXPECT_THAT(seen.result.observation.headers, SizeIs(probe::kHeaderFieldsKept));
  EXPECT_THAT(seen.result.limits, ElementsAre(Pair("header_fields", 1)));
}

TEST(HttpRoundTrips, HandARedirectOn) {
  const Exchange seen =
      exchange({"HTTP/1.1 302 Found\r\nLocation: /next?a=b\r\nContent-Length: 0\r\n\r\n", Then::close});
  EXPECT_EQ(seen.result.location, "/next?a=b");
  EXPECT_EQ(exchange({"HTTP/1.1 200 OK\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"}).result.location, "");
}

TEST(HttpRoundTrips, AskForTheHeadAlone) {
  const Exchange seen =
      exchange({"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", Then::hold}, probe::HttpMethod::head);
  EXPECT_FALSE(seen.result.observation.failure);
  EXPECT_EQ(seen.result.observation.body_bytes, 0u);
  EXPECT_THAT(seen.requests.at(0), HasSubstr("HEAD / HTTP/1.1"));
}

}  // namespace
}  // namespace kua::test
