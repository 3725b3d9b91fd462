#include "tests/support/loopback/server.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace kua::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

void reset(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

// A read that ends when the peer goes away.
asio::awaitable<void> hold(tcp::socket& socket) {
  std::array<char, 1024> ignored;
  while (true) {
    const asio::mutable_buffer into = asio::buffer(ignored);
    const auto [problem, bytes] = co_await socket.async_read_some(into, kTuple);
    if (problem || bytes == 0) co_return;
  }
}

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

struct Server::State {
  State(Loop& loop, ServerOptions options_in)
      : options(std::move(options_in)),
        acceptor(loop.context(), tcp::endpoint(asio::ip::make_address(options.address), options.port)) {
    if (!options.identity) return;
    tls.emplace(asio::ssl::context::tls_server);
    tls->use_certificate_chain(asio::buffer(options.identity->chain_pem));
    tls->use_private_key(asio::buffer(options.identity->key_pem), asio::ssl::context::pem);
    for (const std::string& protocol : options.alpn) {
      alpn_wire += static_cast<char>(protocol.size());
      alpn_wire += protocol;
    }
    SSL_CTX_set_alpn_select_cb(tls->native_handle(), &select_alpn, &alpn_wire);
  }

  template <typename Stream>
  static asio::awaitable<void> talk(std::shared_ptr<State> state, Stream& stream, tcp::socket& socket);
  static asio::awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket);
  static asio::awaitable<void> accept(std::shared_ptr<State> state);

  ServerOptions options;
  tcp::acceptor acceptor;
  std::optional<asio::ssl::context> tls;
  std::string alpn_wire;
  int connections = 0;
  std::vector<std::string> requests;
};

template <typename Stream>
asio::awaitable<void> Server::State::talk(std::shared_ptr<State> state, Stream& stream, tcp::socket& socket) {
  std::string head;
  std::array<char, 4096> buffer;
  while (head.find("\r\n\r\n") == std::string::npos) {
    const asio::mutable_buffer into = asio::buffer(buffer);
    const auto [problem, bytes] = co_await stream.async_read_some(into, kTuple);
    if (problem) co_return;
    head.append(buffer.data(), bytes);
  }
  state->requests.push_back(head);
  Reply reply{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Then::close};
  if (state->options.respond) reply = state->options.respond(head);
  const asio::const_buffer out = asio::buffer(reply.bytes);
  const auto [problem, written] = co_await asio::async_write(stream, out, kTuple);
  (void)written;
  const std::string more(16384, reply.bytes.empty() ? 'x' : reply.bytes.back());
  const asio::const_buffer again = asio::buffer(more);
  bool open = !problem;
  while (open && reply.then == Then::forever) {
    const auto [failed, count] = co_await asio::async_write(stream, again, kTuple);
    (void)count;
    open = !failed;
  }
  if (reply.then == Then::reset) reset(socket);
  if (reply.then == Then::hold) co_await hold(socket);
}

asio::awaitable<void> Server::State::serve(std::shared_ptr<State> state, tcp::socket socket) {
  if (!state->options.raw_reply.empty()) {
    std::array<char, 4096> ignored;
    const asio::mutable_buffer into = asio::buffer(ignored);
    const auto [problem, bytes] = co_await socket.async_read_some(into, kTuple);
    if (problem || bytes == 0) co_return;
    const asio::const_buffer out = asio::buffer(state->options.raw_reply);
    const auto [failed, sent] = co_await asio::async_write(socket, out, kTuple);
    (void)failed;
    (void)sent;
    co_return;
  }
  if (state->options.gate) {
    const auto [waited] = co_await socket.async_wait(tcp::socket::wait_read, kTuple);
    if (waited) co_return;
    std::array<char, 4096> peeked;
    const ssize_t bytes = ::recv(socket.native_handle(), peeked.data(), peeked.size(), MSG_PEEK);
    const Then then =
        state->options.gate({peeked.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0});
    if (then == Then::reset) reset(socket);
    if (then == Then::close) {  // drained, so that the kernel sends FIN and not RST
      (void)::recv(socket.native_handle(), peeked.data(), peeked.size(), 0);
    }
    if (then == Then::hold) co_await hold(socket);
    if (then != Then::go_on) co_return;
  }
  if (!state->tls) {
    co_await talk(state, socket, socket);
    co_return;
  }
  asio::ssl::stream<tcp::socket> stream(std::move(socket), *state->tls);
  const auto [problem] = co_await stream.async_handshake(asio::ssl::stream_base::server, kTuple);
  if (problem) co_return;
  co_await talk(state, stream, stream.next_layer());
}

asio::awaitable<void> Server::State::accept(std::shared_ptr<State> state) {
  while (state->acceptor.is_open()) {
    auto [problem, socket] = co_await state->acceptor.async_accept(kTuple);
    if (problem) co_return;
    ++state->connections;
    asio::co_spawn(state->acceptor.get_executor(), serve(state, std::move(socket)), asio::detached);
  }
}

Server::Server(Loop& loop, ServerOptions options)
    : state_(std::make_shared<State>(loop, std::move(options))) {
  asio::co_spawn(loop.context(), State::accept(state_), asio::detached);
}

Server::~Server() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

std::uint16_t Server::port() const { return state_->acceptor.local_endpoint().port(); }
int Server::connections() const { return state_->connections; }
const std::vector<std::string>& Server::requests() const { return state_->requests; }

std::string page(std::string_view title, std::size_t body_bytes) {
  std::string body = "<!doctype html><html><head><title>" + std::string(title) + "</title></head><body>";
  if (body.size() < body_bytes) body.append(body_bytes - body.size(), 'k');
  return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nDate: Tue, 04 Jan 2022 16:45:00 GMT\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace kua::test
