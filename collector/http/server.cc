// The collector's one Beast translation unit. A connection is one coroutine; every phase has an
// absolute deadline, so that a peer that dribbles bytes costs a descriptor for a bounded time only.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <set>
#include <utility>

#include "collector/http/gzip.h"
#include "collector/http/http.h"
#include "collector/http/url_text.h"

namespace kua::collector {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kGzipBytesMin = 1024;          // below, the header costs more than is saved
constexpr std::size_t kDrainBytesMax = 1024 * 1024;  // read and thrown away after a refusal
constexpr std::chrono::seconds kDrainMax{2};
constexpr std::chrono::milliseconds kAcceptRetry{100};  // after running out of descriptors

using Plain = beast::tcp_stream;
using Tls = beast::ssl_stream<beast::tcp_stream>;
using Parser = http::request_parser<http::string_body>;

// What a connection shows to its server: whether it waits between requests, and how to end it.
struct Connection {
  beast::tcp_stream* lowest = nullptr;
  bool idle = true;
};

struct Shared {
  Shared(ListenerOptions options_in, Router router_in)
      : options(std::move(options_in)), router(std::move(router_in)) {}
  ListenerOptions options;
  Router router;
  std::optional<asio::ssl::context> tls;
  HttpCounters counters;
  std::set<Connection*> connections;
  std::size_t pending_body_bytes = 0;
  bool stopping = false;

  void drop(DropReason reason) { ++counters.dropped[static_cast<std::size_t>(reason)]; }
};

// Takes a part of the body budget; gives it back when the request is over.
class BodyCharge {
 public:
  explicit BodyCharge(Shared& shared) : shared_(shared) {}
  BodyCharge(const BodyCharge&) = delete;
  BodyCharge& operator=(const BodyCharge&) = delete;
  ~BodyCharge() { shared_.pending_body_bytes -= bytes_; }
  [[nodiscard]] bool take(std::size_t bytes) {
    if (shared_.pending_body_bytes + bytes > shared_.options.pending_body_bytes_max) return false;
    shared_.pending_body_bytes += bytes;
    bytes_ += bytes;
    return true;
  }

 private:
  Shared& shared_;
  std::size_t bytes_ = 0;
};

IpAddress address_of(const tcp::endpoint& endpoint) {
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  if (address.is_v4()) return *IpAddress::from_bytes(address.to_v4().to_bytes());
  return *IpAddress::from_bytes(address.to_v6().to_bytes());
}

// nullopt for a target that is not an absolute path.
std::optional<HttpRequest> to_request(Parser::value_type&& message, const IpAddress& peer) {
  HttpRequest request;
  request.peer = peer;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const auto question = target.find('?');
  auto path = percent_decoded(target.substr(0, question), PlusSign::itself);
  if (!path || !path->starts_with('/')) return std::nullopt;
  request.path = std::move(*path);
  if (question != std::string_view::npos) {
    auto query = read_query(target.substr(question + 1));
    if (!query) return std::nullopt;
    request.query = std::move(*query);
  }
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    request.headers.insert_or_assign(std::move(name), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

bool worth_compressing(const HttpResponse& response) {
  if (response.body.size() < kGzipBytesMin) return false;
  for (const auto& [name, value] : response.headers) {
    if (beast::iequals(name, "Content-Encoding")) return false;
  }
  const std::string_view type = response.content_type;
  return type.starts_with("text/") || type.starts_with("application/json") ||
         type.starts_with("application/openmetrics-text") || type.starts_with("image/svg+xml");
}

enum class After : std::uint8_t { keep_alive, close };

http::response<http::string_body> to_message(HttpResponse response, bool gzip, After after,
                                             bool head_only) {
  http::response<http::string_body> message;
  message.version(11);
  message.result(response.status);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) message.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  if (worth_compressing(response)) {
    message.insert(http::field::vary, "Accept-Encoding");
    if (gzip) {
      response.body = gzip_compress(response.body);
      message.set(http::field::content_encoding, "gzip");
    }
  }
  message.keep_alive(after == After::keep_alive);
  if (!bodiless) message.content_length(response.body.size());
  if (!head_only && !bodiless) message.body() = std::move(response.body);
  return message;
}

DropReason reason_of(const error_code& error) {
  if (error == beast::error::timeout) return DropReason::timeout;
  if (error == http::error::header_limit || error == http::error::body_limit ||
      error == http::error::buffer_overflow) {
    return DropReason::too_large;
  }
  if (error == http::error::partial_message || error == http::error::end_of_stream) {
    return DropReason::disconnected;
  }
  if (error.category() == make_error_code(http::error::bad_method).category()) {
    return DropReason::malformed;
  }
  return DropReason::disconnected;
}

// What can still be said to a peer whose request could not be read.
std::optional<HttpResponse> refusal(const error_code& error, const Parser& parser) {
  switch (reason_of(error)) {
    case DropReason::malformed: return error_response(400, "malformed", "this is not HTTP/1.1");
    case DropReason::too_large:
      return parser.is_header_done() || error == http::error::body_limit
                 ? error_response(413, "too_large", "the body is too large")
                 : error_response(431, "too_large", "the header is too large");
    case DropReason::timeout:  // Beast has closed the socket by then
    case DropReason::too_many_connections:
    case DropReason::tls_handshake:
    case DropReason::disconnected:
    case DropReason::internal: return std::nullopt;
  }
  return std::nullopt;
}

// One connection over a Plain or a Tls stream that is ready for HTTP. Borrows the stream.
template <typename Stream>
class Conversation {
 public:
  Conversation(Shared& shared, Connection& connection, Stream& stream, IpAddress peer)
      : shared_(shared), connection_(connection), stream_(stream), peer_(std::move(peer)) {}

  asio::awaitable<void> run() {
    while (!shared_.stopping) {
      const bool more = co_await await_first_byte();
      if (!more) co_return;
      const After after = co_await one_request();
      if (after == After::close) break;
    }
    co_await say_goodbye();
  }

 private:
  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }

  // False: the peer is gone, silent for too long, or we are stopping.
  asio::awaitable<bool> await_first_byte() {
    if (buffer_.size() > 0) co_return true;
    connection_.idle = true;
    lowest().expires_after(shared_.options.idle_max);
    const auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(4096), kResult);
    connection_.idle = false;
    if (error) co_return false;
    buffer_.commit(bytes);
    co_return true;
  }

  asio::awaitable<After> one_request() {
    const auto begin = std::chrono::steady_clock::now();
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes_max));
    parser.body_limit(shared_.options.body_bytes_max);
    lowest().expires_at(begin + shared_.options.header_max);
    error_code error = co_await read_header(parser);
    if (error) co_return co_await refuse(error, parser);

    BodyCharge charge(shared_);
    if (!charge.take(parser.content_length().value_or(
            parser.chunked() ? shared_.options.body_bytes_max : 0))) {
      HttpResponse busy = error_response(503, "unavailable", "too many bodies are being received");
      busy.headers.emplace_back("Retry-After", "5");
      asio::awaitable<After> refusing = refuse_with(std::move(busy));
      co_return co_await std::move(refusing);
    }
    lowest().expires_at(begin + shared_.options.request_max);
    error = co_await read_body(parser);
    if (error) co_return co_await refuse(error, parser);
    const bool keep_alive = parser.keep_alive() && !shared_.stopping;
    const bool head = parser.get().method() == http::verb::head;
    std::optional<HttpRequest> request = to_request(parser.release(), peer_);
    if (!request) {
      shared_.drop(DropReason::malformed);
      HttpResponse bad = error_response(400, "malformed", "the request target is not readable");
      asio::awaitable<After> refusing = refuse_with(std::move(bad));
      co_return co_await std::move(refusing);
    }
    const bool gzip = accepts_gzip(request->header("accept-encoding"));
    // The handler has deadlines of its own; the peer may stay silent meanwhile.
    lowest().expires_never();
    asio::awaitable<HttpResponse> answering = answer(std::move(*request));
    HttpResponse response = co_await std::move(answering);
    const After after = keep_alive && !shared_.stopping ? After::keep_alive : After::close;
    http::response<http::string_body> message = to_message(std::move(response), gzip, after, head);
    co_return co_await write(message, after);
  }

  // Ours return errors; what a library throws inside a handler must not take the process down.
  asio::awaitable<HttpResponse> answer(HttpRequest request) {
    try {
      asio::awaitable<HttpResponse> dispatching = shared_.router.dispatch(std::move(request));
      HttpResponse response = co_await std::move(dispatching);
      co_return response;
    } catch (const std::exception&) {
      shared_.drop(DropReason::internal);
    }
    co_return error_response(500, "internal", "the collector failed; try again later");
  }

  asio::awaitable<error_code> read_header(Parser& parser) {
    const auto [error, bytes] = co_await http::async_read_header(stream_, buffer_, parser, kResult);
    co_return error;
  }

  asio::awaitable<error_code> read_body(Parser& parser) {
    if (!parser.is_done() && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      http::response<http::empty_body> proceed(http::status::continue_, 11);
      const auto [error, bytes] = co_await http::async_write(stream_, proceed, kResult);
      if (error) co_return error;
    }
    if (parser.is_done()) co_return error_code();
    const auto [error, bytes] = co_await http::async_read(stream_, buffer_, parser, kResult);
    co_return error;
  }

  asio::awaitable<After> refuse(error_code error, Parser& parser) {
    shared_.drop(reason_of(error));
    std::optional<HttpResponse> response = refusal(error, parser);
    if (!response) co_return After::close;
    asio::awaitable<After> refusing = refuse_with(std::move(*response));
    co_return co_await std::move(refusing);
  }

  asio::awaitable<After> refuse_with(HttpResponse response) {
    http::response<http::string_body> message =
        to_message(std::move(response), false, After::close, false);
    const After after = co_await write(message, After::close);
    unread_ = true;
    co_return after;
  }

  asio::awaitable<After> write(http::response<http::string_body>& message, After after) {
    ++shared_.counters.responses[message.result_int()];
    lowest().expires_after(shared_.options.answer_max);
    http::response_serializer<http::string_body> serializer(message);
    const auto [error, bytes] = co_await http::async_write(stream_, serializer, kResult);
    if (error && error != http::error::end_of_stream) {
      shared_.drop(reason_of(error));
      co_return After::close;
    }
    co_return after;
  }

  // Closing with unread bytes resets the connection, and the answer could be lost with it: what the
  // peer is still sending is read for a moment first.
  asio::awaitable<void> say_goodbye() {
    lowest().expires_after(kDrainMax);
    if constexpr (std::is_same_v<Stream, Tls>) {
      if (!unread_) {
        // The peer's own close_notify is not waited for: it has nothing to add.
        ::SSL_set_shutdown(stream_.native_handle(), SSL_RECEIVED_SHUTDOWN);
        co_await stream_.async_shutdown(kResult);
      }
    }
    error_code ignored;
    lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (!unread_) co_return;
    std::string sink(16 * 1024, '\0');
    for (std::size_t total = 0; total < kDrainBytesMax;) {
      const auto [error, bytes] = co_await lowest().async_read_some(asio::buffer(sink), kResult);
      if (error) break;
      total += bytes;
    }
  }

  Shared& shared_;
  Connection& connection_;
  Stream& stream_;
  IpAddress peer_;
  beast::flat_buffer buffer_;
  bool unread_ = false;
};

// Keeps the connection in the server's books while it lives.
class Registration {
 public:
  Registration(std::shared_ptr<Shared> shared, Connection& connection)
      : shared_(std::move(shared)), connection_(connection) {
    shared_->connections.insert(&connection_);
    shared_->counters.open = shared_->connections.size();
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() {
    shared_->connections.erase(&connection_);
    shared_->counters.open = shared_->connections.size();
  }

 private:
  std::shared_ptr<Shared> shared_;
  Connection& connection_;
};

asio::awaitable<void> talk_plain(std::shared_ptr<Shared> shared, tcp::socket socket, IpAddress peer) {
  Plain stream(std::move(socket));
  Connection connection{&stream, true};
  Registration registration(shared, connection);
  Conversation<Plain> conversation(*shared, connection, stream, std::move(peer));
  co_await conversation.run();
}

asio::awaitable<void> talk_tls(std::shared_ptr<Shared> shared, tcp::socket socket, IpAddress peer) {
  Tls stream(std::move(socket), *shared->tls);
  Connection connection{&beast::get_lowest_layer(stream), true};
  Registration registration(shared, connection);
  beast::get_lowest_layer(stream).expires_after(shared->options.handshake_max);
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, kResult);
  if (error) {
    if (!shared->stopping) shared->drop(DropReason::tls_handshake);
    co_return;
  }
  Conversation<Tls> conversation(*shared, connection, stream, std::move(peer));
  co_await conversation.run();
}

void start_connection(const std::shared_ptr<Shared>& shared, tcp::socket socket) {
  error_code error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;
  socket.set_option(tcp::no_delay(true), error);
  const auto executor = socket.get_executor();
  const auto on_end = [shared](std::exception_ptr problem) {
    if (problem) shared->drop(DropReason::internal);
  };
  if (shared->tls) {
    asio::co_spawn(executor, talk_tls(shared, std::move(socket), address_of(remote)), on_end);
  } else {
    asio::co_spawn(executor, talk_plain(shared, std::move(socket), address_of(remote)), on_end);
  }
}

asio::awaitable<void> accept_all(std::shared_ptr<Shared> shared,
                                 std::shared_ptr<tcp::acceptor> acceptor) {
  asio::steady_timer pause(acceptor->get_executor());
  while (!shared->stopping) {
    auto [error, socket] = co_await acceptor->async_accept(kResult);
    if (shared->stopping || error == asio::error::operation_aborted) co_return;
    if (error) {  // out of descriptors, or the peer left the queue
      pause.expires_after(kAcceptRetry);
      co_await pause.async_wait(kResult);
      continue;
    }
    ++shared->counters.connections;
    if (shared->connections.size() >= shared->options.connections_max) {
      shared->drop(DropReason::too_many_connections);
      continue;  // closes it
    }
    start_connection(shared, std::move(socket));
  }
}

class BeastServer final : public HttpServer {
 public:
  BeastServer(std::shared_ptr<Shared> shared, std::shared_ptr<tcp::acceptor> acceptor)
      : shared_(std::move(shared)), acceptor_(std::move(acceptor)),
        port_(acceptor_->local_endpoint().port()) {
    asio::co_spawn(acceptor_->get_executor(), accept_all(shared_, acceptor_), asio::detached);
  }
  ~BeastServer() override { BeastServer::stop(); }

  std::uint16_t port() const override { return port_; }
  const std::string& name() const override { return shared_->options.name; }
  const HttpCounters& counters() const override { return shared_->counters; }

  void stop() override {
    if (std::exchange(shared_->stopping, true)) return;
    error_code ignored;
    acceptor_->close(ignored);
    for (Connection* connection : shared_->connections) {
      if (connection->idle) connection->lowest->cancel();
    }
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<tcp::acceptor> acceptor_;
  std::uint16_t port_;
};

Expected<asio::ssl::context> make_tls_context(const ListenerOptions& options) {
  asio::ssl::context context(asio::ssl::context::tls_server);
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression |
                      SSL_OP_NO_RENEGOTIATION);
  error_code error;
  context.use_certificate_chain(asio::buffer(options.certificate_pem), error);
  if (!error) context.use_private_key(asio::buffer(options.key_pem), asio::ssl::context::pem, error);
  if (error) {
    return fail(ErrorKind::configuration, error.message(), "reading the certificate of listener " + options.name);
  }
  ::SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  // No session cache and no tickets: a ticket would let an observer tie a probe's connections together.
  ::SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_num_tickets(context.native_handle(), 0);
  return context;
}

}  // namespace

Expected<std::unique_ptr<HttpServer>> HttpServer::listen(asio::any_io_executor executor,
                                                         ListenerOptions options, Router router) {
  const std::string doing = "listening on " + options.endpoint.text() + " for " + options.name;
  auto shared = std::make_shared<Shared>(std::move(options), std::move(router));
  if (!shared->options.certificate_pem.empty()) {
    auto context = make_tls_context(shared->options);
    if (!context) return std::unexpected(context.error());
    shared->tls.emplace(std::move(*context));
  }
  error_code error;
  const auto address = asio::ip::make_address(shared->options.endpoint.address.text(), error);
  if (error) return fail(ErrorKind::configuration, error.message(), doing);
  const tcp::endpoint endpoint(address, shared->options.endpoint.port);
  auto acceptor = std::make_shared<tcp::acceptor>(executor);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(tcp::acceptor::max_listen_connections, error);
  if (error) return fail(ErrorKind::io, error.message(), doing);
  return std::make_unique<BeastServer>(std::move(shared), std::move(acceptor));
}

}  // namespace kua::collector
