// The uplink against a real TLS server on loopback that answers as a collector may.
#include "probe/uplink/uplink.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <functional>

#include "collector/http/http.h"
#include "platform/compress/compress.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;
using collector::HttpRequest;
using collector::HttpResponse;

std::vector<std::string> lines_of(const std::string& body) {
  const auto text = platform::zstd_decompress(body, 1 << 20);
  EXPECT_TRUE(text);
  std::vector<std::string> lines;
  for (std::size_t at = 0; text && at < text->size();) {
    const auto end = text->find('\n', at);
    lines.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string id_in(const std::string& line) {
  const auto at = line.find("\"id\":\"");
  return line.substr(at + 6, 36);
}

class UplinkTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "uplink-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto spool = Spool::open(folder_ + "/spool.db", Spool::Options{50'000'000, std::chrono::hours(720)});
    ASSERT_TRUE(spool);
    spool_ = std::make_unique<Spool>(std::move(*spool));
    identity_ = *platform::make_tls_identity("collector.example", 30);
  }
  void TearDown() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }

  using Answer = std::function<HttpResponse(const HttpRequest&)>;
  static asio::awaitable<HttpResponse> reply(Answer answer, HttpRequest request) {
    co_return answer(request);
  }

  void serve(std::string method, std::string path, Answer answer) {
    router_.add(std::move(method), std::move(path),
                [this, answer](HttpRequest request) {
                  ++requests_;
                  return reply(answer, std::move(request));
                });
  }

  // Never, until hang_up.
  void serve_silence(std::string method, std::string path) {
    router_.add(std::move(method), std::move(path), [this](HttpRequest) { return silence(silence_); });
  }
  static asio::awaitable<HttpResponse> silence(asio::steady_timer& until) {
    boost::system::error_code cancelled;
    co_await until.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    co_return HttpResponse{503, "", "", {}};
  }
  void hang_up() {
    silence_.cancel();
    io_.restart();
    io_.poll();
  }

  Uplink uplink(std::vector<std::string> pins = {}) {
    collector::ListenerOptions options;
    options.name = "probes";
    options.endpoint = *Endpoint::parse("127.0.0.1:1", Transport::tcp);
    options.endpoint.port = 0;
    options.certificate_pem = identity_.certificate_pem;
    options.key_pem = identity_.key_pem;
    options.body_bytes_max = 1 << 20;
    auto server = collector::HttpServer::listen(io_.get_executor(), options, router_);
    EXPECT_TRUE(server);
    server_ = std::move(*server);
    Uplink::Options settings;
    settings.endpoints = {{"127.0.0.1", server_->port(), "", ""}};
    settings.pins = pins.empty() ? std::vector{identity_.spki_pin} : pins;
    settings.batch_records_max = 8;
    settings.batch_bytes_max = 1 << 20;
    settings.heartbeat_sequence = 7;
    settings.request_deadline = request_deadline_;
    return Uplink(io_.get_executor(), clock_, key_, settings);
  }

  template <typename T>
  T run(asio::awaitable<T> task) {
    std::optional<T> result;
    asio::co_spawn(io_, std::move(task), [&](std::exception_ptr problem, T value) {
      EXPECT_EQ(problem, nullptr);
      result.emplace(std::move(value));
      io_.stop();
    });
    io_.restart();
    io_.run();
    return std::move(*result);
  }

  void fill(int records, WallTime born = {}) {
    for (int i = 0; i < records; ++i) {
      RecordId::Bytes random{};
      random[15] = static_cast<std::uint8_t>(i);
      random[14] = born == WallTime() ? 0 : 1;
      Measurement measurement;
      measurement.header.time = born;
      measurement.header.id = RecordId::make(1'700'000'000'000 + i, random);
      measurement.header.software = "kua-probe/test";
      measurement.header.boot = "0123456789abcdef";
      measurement.experiment = "web_reachability";
      measurement.tier = Tier::key;
      ASSERT_TRUE(spool_->append(measurement));
    }
  }
  std::uint64_t spooled() { return spool_->level()->records; }

  asio::io_context io_{1};
  platform::SystemClock clock_;
  platform::SigningKey key_ = platform::SigningKey::generate();
  platform::TlsIdentity identity_;
  std::string folder_;
  std::unique_ptr<Spool> spool_;
  collector::Router router_;
  int requests_ = 0;
  Microseconds request_deadline_ = std::chrono::seconds(60);
  asio::steady_timer silence_{io_, std::chrono::hours(1)};
  std::unique_ptr<collector::HttpServer> server_;
};

HttpResponse accept_all(const HttpRequest& request) {
  protocol::BatchAnswer answer;
  for (const auto& line : lines_of(request.body)) answer.accepted.push_back(id_in(line));
  answer.server_time = WallTime(std::chrono::seconds(1'700'000'000));
  return HttpResponse{200, "application/json", protocol::write_batch_answer(answer), {}};
}

HttpResponse refuse(unsigned status, std::vector<std::pair<std::string, std::string>> headers = {}) {
  return HttpResponse{status, "application/json", protocol::write_api_error({"refused", "as the test wants"}),
                      std::move(headers)};
}

TEST_F(UplinkTest, EverythingAcceptedLeavesTheSpoolAndTheBodyIsSignedAsSent) {
  fill(20);
  int batches = 0;
  bool signatures_hold = true;
  serve("POST", "/v1/records", [&](const HttpRequest& request) {
    ++batches;
    const auto signature = platform::parse_signature(request.header("kua-signature"));
    const auto input = protocol::request_signing_input("POST", "/v1/records", request.body);
    signatures_hold = signatures_hold && signature &&
                      platform::verify_signature(key_.public_key(), input, *signature) &&
                      request.header("kua-probe") == platform::probe_id_of(key_.public_key()).text();
    return accept_all(request);
  });
  auto link = uplink();
  const auto outcome = run(link.deliver(*spool_, {}));
  EXPECT_FALSE(outcome.stopped) << outcome.stopped->text();
  EXPECT_EQ(outcome.delivery.accepted, 20u);
  EXPECT_EQ(batches, 3);
  EXPECT_TRUE(signatures_hold);
  EXPECT_EQ(spooled(), 0u);
}

TEST_F(UplinkTest, WithNothingLeftOfTheDayOnlyFreshRecordsGo) {
  const WallTime now = clock_.wall_now();
  fill(20);
  fill(3, now);
  serve("POST", "/v1/records", [&](const HttpRequest& request) { return accept_all(request); });
  auto link = uplink();
  const auto outcome = run(link.deliver(*spool_, {.fresh_since = now - kFreshFor, .backlog_bytes = 0}));
  EXPECT_FALSE(outcome.stopped);
  EXPECT_EQ(outcome.delivery.accepted, 3u);
  EXPECT_EQ(outcome.delivery.backlog_bytes, 0u);
  EXPECT_TRUE(outcome.delivery.backlog_waits);
  EXPECT_EQ(spooled(), 20u);
}

TEST_F(UplinkTest, SummariesGoWhateverTheirAge) {
  MinuteSummary summary;
  summary.header.id = RecordId::make(1'600'000'000'000, {});
  summary.header.software = "kua-probe/test";
  summary.header.boot = "0123456789abcdef";
  ASSERT_TRUE(spool_->append(summary));
  fill(5);
  serve("POST", "/v1/records", [&](const HttpRequest& request) { return accept_all(request); });
  auto link = uplink();
  const auto outcome =
      run(link.deliver(*spool_, {.fresh_since = clock_.wall_now() - kFreshFor, .backlog_bytes = 0}));
  EXPECT_EQ(outcome.delivery.accepted, 1u);
  EXPECT_EQ(spooled(), 5u);
}

TEST_F(UplinkTest, TheBacklogGoesBatchByBatchUntilItsRationIsUsedUp) {
  fill(40);
  serve("POST", "/v1/records", [&](const HttpRequest& request) { return accept_all(request); });
  auto link = uplink();
  const Uplink::Ration little{.fresh_since = clock_.wall_now() - kFreshFor, .backlog_bytes = 12'000};
  const auto first = run(link.deliver(*spool_, little));
  EXPECT_GE(first.delivery.accepted, 8u);
  EXPECT_LT(first.delivery.accepted, 40u);
  EXPECT_GT(first.delivery.backlog_bytes, 0u);
  EXPECT_LE(first.delivery.backlog_bytes, little.backlog_bytes);
  EXPECT_TRUE(first.delivery.backlog_waits);
  const Uplink::Ration plenty{.fresh_since = little.fresh_since, .backlog_bytes = 1'000'000};
  const auto second = run(link.deliver(*spool_, plenty));
  EXPECT_FALSE(second.delivery.backlog_waits);
  EXPECT_EQ(first.delivery.accepted + second.delivery.accepted, 40u);
  EXPECT_EQ(spooled(), 0u);
}

TEST_F(UplinkTest, WhatNoAnswerNamesIsSentAgain) {
  fill(4);
  bool first = true;
  serve("POST", "/v1/records", [&](const HttpRequest& request) {
    if (!std::exchange(first, false)) return accept_all(request);
    protocol::BatchAnswer answer;
    answer.accepted.push_back(id_in(lines_of(request.body)[0]));
    return HttpResponse{200, "application/json", protocol::write_batch_answer(answer), {}};
  });
  auto link = uplink();
  const auto outcome = run(link.deliver(*spool_, {}));
  EXPECT_FALSE(outcome.stopped);
  EXPECT_EQ(outcome.delivery.accepted, 4u);
  EXPECT_EQ(spooled(), 0u);
}

TEST_F(UplinkTest, ARejectedRecordIsDroppedAndCountedUnderItsReason) {
  fill(2);
  serve("POST", "/v1/records", [&](const HttpRequest& request) {
    protocol::BatchAnswer answer;
    const auto lines = lines_of(request.body);
    answer.accepted.push_back(id_in(lines[0]));
    answer.rejected.push_back({id_in(lines[1]), protocol::Rejection::too_old});
    return HttpResponse{200, "application/json", protocol::write_batch_answer(answer), {}};
  });
  auto link = uplink();
  const auto outcome = run(link.deliver(*spool_, {}));
  EXPECT_EQ(outcome.delivery.rejected, 1u);
  EXPECT_EQ(spooled(), 0u);
  EXPECT_EQ(spool_->level()->losses["rejected_too_old"], 1u);
}

TEST_F(UplinkTest, AnAnswerThatNamesNothingKeepsEverything) {
  fill(3);
  serve("POST", "/v1/records", [](const HttpRequest&) {
    return HttpResponse{200, "application/json", protocol::write_batch_answer({}), {}};
  });
  auto link = uplink();
  const auto outcome = run(link.deliver(*spool_, {}));
  ASSERT_TRUE(outcome.stopped);
  EXPECT_EQ(spooled(), 3u);
}

TEST_F(UplinkTest, ABusyCollectorIsLeftAloneForAsLongAsItAsks) {
  fill(3);
  serve("POST", "/v1/records", [](const HttpRequest&) { return refuse(429, {{"Retry-After", "30"}}); });
  auto link = uplink();
  const auto before = clock_.monotonic_now();
  const auto outcome = run(link.deliver(*spool_, {}));
  ASSERT_TRUE(outcome.stopped);
  EXPECT_EQ(outcome.stopped->kind, ErrorKind::unavailable);
  EXPECT_EQ(spooled(), 3u);
  EXPECT_GE(link.not_before(), before + std::chrono::seconds(30));
  const auto again = run(link.deliver(*spool_, {}));
  EXPECT_TRUE(again.stopped);
  EXPECT_EQ(requests_, 1) << "it was not asked a second time";
}

TEST_F(UplinkTest, AnEnrolmentThatIsToldToWaitWaits) {
  serve("POST", "/v1/probes", [](const HttpRequest&) { return refuse(429, {{"Retry-After", "30"}}); });
  auto link = uplink();
  const auto before = clock_.monotonic_now();
  EXPECT_FALSE(run(link.enrol({})));
  EXPECT_GE(link.not_before(), before + std::chrono::seconds(30));
  EXPECT_FALSE(run(link.enrol({})));
  EXPECT_EQ(requests_, 1) << "it was not asked a second time";
}

TEST_F(UplinkTest, AFullDiskAtTheCollectorLosesNothing) {
  fill(3);
  serve("POST", "/v1/records", [](const HttpRequest&) { return refuse(507); });
  auto link = uplink();
  EXPECT_TRUE(run(link.deliver(*spool_, {})).stopped);
  EXPECT_EQ(spooled(), 3u);
}

TEST_F(UplinkTest, OneMalformedRecordDoesNotHoldUpTheOthers) {
  fill(8);
  const std::string bad = spool_->next_batch(8, 1 << 20)->at(5).id.text();
  serve("POST", "/v1/records", [&](const HttpRequest& request) {
    for (const auto& line : lines_of(request.body)) {
      if (id_in(line) == bad) return refuse(400);
    }
    return accept_all(request);
  });
  auto link = uplink();
  const auto outcome = run(link.deliver(*spool_, {}));
  EXPECT_FALSE(outcome.stopped);
  EXPECT_EQ(outcome.delivery.accepted, 7u);
  EXPECT_EQ(outcome.delivery.rejected, 1u);
  EXPECT_EQ(spool_->level()->losses["rejected_malformed"], 1u);
}

TEST_F(UplinkTest, AnUnknownKeyAsksForEnrolment) {
  fill(1);
  serve("POST", "/v1/records", [](const HttpRequest&) { return refuse(401); });
  auto link = uplink();
  const auto outcome = run(link.deliver(*spool_, {}));
  EXPECT_TRUE(outcome.delivery.enrolment_needed);
  EXPECT_EQ(spooled(), 1u);
}

TEST_F(UplinkTest, AWrongPinSendsNothingAndIsEvidence) {
  fill(1);
  serve("POST", "/v1/records", accept_all);
  const auto other = *platform::make_tls_identity("other.example", 30);
  auto link = uplink({other.spki_pin});
  const auto outcome = run(link.deliver(*spool_, {}));
  ASSERT_TRUE(outcome.stopped);
  EXPECT_EQ(outcome.stopped->kind, ErrorKind::permission);
  EXPECT_EQ(requests_, 0) << "no request may leave before the pin has matched";
  EXPECT_EQ(spooled(), 1u);
  const auto seen = link.take_wrong_pins();
  ASSERT_EQ(seen.size(), 1u);
  const Certificate& leaf = seen[0].chain.at(0);
  EXPECT_EQ(leaf.sha256.size(), 64u);
  EXPECT_EQ(leaf.spki_sha256.size(), 64u);
  EXPECT_TRUE(leaf.der.empty() && leaf.subject.empty() && leaf.issuer.empty()) << "they may name the collector";
  EXPECT_TRUE(link.take_wrong_pins().empty());
}

TEST_F(UplinkTest, HeartbeatsCountUpwards) {
  std::vector<std::uint64_t> sequences;
  serve("POST", "/v1/heartbeats", [&](const HttpRequest& request) {
    const auto beat = protocol::read_heartbeat(request.body);
    if (beat) sequences.push_back(beat->sequence);
    return HttpResponse{204, "", "", {}};
  });
  auto link = uplink();
  EXPECT_TRUE(run(link.heartbeat(LinkState::online)));
  EXPECT_TRUE(run(link.heartbeat(LinkState::international_cut)));
  EXPECT_EQ(sequences, (std::vector<std::uint64_t>{7, 8}));
}

TEST_F(UplinkTest, ACollectorThatNeverAnswersCostsWhatWasSentToIt) {
  fill(3);
  request_deadline_ = std::chrono::milliseconds(200);
  serve("POST", "/v1/heartbeats", [](const HttpRequest&) { return HttpResponse{204, "", "", {}}; });
  serve_silence("POST", "/v1/records");
  auto link = uplink();
  EXPECT_TRUE(run(link.heartbeat(LinkState::online)));
  const std::uint64_t before = link.wire_bytes();
  EXPECT_GT(before, 1'000u) << "a handshake";
  const auto outcome = run(link.deliver(*spool_, {}));
  ASSERT_TRUE(outcome.stopped);
  const std::uint64_t after = link.wire_bytes();
  ASSERT_GT(after, before);
  EXPECT_GT(after - before, outcome.delivery.bytes_sent);
  EXPECT_LT(after - before, 20'000u);
  hang_up();
}

TEST_F(UplinkTest, AHandshakeThatIsNeverAnsweredCostsItsHello) {
  asio::ip::tcp::acceptor silent(io_, {asio::ip::address_v4::loopback(), 0});
  Uplink::Options settings;
  settings.endpoints = {{"127.0.0.1", silent.local_endpoint().port(), "", ""}};
  settings.pins = {identity_.spki_pin};
  settings.batch_records_max = 8;
  settings.batch_bytes_max = 1 << 20;
  settings.connect_deadline = std::chrono::milliseconds(200);
  Uplink link(io_.get_executor(), clock_, key_, settings);
  EXPECT_FALSE(run(link.heartbeat(LinkState::online)));
  EXPECT_GT(link.wire_bytes(), 300u);
  EXPECT_LT(link.wire_bytes(), 5'000u);
}

TEST_F(UplinkTest, AListIsFetchedOnceAndThenAskedForByItsTag) {
  serve("GET", "/v1/targets", [&](const HttpRequest& request) {
    EXPECT_EQ(request.query.at("country"), "KZ");
    if (request.header("if-none-match") == "\"v1\"") return HttpResponse{304, "", "", {}};
    return HttpResponse{200, "application/json", "envelope", {{"ETag", "\"v1\""}}};
  });
  auto link = uplink();
  const auto first = run(link.fetch_list(*CountryCode::parse("KZ")));
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, "envelope");
  const auto second = run(link.fetch_list(*CountryCode::parse("KZ")));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->has_value());
}

}  // namespace
}  // namespace kua::probe
