#include "probe/uplink/pinned_connection.h"

#include <openssl/x509.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <algorithm>
#include <charconv>

#include "platform/crypto/crypto.h"
#include "probe/limits.h"
#include "probe/step/wire_tally.h"
#include "probe/uplink/socks5.h"

namespace kua::probe {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

using Stream = beast::ssl_stream<beast::tcp_stream>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// At a deadline Beast closes the socket, and the kernel's count of its bytes goes with it: it is read
// this long before.
constexpr Microseconds kCountBefore = std::chrono::milliseconds(20);

Error unavailable(const boost::system::error_code& problem, std::string doing) {
  return Error{ErrorKind::unavailable, problem.message(), std::move(doing)};
}

std::string der_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = ::i2d_X509(certificate, &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  ::OPENSSL_free(bytes);
  return out;
}

std::string spki_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = ::i2d_X509_PUBKEY(::X509_get_X509_PUBKEY(certificate), &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  ::OPENSSL_free(bytes);
  return out;
}

std::string_view as_text(const platform::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The presented leaf as an observation: what stood where the collector should have been.
TlsHandshake describe_stranger(X509* leaf, const protocol::CollectorEndpoint& endpoint) {
  TlsHandshake seen;
  seen.host = endpoint.server_name.empty() ? endpoint.host : endpoint.server_name;
  if (!endpoint.server_name.empty()) seen.server_name = endpoint.server_name;
  if (const auto address = IpAddress::parse(endpoint.host)) {
    seen.endpoint = Endpoint{*address, endpoint.port, Transport::tcp};
  }
  seen.client_hello_sent = true;
  seen.trust = ChainTrust::unknown_authority;
  Certificate certificate;
  // Its hashes alone: who stands in between copies the collector's name into what he presents.
  certificate.sha256 = platform::to_hex(platform::sha256(der_of(leaf)));
  certificate.spki_sha256 = platform::to_hex(platform::sha256(spki_of(leaf)));
  seen.chain.push_back(std::move(certificate));
  return seen;
}

std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return std::chrono::seconds(value);
}

// Beast and Asio split host and port of "host:port"; the last colon parts them.
std::pair<std::string, std::string> split_host_port(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {text, "1080"};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

asio::awaitable<Expected<void>> connect_tcp(Stream& stream, std::string host, std::string port) {
  const std::string doing = "connecting to " + host + ":" + port;
  auto& lowest = beast::get_lowest_layer(stream);
  asio::ip::tcp::resolver resolver(lowest.get_executor());
  auto [lookup_problem, addresses] = co_await resolver.async_resolve(host, port, kAwait);
  if (lookup_problem) co_return std::unexpected(unavailable(lookup_problem, doing));
  auto [connect_problem, chosen] = co_await lowest.async_connect(addresses, kAwait);
  if (connect_problem) co_return std::unexpected(unavailable(connect_problem, doing));
  // Head and body of a request are two writes: without this the second waits for a delayed ACK.
  boost::system::error_code ignored;
  lowest.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return Expected<void>();
}

asio::awaitable<Expected<void>> pass_proxy(Stream& stream, std::string host, std::uint16_t port) {
  auto& lowest = beast::get_lowest_layer(stream);
  const std::string doing = "asking the SOCKS5 proxy";
  std::string answer(kSocksGreetingAnswerBytes, '\0');
  auto [greet_problem, greeted] = co_await asio::async_write(lowest, asio::buffer(kSocksGreeting), kAwait);
  if (greet_problem) co_return std::unexpected(unavailable(greet_problem, doing));
  auto [hear_problem, heard] = co_await asio::async_read(lowest, asio::buffer(answer), kAwait);
  if (hear_problem) co_return std::unexpected(unavailable(hear_problem, doing));
  if (auto greeting = check_socks_greeting(answer); !greeting) co_return std::unexpected(greeting.error());
  const std::string request = socks_connect_request(host, port);
  auto [ask_problem, asked] = co_await asio::async_write(lowest, asio::buffer(request), kAwait);
  if (ask_problem) co_return std::unexpected(unavailable(ask_problem, doing));
  std::string head(kSocksReplyHeadBytes, '\0');
  auto [head_problem, head_read] = co_await asio::async_read(lowest, asio::buffer(head), kAwait);
  if (head_problem) co_return std::unexpected(unavailable(head_problem, doing));
  const auto rest_bytes = socks_reply_rest(head);
  if (!rest_bytes) co_return std::unexpected(rest_bytes.error());
  std::string rest(*rest_bytes, '\0');
  auto [rest_problem, rest_read] = co_await asio::async_read(lowest, asio::buffer(rest), kAwait);
  if (rest_problem) co_return std::unexpected(unavailable(rest_problem, doing));
  co_return Expected<void>();
}

class Connection final : public PinnedConnection {
 public:
  Connection(asio::any_io_executor executor, protocol::CollectorEndpoint endpoint)
      : context_(asio::ssl::context::tls_client),
        endpoint_(std::move(endpoint)),
        stream_(beast::tcp_stream(executor), context_),
        last_count_(executor) {
    context_.set_verify_mode(asio::ssl::verify_none);  // the pin decides, see check_pin
    ::SSL_set_min_proto_version(stream_.native_handle(), TLS1_2_VERSION);
  }

  asio::awaitable<std::expected<void, ConnectionFailure>> establish(std::vector<std::string> pins,
                                                                    Microseconds deadline) {
    begin(deadline);
    auto established = co_await shake_hands(std::move(pins));
    end();
    co_return established;
  }

  asio::awaitable<Expected<ApiAnswer>> exchange(ApiCall call, Microseconds deadline) override {
    begin(deadline);
    auto answer = co_await ask(std::move(call));
    end();
    co_return answer;
  }

  bool reusable() const noexcept override { return reusable_; }

  std::uint64_t wire_bytes() override {
    auto& socket = beast::get_lowest_layer(stream_).socket();
    if (!socket.is_open()) return wire_bytes_;
    boost::system::error_code unknown;
    const auto peer = socket.remote_endpoint(unknown);
    const Family family = !unknown && peer.address().is_v6() ? Family::ip6 : Family::ip4;
    WireTally tally;
    add_tcp_socket(tally, socket.native_handle(), family, Closing::by_reset);
    // Less than before: the peer closed meanwhile, which the reckoning had put in already.
    wire_bytes_ = std::max(wire_bytes_, tally.sent + tally.received);
    return wire_bytes_;
  }

 private:
  std::string place() const { return endpoint_.host + ":" + std::to_string(endpoint_.port); }

  void begin(Microseconds deadline) {
    last_count_.expires_after(deadline - std::min(deadline, kCountBefore));
    last_count_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& problem) {
      if (!problem && !alive.expired()) (void)wire_bytes();
    });
    beast::get_lowest_layer(stream_).expires_after(deadline);
  }

  void end() {
    last_count_.cancel();
    (void)wire_bytes();
  }

  asio::awaitable<std::expected<void, ConnectionFailure>> shake_hands(std::vector<std::string> pins) {
    if (auto reached = co_await reach(); !reached) {
      co_return std::unexpected(ConnectionFailure{reached.error(), std::nullopt, 0});
    }
    if (!endpoint_.server_name.empty()) {
      ::SSL_set_tlsext_host_name(stream_.native_handle(), endpoint_.server_name.c_str());
    }
    auto [problem] = co_await stream_.async_handshake(asio::ssl::stream_base::client, kAwait);
    if (problem) {
      Error error = unavailable(problem, "shaking hands with " + place());
      co_return std::unexpected(ConnectionFailure{std::move(error), std::nullopt, 0});
    }
    co_return check_pin(pins);
  }

  asio::awaitable<Expected<ApiAnswer>> ask(ApiCall call) {
    reusable_ = false;
    http::request<http::string_body> request(http::string_to_verb(call.method), call.path, 11);
    request.set(http::field::host, endpoint_.server_name.empty() ? endpoint_.host : endpoint_.server_name);
    for (const auto& [name, value] : call.headers) request.set(name, value);
    if (!call.content_type.empty()) request.set(http::field::content_type, call.content_type);
    request.body() = std::move(call.body);
    if (call.method != "GET") request.prepare_payload();

    const std::string doing = call.method + " " + call.path + " at " + place();
    auto [write_problem, written] = co_await http::async_write(stream_, request, kAwait);
    if (write_problem) co_return std::unexpected(unavailable(write_problem, doing));
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerBytesMax);
    parser.header_limit(kAnswerHeaderBytesMax);
    auto [read_problem, got] = co_await http::async_read(stream_, buffer_, parser, kAwait);
    if (read_problem == http::error::body_limit || read_problem == http::error::header_limit) {
      co_return fail(ErrorKind::limit, "the answer is too large", doing);
    }
    if (read_problem) co_return std::unexpected(unavailable(read_problem, doing));
    http::response<http::string_body> response = parser.release();
    reusable_ = response.keep_alive();
    ApiAnswer answer;
    answer.status = response.result_int();
    answer.etag = std::string(response[http::field::etag]);
    answer.retry_after = parse_seconds(std::string(response[http::field::retry_after]));
    answer.body = std::move(response.body());
    co_return answer;
  }

  asio::awaitable<Expected<void>> reach() {
    if (endpoint_.socks5.empty()) {
      co_return co_await connect_tcp(stream_, endpoint_.host, std::to_string(endpoint_.port));
    }
    auto [host, port] = split_host_port(endpoint_.socks5);
    auto reached = co_await connect_tcp(stream_, host, port);
    if (!reached) co_return std::move(reached);
    co_return co_await pass_proxy(stream_, endpoint_.host, endpoint_.port);
  }

  std::expected<void, ConnectionFailure> check_pin(const std::vector<std::string>& pins) {
    X509* const leaf = ::SSL_get0_peer_certificate(stream_.native_handle());
    if (leaf == nullptr) {
      return std::unexpected(ConnectionFailure{
          Error{ErrorKind::permission, "the server presented no certificate", place()}, std::nullopt, 0});
    }
    const platform::Digest digest = platform::sha256(spki_of(leaf));
    const std::string pin = platform::to_base64url(as_text(digest));
    if (std::ranges::find(pins, pin) != pins.end()) {
      reusable_ = true;
      return {};
    }
    return std::unexpected(
        ConnectionFailure{Error{ErrorKind::permission,
                                "the server's key is not the pinned one: somebody stands in between, or "
                                "the operator changed keys (presented " + pin + ")",
                                "checking the pin of " + place()},
                          describe_stranger(leaf, endpoint_), 0});
  }

  asio::ssl::context context_;
  protocol::CollectorEndpoint endpoint_;
  Stream stream_;
  beast::flat_buffer buffer_;
  bool reusable_ = false;
  std::uint64_t wire_bytes_ = 0;  // as last read from the kernel
  asio::steady_timer last_count_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // its timer may be due as it is destroyed
};

}  // namespace

asio::awaitable<std::expected<std::unique_ptr<PinnedConnection>, ConnectionFailure>> PinnedConnection::open(
    asio::any_io_executor executor, protocol::CollectorEndpoint endpoint, std::vector<std::string> pins,
    Microseconds deadline) {
  auto connection = std::make_unique<Connection>(executor, std::move(endpoint));
  auto established = co_await connection->establish(std::move(pins), deadline);
  if (!established) {
    established.error().wire_bytes = connection->wire_bytes();
    co_return std::unexpected(std::move(established.error()));
  }
  co_return std::move(connection);
}

}  // namespace kua::probe
