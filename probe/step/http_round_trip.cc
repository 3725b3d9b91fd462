#include "probe/step/http_round_trip.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "probe/limits.h"
#include "probe/step/scrub.h"
#include "wire/alt_svc.h"
#include "wire/html_title.h"

namespace kua::probe {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr std::size_t kReadChunkBytes = 16 * 1024;
constexpr int kInformationalMax = 8;  // 1xx answers before the real one; honest servers send one or two

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Beast's view of HttpBody: the parser hands it de-chunked bytes as they come, nothing is copied.
struct StreamedBody {
  using value_type = HttpBody*;
  class reader {
   public:
    template <bool IsRequest, typename Fields>
    reader(http::header<IsRequest, Fields>& header, value_type& body) : body_(body) {
      // Beast's concept check brings a model of fields along that is never used.
      if constexpr (std::is_base_of_v<http::fields, http::header<IsRequest, Fields>>) fields_ = &header;
    }
    void init(const boost::optional<std::uint64_t>& /*length*/, beast::error_code& problem) {
      body_->begin(parse_content_coding(view((*fields_)[http::field::content_encoding])));
      problem = {};
    }
    template <typename Buffers>
    std::size_t put(const Buffers& buffers, beast::error_code& problem) {
      problem = {};
      for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers); ++at) {
        const asio::const_buffer part = *at;
        body_->take({static_cast<const char*>(part.data()), part.size()});
      }
      if (body_->end() != BodyEnd::open) problem = http::error::body_limit;
      return beast::buffer_bytes(buffers);
    }
    void finish(beast::error_code& problem) { problem = {}; }

   private:
    const http::fields* fields_ = nullptr;  // fills up after this is made
    value_type& body_;
  };
};

using Parser = http::response_parser<StreamedBody>;

std::string request_text(const HttpOptions& options) {
  std::string out;
  out.reserve(512);
  out += options.method == HttpMethod::get ? "GET " : "HEAD ";
  out += options.target;
  out += " HTTP/1.1\r\nHost: ";
  out += options.authority;
  out +=
      "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
      "Accept-Language: en-US,en;q=0.5\r\n"
      "Accept-Encoding: gzip, deflate\r\n"
      "Connection: keep-alive\r\n"
      "Upgrade-Insecure-Requests: 1\r\n\r\n";
  return out;
}

// Reads one response; what it saw stays here whatever ends it.
class Reception {
 public:
  Reception(const HttpOptions& options, HttpBody& body) : head_only_(options.method == HttpMethod::head) {
    start_parser(body);
  }

  // Takes what has come. Says whether the response is over, well or badly.
  bool feed(std::string_view come, HttpBody& body) {
    received_ += come.size();
    const bool begun = !unread_.empty();  // with a part that the parser could not use alone
    if (begun) unread_ += come;
    std::string_view left = begun ? std::string_view(unread_) : come;
    const bool over = parse(left, body);
    if (begun) {
      unread_.erase(0, unread_.size() - left.size());
    } else {
      unread_ = left;
    }
    return over;
  }

  void note_arrival(Microseconds offset) noexcept { last_byte_ = offset; }
  [[nodiscard]] Microseconds last_byte() const noexcept { return last_byte_; }

  // The peer ended the stream. Says whether that ends the response well.
  bool feed_end() {
    beast::error_code problem;
    if (!parser_->got_some()) return false;
    parser_->put_eof(problem);
    return !problem;
  }

  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  [[nodiscard]] bool has_head() const { return parser_->is_header_done(); }
  [[nodiscard]] Operation where() const {
    return has_head() ? Operation::read : Operation::http_round_trip;
  }
  [[nodiscard]] const Parser& parser() const { return *parser_; }
  [[nodiscard]] bool malformed() const noexcept { return malformed_; }
  [[nodiscard]] bool head_too_big() const noexcept { return head_too_big_; }

 private:
  void start_parser(HttpBody& body) {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(boost::none);
    parser_->eager(true);
    parser_->skip(head_only_);
    parser_->get().body() = &body;
  }

  // Leaves in `left` what is not used yet.
  bool parse(std::string_view& left, HttpBody& body) {
    while (!left.empty()) {
      beast::error_code problem;
      left.remove_prefix(parser_->put(asio::const_buffer(left.data(), left.size()), problem));
      if (problem == http::error::need_more) break;
      if (problem) return end_badly(problem);
      if (!parser_->is_done()) continue;
      if (parser_->get().result_int() / 100 != 1) return true;
      if (++informational_ > kInformationalMax) return end_badly(http::error::bad_status);
      start_parser(body);
    }
    if (left.size() <= kHeaderBytesMax) return false;
    head_too_big_ = true;  // a head, a chunk's extension or a trailer without end
    return true;
  }

  bool end_badly(const beast::error_code& problem) {
    if (problem == http::error::header_limit) {
      head_too_big_ = true;
    } else if (problem != http::error::body_limit) {
      malformed_ = true;
    }
    return true;
  }

  bool head_only_;
  std::optional<Parser> parser_;
  std::string unread_;
  std::uint64_t received_ = 0;
  Microseconds last_byte_{0};
  int informational_ = 0;
  bool malformed_ = false;
  bool head_too_big_ = false;
};

void keep_head(const Parser& parser, const HttpOptions& options, HttpResult& out) {
  const auto& head = parser.get();
  HttpRoundTrip& observation = out.observation;
  observation.status = static_cast<std::uint16_t>(head.result_int());
  for (const auto& field : head) {
    if (observation.headers.size() == kHeaderFieldsKept) {
      ++out.limits["header_fields"];
      break;
    }
    std::string_view value = view(field.value());
    if (value.size() > kHeaderValueBytesKept) {
      value = value.substr(0, kHeaderValueBytesKept);
      ++out.limits["header_value_bytes"];
    }
    observation.headers.emplace_back(view(field.name_string()), value);
  }
  out.date = view(head[http::field::date]);
  if (head.result_int() / 100 == 3) out.location = view(head[http::field::location]);
  out.http3_port = wire::http3_port(view(head["Alt-Svc"]));
  observation.over_tls = options.over == HttpOptions::Over::tls;
}

void keep_body(HttpBody& body, const HttpOptions& options, HttpResult& out) {
  HttpRoundTrip& observation = out.observation;
  observation.body_bytes = body.decoded_bytes();
  observation.body_sha256 = body.sha256();
  const std::string& prefix = body.prefix();
  const std::span page(reinterpret_cast<const std::uint8_t*>(prefix.data()), prefix.size());
  observation.title = wire::html_title(page, kTitleBytesKept).value_or("");
  const bool suspect = options.over == HttpOptions::Over::tcp ||
                       options.sample == HttpOptions::Sample::always ||
                       observation.status.value_or(0) >= 400;
  if (suspect) observation.body_sample = prefix.substr(0, kBodySampleBytes);
  // The scrubber judges the hash by the sample; of what the sample leaves out it sees nothing.
  const bool is_sampled = observation.body_sample.size() == prefix.size();
  if (!is_sampled && holds_address(prefix)) observation.body_sha256.clear();
  switch (body.end()) {
    case BodyEnd::open:
      return;
    case BodyEnd::wire_bytes:
      ++out.limits["body_wire_bytes"];
      break;
    case BodyEnd::decoded_bytes:
      ++out.limits["body_bytes"];
      break;
    case BodyEnd::compression_ratio:
      ++out.limits["compression_ratio"];
      break;
    case BodyEnd::broken_coding:
      ++out.limits["broken_coding"];
      break;
  }
  observation.body_truncated = true;
}

// Reads what there is. The buffer is the thread's stack: a response that waits for more holds none.
// Returns the read that ended it; `done` when the response is over.
IoResult take_available(Timeline timeline, ByteStream& stream, Reception& reception, HttpBody& body,
                        MonotonicTime deadline) {
  std::array<char, kReadChunkBytes> chunk;
  while (true) {
    const IoResult got = stream.read_some(chunk);
    if (got.kind != IoResult::Kind::done) return got;
    reception.note_arrival(timeline.offset());
    if (reception.feed({chunk.data(), got.bytes}, body)) return got;
    // A peer that always has more never lets us wait.
    if (timeline.now() > deadline) return {IoResult::Kind::failed, 0, FailureCode::generic_timeout_error};
  }
}

// Reads until the response is over. nullopt: it came to a good end, or a limit of ours ended it.
asio::awaitable<std::optional<Failure>> receive(Timeline timeline, ByteStream& stream, Reception& reception,
                                                HttpBody& body, MonotonicTime deadline) {
  Ready ready = Ready::yes;
  while (true) {
    const IoResult got = take_available(timeline, stream, reception, body, deadline);
    switch (got.kind) {
      case IoResult::Kind::done:
        if (!reception.malformed()) co_return std::nullopt;
        co_return Failure{FailureCode::http_request_failed, reception.where()};
      case IoResult::Kind::closed:
        if (reception.feed_end()) co_return std::nullopt;
        co_return Failure{FailureCode::eof_error, reception.where()};
      case IoResult::Kind::failed:
        co_return Failure{got.code, reception.where()};
      case IoResult::Kind::want_read:
      case IoResult::Kind::want_write:
        break;
    }
    // As read() does: one last attempt after the deadline.
    if (ready == Ready::expired) co_return Failure{FailureCode::generic_timeout_error, reception.where()};
    const bool reads = got.kind == IoResult::Kind::want_read;
    ready = co_await stream.tcp().wait(reads ? WaitFor::readable : WaitFor::writable, deadline);
  }
}

}  // namespace

asio::awaitable<HttpResult> http_round_trip(Timeline timeline, ByteStream& stream, HttpOptions options) {
  HttpResult out;
  HttpRoundTrip& observation = out.observation;
  static_cast<StepContext&>(observation) = options.context;
  observation.endpoint = options.endpoint;
  observation.url = options.url;
  observation.method = options.method == HttpMethod::get ? "GET" : "HEAD";
  observation.over_tls = options.over == HttpOptions::Over::tls;
  observation.offset = timeline.offset();

  HttpBody body(options.body);
  Reception reception(options, body);
  const std::string request = request_text(options);
  const IoResult sent = co_await write(stream, request, options.deadline);
  observation.request_sent = sent.kind == IoResult::Kind::done;
  if (observation.request_sent) {
    observation.failure = co_await receive(timeline, stream, reception, body, options.deadline);
  } else {
    const bool closed = sent.kind == IoResult::Kind::closed;
    observation.failure = Failure{closed ? FailureCode::eof_error : sent.code, Operation::write};
  }
  observation.duration = timeline.offset() - observation.offset;
  observation.bytes_received = reception.received();
  if (observation.bytes_received > 0) observation.last_byte = reception.last_byte() - observation.offset;
  if (reception.head_too_big()) ++out.limits["header_bytes"];
  if (reception.malformed()) ++out.limits["malformed_http"];
  if (reception.has_head()) keep_head(reception.parser(), options, out);
  keep_body(body, options, out);
  if (observation.body_truncated || observation.failure) stream.tcp().close_in_the_middle();
  co_return out;
}

}  // namespace kua::probe
