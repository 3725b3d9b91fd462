// One kept-alive HTTPS connection to a collector. Trust is the pin of the server's public key and nothing
// else: a certificate authority that a state controls must not be able to read or change a report. Until
// the pin has matched, not one byte of a request leaves. Beast stays inside pinned_connection.cc.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "measurement/error.h"
#include "measurement/observation.h"
#include "measurement/time.h"
#include "protocol/join_link.h"

namespace kua::probe {

struct ApiCall {
  std::string method;
  std::string path;  // with its query
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct ApiAnswer {
  unsigned status = 0;
  std::string body;
  std::string etag;
  std::optional<std::chrono::seconds> retry_after;
};

// What came instead of a connection to the collector.
struct ConnectionFailure {
  Error error;                              // unavailable; permission for a wrong pin
  std::optional<TlsHandshake> wrong_pin;    // what was presented: somebody stands in between
  std::uint64_t wire_bytes = 0;             // what the attempt cost, both directions
};

class PinnedConnection {
 public:
  // Connects (through endpoint.socks5 where it is set), shakes hands and compares the pin, all within
  // `deadline` of steady time from now. `pins` as in the join link.
  [[nodiscard]] static boost::asio::awaitable<
      std::expected<std::unique_ptr<PinnedConnection>, ConnectionFailure>>
  open(boost::asio::any_io_executor executor, protocol::CollectorEndpoint endpoint,
       std::vector<std::string> pins, Microseconds deadline);

  virtual ~PinnedConnection() = default;
  // One request and its answer. Errors: unavailable (the connection is of no more use), limit (answer
  // beyond kAnswerBytesMax). One call at a time.
  [[nodiscard]] virtual boost::asio::awaitable<Expected<ApiAnswer>> exchange(
      ApiCall call, Microseconds deadline) = 0;
  // False once the server said it would close, or an exchange failed.
  [[nodiscard]] virtual bool reusable() const noexcept = 0;
  // Both directions since the connect, headers of every layer included; stays when it was closed.
  [[nodiscard]] virtual std::uint64_t wire_bytes() = 0;
};

}  // namespace kua::probe
