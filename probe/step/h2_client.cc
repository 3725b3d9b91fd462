#include "probe/step/h2_client.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

#include "measurement/check.h"
#include "probe/limits.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kReadChunkBytes = 16 * 1024;

struct SessionDelete {
  void operator()(nghttp2_session* p) const noexcept { nghttp2_session_del(p); }
};
struct CallbacksDelete {
  void operator()(nghttp2_session_callbacks* p) const noexcept { nghttp2_session_callbacks_del(p); }
};

// The exchange, as nghttp2's callbacks see it.
class Exchange {
 public:
  Exchange(Timeline timeline, const std::vector<H2Request>& requests)
      : timeline_(timeline), responses_(requests.size()), streams_(requests.size(), -1) {
    nghttp2_session_callbacks* raw = nullptr;
    KUA_CHECK(nghttp2_session_callbacks_new(&raw) == 0);
    const std::unique_ptr<nghttp2_session_callbacks, CallbacksDelete> callbacks(raw);
    nghttp2_session_callbacks_set_on_header_callback(raw, &on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, &on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(raw, &on_close);
    nghttp2_session* session = nullptr;
    KUA_CHECK(nghttp2_session_client_new(&session, raw, this) == 0);
    session_.reset(session);
    const nghttp2_settings_entry no_push{NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    KUA_CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &no_push, 1) == 0);
    for (std::size_t i = 0; i < requests.size(); ++i) streams_[i] = submit(requests[i]);
  }

  [[nodiscard]] std::string_view next_output() {
    const std::uint8_t* data = nullptr;
    const ssize_t length = nghttp2_session_mem_send(session_.get(), &data);
    if (length <= 0) return {};
    return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(length)};
  }
  // False when the peer broke the protocol.
  [[nodiscard]] bool feed(std::string_view bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return nghttp2_session_mem_recv(session_.get(), data, bytes.size()) ==
           static_cast<ssize_t>(bytes.size());
  }
  [[nodiscard]] bool over() const {
    return std::ranges::all_of(streams_, [](std::int32_t stream) { return stream < 0; });
  }
  [[nodiscard]] std::vector<H2Response> take() { return std::move(responses_); }

 private:
  std::int32_t submit(const H2Request& request) {
    const auto field = [](std::string_view name, std::string_view value) {
      // nghttp2 copies both; its interface predates const.
      return nghttp2_nv{reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                        value.size(), NGHTTP2_NV_FLAG_NONE};
    };
    const std::array fields = {field(":method", "GET"), field(":scheme", "https"),
                               field(":authority", request.authority), field(":path", request.path),
                               field("accept", request.accept)};
    return nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(), nullptr, nullptr);
  }

  [[nodiscard]] H2Response* find(std::int32_t stream) {
    const auto at = std::ranges::find(streams_, stream);
    if (stream < 0 || at == streams_.end()) return nullptr;
    return &responses_[static_cast<std::size_t>(at - streams_.begin())];
  }

  static int on_header(nghttp2_session* /*session*/, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                       std::uint8_t /*flags*/, void* user) {
    H2Response* const response = static_cast<Exchange*>(user)->find(frame->hd.stream_id);
    if (response == nullptr) return 0;
    const std::string_view key(reinterpret_cast<const char*>(name), name_length);
    const std::string_view text(reinterpret_cast<const char*>(value), value_length);
    if (key == ":status") {
      int status = 0;
      std::from_chars(text.data(), text.data() + text.size(), status);
      response->status = status;
    } else if (key == "content-type") {
      response->content_type = text;
    }
    return 0;
  }

  static int on_data(nghttp2_session* /*session*/, std::uint8_t /*flags*/, std::int32_t stream,
                     const std::uint8_t* data, std::size_t length, void* user) {
    H2Response* const response = static_cast<Exchange*>(user)->find(stream);
    if (response == nullptr) return 0;
    const std::size_t room = kDohBodyBytesMax - response->body.size();
    response->truncated = response->truncated || length > room;
    response->body.append(reinterpret_cast<const char*>(data), std::min(length, room));
    return 0;
  }

  static int on_close(nghttp2_session* /*session*/, std::int32_t stream, std::uint32_t error, void* user) {
    auto* self = static_cast<Exchange*>(user);
    H2Response* const response = self->find(stream);
    if (response == nullptr) return 0;
    response->complete = error == NGHTTP2_NO_ERROR;
    response->ended = self->timeline_.offset();
    std::ranges::replace(self->streams_, stream, -1);
    return 0;
  }

  Timeline timeline_;
  std::vector<H2Response> responses_;
  std::vector<std::int32_t> streams_;  // by request; -1 once closed
  std::unique_ptr<nghttp2_session, SessionDelete> session_;
};

FailureCode code_of(const IoResult& io) {
  return io.kind == IoResult::Kind::closed ? FailureCode::eof_error : io.code;
}

asio::awaitable<std::optional<FailureCode>> exchange_all(Timeline timeline, ByteStream& stream,
                                                         Exchange& exchange, MonotonicTime deadline) {
  std::vector<char> buffer(kReadChunkBytes);
  const std::span<char> into(buffer);
  while (true) {
    for (std::string_view out = exchange.next_output(); !out.empty(); out = exchange.next_output()) {
      const IoResult put = co_await write(stream, out, deadline);
      if (put.kind != IoResult::Kind::done) co_return code_of(put);
    }
    if (exchange.over()) co_return std::nullopt;
    if (timeline.now() > deadline) co_return FailureCode::generic_timeout_error;
    const IoResult got = co_await read(stream, into, deadline);
    if (got.kind != IoResult::Kind::done) co_return code_of(got);
    if (!exchange.feed({buffer.data(), got.bytes})) co_return FailureCode::http_request_failed;
  }
}

}  // namespace

asio::awaitable<H2Result> h2_get(Timeline timeline, ByteStream& stream, std::vector<H2Request> requests,
                                 MonotonicTime deadline) {
  Exchange exchange(timeline, requests);
  H2Result out;
  out.failure = co_await exchange_all(timeline, stream, exchange, deadline);
  out.responses = exchange.take();
  co_return out;
}

}  // namespace kua::probe
