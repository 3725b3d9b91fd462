// HTTP/1.1 served over plain TCP or TLS: values for handlers, and a server that owns its sockets.
// Beast stays inside server.cc, the collector's only translation unit that includes it.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/error.h"

namespace kua::collector {

struct HttpRequest {
  std::string method;
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> query;    // decoded; a repeated key keeps its last value
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  // Used for network look-up and rate limits in this call only; never stored, never logged.
  IpAddress peer = *IpAddress::parse("0.0.0.0");

  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;  // empty if absent
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(HttpRequest)>;

// Looks at a request before its handler does: an answer ends it there, nullopt lets it pass.
using HttpGate = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

// Which handler answers what. A pattern's last component may be "{}": any one component, not empty.
// A path nobody has is 404, a known path with another method 405 with Allow. HEAD is answered by the
// handler of GET; the server leaves the body out.
class Router {
 public:
  void add(std::string method, std::string pattern, HttpHandler handler);
  void set_gate(HttpGate gate);  // one for all routes, also for paths nobody has
  [[nodiscard]] boost::asio::awaitable<HttpResponse> dispatch(HttpRequest request) const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    HttpHandler handler;
  };
  std::vector<Route> routes_;
  HttpGate gate_;
};

// The error answers of the API (docs/protocol.md): {"error": …, "message": …}.
[[nodiscard]] HttpResponse error_response(unsigned status, std::string_view error,
                                          std::string_view message);

struct ListenerOptions {
  std::string name;                    // "probes", "public", "desk": label of metrics and logs
  Endpoint endpoint;                   // port 0 in configuration means: any free one
  std::string certificate_pem;         // empty: plain HTTP
  std::string key_pem;
  std::size_t body_bytes_max = 0;
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t connections_max = 4096;
  std::chrono::milliseconds idle_max{120'000};     // between two requests of one connection
  std::chrono::milliseconds handshake_max{10'000};  // TLS
  std::chrono::milliseconds header_max{10'000};     // first byte of a request to the end of its header
  std::chrono::milliseconds request_max{60'000};    // first byte to the last of the body
  std::chrono::milliseconds answer_max{60'000};     // first byte of the answer to the last
  std::size_t pending_body_bytes_max = 256 * 1024 * 1024;  // bodies being received, all connections
};

// Why a connection ended before its request had an answer; label values of a counter.
enum class DropReason : std::uint8_t {
  too_many_connections = 0,
  tls_handshake = 1,  // failed, or not over in time
  timeout = 2,        // header, body or answer took too long; closed without a word
  malformed = 3,      // not HTTP; answered 400 where possible
  too_large = 4,      // header or body beyond the limit; answered 431 or 413
  disconnected = 5,   // the peer went away in the middle of a request
  internal = 6,       // a handler failed; answered 500
};
inline constexpr std::size_t kDropReasons = 7;
[[nodiscard]] const char* to_string(DropReason reason) noexcept;

struct HttpCounters {
  std::map<unsigned, std::uint64_t> responses;  // by status code
  std::array<std::uint64_t, kDropReasons> dropped{};
  std::uint64_t connections = 0;  // accepted since the start
  std::size_t open = 0;           // now
};

// Accepts until destroyed or stopped; stop() refuses new connections, closes idle ones and lets running
// answers end. Lives on the executor's one thread.
class HttpServer {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<HttpServer>> listen(
      boost::asio::any_io_executor executor, ListenerOptions options, Router router);
  virtual ~HttpServer() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  virtual void stop() = 0;
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Since the start.
  [[nodiscard]] virtual const HttpCounters& counters() const = 0;
};

}  // namespace kua::collector
