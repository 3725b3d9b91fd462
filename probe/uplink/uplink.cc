#include "probe/uplink/uplink.h"

#include <algorithm>
#include <map>
#include <utility>

#include "measurement/check.h"
#include "platform/compress/compress.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kWrongPinsKept = 8;  // more of the same tell nothing new
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kZstd = "application/zstd";

double draw() {
  constexpr double kSteps = 9007199254740992.0;  // 2^53: every double below 1 is equally likely
  return static_cast<double>(platform::random_u64() >> 11) / kSteps;
}

// The Error an answer stands for that is not a success; the message is the collector's own.
Error refusal(const ApiAnswer& answer, std::string doing) {
  const auto said = protocol::read_api_error(answer.body);
  const std::string what = said ? said->error + " (" + said->message + ")" : "no reason given";
  const bool for_good = answer.status >= 400 && answer.status < 500 && answer.status != 429;
  return Error{for_good ? ErrorKind::permission : ErrorKind::unavailable,
               "the collector answered " + std::to_string(answer.status) + ": " + what, std::move(doing)};
}

std::string batch_body(const std::vector<Spool::Item>& items) {
  std::string lines;
  for (const auto& item : items) {
    lines += item.line;
    lines.push_back('\n');
  }
  constexpr int kLevel = 3;  // the line is dearer than the CPU here: a tenth smaller than level 1
  return platform::zstd_compress(lines, kLevel);
}

}  // namespace

Uplink::Uplink(asio::any_io_executor executor, const platform::Clock& clock,
               const platform::SigningKey& key, Options options)
    : executor_(std::move(executor)),
      clock_(clock),
      key_(key),
      options_(std::move(options)),
      probe_(platform::probe_id_of(key.public_key())) {
  KUA_CHECK(!options_.endpoints.empty() && !options_.pins.empty());
  KUA_CHECK(options_.batch_records_max > 0 && options_.batch_bytes_max > 0);
  for (const auto& endpoint : options_.endpoints) peers_.push_back(Peer{endpoint, {}});
}

ApiCall Uplink::signed_post(std::string_view path, std::string content_type, std::string body) const {
  const auto input = protocol::request_signing_input("POST", path, body);
  ApiCall call;
  call.method = "POST";
  call.path = path;
  call.content_type = std::move(content_type);
  call.headers = {{std::string(protocol::kProbeHeader), probe_.text()},
                  {std::string(protocol::kSignatureHeader), platform::to_text(key_.sign(input))}};
  call.body = std::move(body);
  return call;
}

asio::awaitable<Expected<ApiAnswer>> Uplink::call(ApiCall request) {
  if (connection_ && connection_->reusable()) {
    ApiCall again = request;  // the server may have closed an idle connection: that costs one retry
    auto answer = co_await connection_->exchange(std::move(again), options_.request_deadline);
    if (answer || answer.error().kind == ErrorKind::limit) co_return answer;
  }
  drop_connection();
  Error last{ErrorKind::unavailable, "every endpoint rests after a failure", "reaching the collector"};
  for (std::size_t index = 0; index < peers_.size(); ++index) {
    if (!peers_[index].backoff.may_try(clock_.monotonic_now())) continue;
    ApiCall attempt = request;
    auto answer = co_await call_peer(index, std::move(attempt));
    if (answer) co_return answer;
    last = std::move(answer.error());
  }
  co_return std::unexpected(std::move(last));
}

asio::awaitable<Expected<ApiAnswer>> Uplink::call_peer(std::size_t index, ApiCall request) {
  Peer& peer = peers_[index];
  auto opened =
      co_await PinnedConnection::open(executor_, peer.endpoint, options_.pins, options_.connect_deadline);
  if (!opened) {
    closed_bytes_ += opened.error().wire_bytes;
    peer.backoff.failed(clock_.monotonic_now(), draw());
    if (opened.error().wrong_pin) note_wrong_pin(std::move(*opened.error().wrong_pin));
    co_return std::unexpected(std::move(opened.error().error));
  }
  connection_ = std::move(*opened);
  connected_to_ = index;
  auto answer = co_await connection_->exchange(std::move(request), options_.request_deadline);
  if (answer) {
    peer.backoff.succeeded();
  } else {
    peer.backoff.failed(clock_.monotonic_now(), draw());
    drop_connection();
  }
  co_return answer;
}

asio::awaitable<Expected<protocol::EnrolmentAnswer>> Uplink::enrol(protocol::Enrolment enrolment) {
  std::string body = protocol::write_enrolment(enrolment);
  ApiCall request = signed_post(protocol::kEnrolPath, std::string(kJson), std::move(body));
  auto answer = co_await call(std::move(request));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (answer->status != 200 && answer->status != 201) {
    co_return std::unexpected(refused(*answer, "enrolling"));
  }
  co_return protocol::read_enrolment_answer(answer->body);
}

Expected<std::vector<Spool::Item>> Uplink::next_of_backlog(Spool& spool, const Ration& ration, std::size_t batch_max,
                                                      Delivery& delivery) const {
  const std::uint64_t taken = delivery.backlog_bytes;
  const std::uint64_t left = ration.backlog_bytes > taken ? ration.backlog_bytes - taken : 0;
  if (left < kBacklogStepBytesMin) {
    auto any = spool.next_batch(1, 1);
    if (!any) return any;
    delivery.backlog_waits = !any->empty();
    return std::vector<Spool::Item>();
  }
  const std::uint64_t bytes = std::min<std::uint64_t>(left, options_.batch_bytes_max) * kBatchCompressionReckoned;
  return spool.next_batch(batch_max, std::min<std::uint64_t>(bytes, options_.batch_bytes_max));
}

asio::awaitable<Uplink::Outcome> Uplink::deliver(Spool& spool, Ration ration) {
  Outcome outcome;
  std::size_t batch_max = options_.batch_records_max;
  while (true) {
    const std::uint64_t before = wire_bytes();
    auto items = spool.next_fresh_batch(batch_max, options_.batch_bytes_max, ration.fresh_since);
    const bool is_backlog = items && items->empty();
    if (is_backlog) items = next_of_backlog(spool, ration, batch_max, outcome.delivery);
    if (!items) {
      outcome.stopped = std::move(items.error());
      co_return outcome;
    }
    if (items->empty()) co_return outcome;
    std::string body = batch_body(*items);
    outcome.delivery.bytes_sent += body.size();
    ApiCall request = signed_post(protocol::kRecordsPath, std::string(kZstd), std::move(body));
    auto answer = co_await call(std::move(request));
    if (is_backlog) outcome.delivery.backlog_bytes += wire_bytes() - before;
    if (!answer) {
      outcome.stopped = std::move(answer.error());
      co_return outcome;
    }
    if (auto settled = settle(spool, *items, *answer, outcome.delivery, batch_max); !settled) {
      outcome.stopped = std::move(settled.error());
      co_return outcome;
    }
  }
}

Expected<void> Uplink::settle(Spool& spool, const std::vector<Spool::Item>& items, const ApiAnswer& answer,
                              Delivery& delivery, std::size_t& batch_max) {
  constexpr std::string_view kDoing = "delivering records";
  if (answer.status == 200) return settle_accepted(spool, items, answer, delivery);
  const bool batch_at_fault = answer.status == 400 || answer.status == 413;
  if (batch_at_fault && items.size() > 1) {
    batch_max = items.size() / 2;  // finds the one record at fault, and delivers the others
    return {};
  }
  if (batch_at_fault) {
    ++delivery.rejected;
    batch_max = options_.batch_records_max;
    return spool.rejected(items.front(), answer.status == 413 ? "too_large" : "malformed");
  }
  if (answer.status == 401) delivery.enrolment_needed = true;
  return std::unexpected(refused(answer, std::string(kDoing)));
}

Error Uplink::refused(const ApiAnswer& answer, std::string doing) {
  if (answer.retry_after) {
    peers_[connected_to_].backoff.told_to_wait(clock_.monotonic_now(), *answer.retry_after);
    drop_connection();
  }
  return refusal(answer, std::move(doing));
}

Expected<void> Uplink::settle_accepted(Spool& spool, const std::vector<Spool::Item>& items,
                                       const ApiAnswer& answer, Delivery& delivery) {
  auto read = protocol::read_batch_answer(answer.body);
  if (!read) return std::unexpected(std::move(read.error()));
  std::map<std::string, const Spool::Item*> waiting;
  for (const auto& item : items) waiting.emplace(item.id.text(), &item);

  std::vector<Spool::Item> delivered;
  for (const auto& id : read->accepted) {
    if (const auto found = waiting.find(id); found != waiting.end()) {
      delivered.push_back(*found->second);
      waiting.erase(found);
    }
  }
  if (auto done = spool.delivered(delivered); !done) return done;
  delivery.accepted += delivered.size();
  std::size_t dropped = 0;
  for (const auto& refused : read->rejected) {
    const auto found = waiting.find(refused.id);
    if (found == waiting.end()) continue;
    if (auto done = spool.rejected(*found->second, protocol::to_string(refused.reason)); !done) return done;
    waiting.erase(found);
    ++dropped;
  }
  delivery.rejected += dropped;
  delivery.server_time = read->server_time;
  for (const auto& target : read->advice) {
    if (delivery.advice.size() < kAdviceTargetsMax) delivery.advice.push_back(target);
  }
  if (delivered.empty() && dropped == 0) {
    return fail(ErrorKind::unavailable, "the collector named none of the records it was sent",
                "delivering records");
  }
  return {};
}

asio::awaitable<Expected<void>> Uplink::heartbeat(LinkState state) {
  protocol::Heartbeat beat;
  beat.probe = probe_;
  beat.sequence = options_.heartbeat_sequence++;
  beat.link_state = state;
  std::string body = protocol::write_heartbeat(beat);
  ApiCall request = signed_post(protocol::kHeartbeatsPath, std::string(kJson), std::move(body));
  auto answer = co_await call(std::move(request));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (answer->status != 204) co_return std::unexpected(refused(*answer, "sending a heartbeat"));
  co_return Expected<void>();
}

asio::awaitable<Expected<std::optional<std::string>>> Uplink::fetch_list(CountryCode country) {
  ApiCall request;
  request.method = "GET";
  request.path = std::string(protocol::kTargetsPath) + "?country=" + country.text();
  if (!etag_.empty()) request.headers.emplace_back("If-None-Match", etag_);
  auto answer = co_await call(std::move(request));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (answer->status == 304) co_return std::optional<std::string>();
  if (answer->status != 200) co_return std::unexpected(refused(*answer, "fetching the target list"));
  etag_ = answer->etag;
  co_return std::optional<std::string>(std::move(answer->body));
}

std::vector<TlsHandshake> Uplink::take_wrong_pins() { return std::exchange(wrong_pins_, {}); }

void Uplink::note_wrong_pin(TlsHandshake seen) {
  if (wrong_pins_.size() < kWrongPinsKept) wrong_pins_.push_back(std::move(seen));
}

void Uplink::drop_connection() {
  if (connection_) closed_bytes_ += connection_->wire_bytes();
  connection_.reset();
}

std::uint64_t Uplink::wire_bytes() const {
  return closed_bytes_ + (connection_ ? connection_->wire_bytes() : 0);
}

void Uplink::line_returned() {
  for (auto& peer : peers_) peer.backoff.line_returned();
}

MonotonicTime Uplink::not_before() const {
  return std::ranges::min(peers_, {}, [](const Peer& peer) { return peer.backoff.not_before(); })
      .backoff.not_before();
}

}  // namespace kua::probe
