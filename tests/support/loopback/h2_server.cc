#include "tests/support/loopback/h2_server.h"

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <span>

#include "platform/crypto/crypto.h"

namespace kua::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// One connection's HTTP/2 session.
struct Session {
  explicit Session(const DohServerOptions& options_in) : options(options_in) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame);
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Session() { nghttp2_session_del(session); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  static int on_header(nghttp2_session* /*s*/, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                       std::uint8_t /*flags*/, void* user) {
    const std::string_view key(reinterpret_cast<const char*>(name), name_length);
    if (key != ":path") return 0;
    static_cast<Session*>(user)->paths[frame->hd.stream_id] =
        std::string(reinterpret_cast<const char*>(value), value_length);
    return 0;
  }

  static int on_frame(nghttp2_session* /*s*/, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      static_cast<Session*>(user)->respond(frame->hd.stream_id);
    }
    return 0;
  }

  static ssize_t read_body(nghttp2_session* /*s*/, std::int32_t stream, std::uint8_t* buffer,
                           std::size_t length, std::uint32_t* flags, nghttp2_data_source* /*source*/,
                           void* user) {
    std::string& body = static_cast<Session*>(user)->bodies[stream];
    const std::size_t count = std::min(length, body.size());
    std::copy_n(body.begin(), count, buffer);
    body.erase(0, count);
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  void respond(std::int32_t stream) {
    const std::string& path = paths[stream];
    const auto at = path.find("?dns=");
    const auto query = platform::from_base64url(at == std::string::npos ? "" : path.substr(at + 5));
    if (query) {
      const auto message = wire::decode_dns(wire::as_bytes(*query));
      if (message) {
        const auto bytes = wire::encode_dns(options.answer(*message));
        if (bytes) bodies[stream] = std::string(wire::as_text(*bytes));
      }
    }
    const std::string status = std::to_string(options.status);
    const auto field = [](std::string_view name, std::string_view value) {
      return nghttp2_nv{reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                        value.size(), NGHTTP2_NV_FLAG_NONE};
    };
    const std::array fields = {field(":status", status), field("content-type", options.content_type)};
    nghttp2_data_provider provider{};
    provider.read_callback = &read_body;
    nghttp2_submit_response(session, stream, fields.data(), fields.size(), &provider);
  }

  const DohServerOptions& options;
  nghttp2_session* session = nullptr;
  std::map<std::int32_t, std::string> paths;
  std::map<std::int32_t, std::string> bodies;
};

int select_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                const unsigned char* offered, unsigned offered_length, void* wanted) {
  const auto& list = *static_cast<const std::string*>(wanted);
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_length,
                                           reinterpret_cast<const unsigned char*>(list.data()),
                                           static_cast<unsigned>(list.size()), offered, offered_length);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

struct DohServer::State {
  State(Loop& loop, DohServerOptions options_in)
      : options(std::move(options_in)),
        acceptor(loop.context(), tcp::endpoint(asio::ip::make_address(options.address), options.port)),
        tls(asio::ssl::context::tls_server),
        alpn_wire(std::string(1, static_cast<char>(options.alpn.size())) + options.alpn) {
    tls.use_certificate_chain(asio::buffer(options.identity.chain_pem));
    tls.use_private_key(asio::buffer(options.identity.key_pem), asio::ssl::context::pem);
    SSL_CTX_set_alpn_select_cb(tls.native_handle(), &select_alpn, &alpn_wire);
  }

  static asio::awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket) {
    asio::ssl::stream<tcp::socket> stream(std::move(socket), state->tls);
    const auto [problem] = co_await stream.async_handshake(asio::ssl::stream_base::server, kTuple);
    if (problem) co_return;
    Session session(state->options);
    std::array<std::uint8_t, 4096> buffer;
    while (true) {
      const std::uint8_t* data = nullptr;
      for (ssize_t length = nghttp2_session_mem_send(session.session, &data); length > 0;
           length = nghttp2_session_mem_send(session.session, &data)) {
        const asio::const_buffer out = asio::buffer(data, static_cast<std::size_t>(length));
        const auto [failed, sent] = co_await asio::async_write(stream, out, kTuple);
        (void)sent;
        if (failed) co_return;
      }
      const asio::mutable_buffer into = asio::buffer(buffer);
      const auto [failed, bytes] = co_await stream.async_read_some(into, kTuple);
      if (failed || nghttp2_session_mem_recv(session.session, buffer.data(), bytes) < 0) co_return;
    }
  }

  static asio::awaitable<void> accept(std::shared_ptr<State> state) {
    while (state->acceptor.is_open()) {
      auto [problem, socket] = co_await state->acceptor.async_accept(kTuple);
      if (problem) co_return;
      ++state->connections;
      asio::co_spawn(state->acceptor.get_executor(), serve(state, std::move(socket)), asio::detached);
    }
  }

  DohServerOptions options;
  tcp::acceptor acceptor;
  asio::ssl::context tls;
  std::string alpn_wire;
  int connections = 0;
};

DohServer::DohServer(Loop& loop, DohServerOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {
  asio::co_spawn(loop.context(), State::accept(state_), asio::detached);
}

DohServer::~DohServer() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

std::uint16_t DohServer::port() const { return state_->acceptor.local_endpoint().port(); }
int DohServer::connections() const { return state_->connections; }

}  // namespace kua::test
