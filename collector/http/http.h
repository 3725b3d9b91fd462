// HTTP/1.1 served over plain TCP or TLS: values for handlers, and a server that owns its sockets.
// Beast stays inside server.cc, the collector's only translation unit that includes it.
#pragma once

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

// Which handler answers what. A pattern's last component may be "{}": any one component, not empty.
// A path nobody has is 404, a known path with another method 405 with Allow.
class Router {
 public:
  void add(std::string method, std::string pattern, HttpHandler handler);
  [[nodiscard]] boost::asio::awaitable<HttpResponse> dispatch(HttpRequest request) const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    HttpHandler handler;
  };
  std::vector<Route> routes_;
};

struct ListenerOptions {
  std::string name;                    // "probes", "public", "desk": label of metrics and logs
  Endpoint endpoint;                   // port 0 in configuration means: any free one
  std::string certificate_pem;         // empty: plain HTTP
  std::string key_pem;
  std::size_t body_bytes_max = 0;
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t connections_max = 4096;
  std::chrono::seconds idle_max{120};
};

// Accepts until destroyed or stopped; stop() refuses new connections and lets running answers end.
class HttpServer {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<HttpServer>> listen(
      boost::asio::any_io_executor executor, ListenerOptions options, Router router);
  virtual ~HttpServer() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  virtual void stop() = 0;
  // Counters since the start, by status code.
  [[nodiscard]] virtual const std::map<unsigned, std::uint64_t>& responses() const = 0;
};

}  // namespace kua::collector
