// A TCP server on loopback that does as it is told: HTTP with or without TLS, or what a censor does in
// its place.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/loopback/authority.h"
#include "tests/support/loopback/loop.h"

namespace kua::test {

// What happens to a connection at a point of its life.
enum class Then : std::uint8_t {
  go_on,
  close,   // FIN
  reset,   // RST
  hold,    // silence, the connection stays open
  forever, // the last byte of the reply again and again
};

struct Reply {
  std::string bytes;
  Then then = Then::close;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;            // 0: the system's choice
  std::optional<Identity> identity;  // TLS with these certificates
  // Looks at the first bytes that came, which stay unread. nullptr: go on.
  std::function<Then(std::string_view first_bytes)> gate;
  // Sent as soon as something came, instead of anything else; then the stream is closed.
  std::string raw_reply;
  // Answers a request head. nullptr: an empty 200.
  std::function<Reply(std::string_view head)> respond;
  std::vector<std::string> alpn = {"http/1.1"};
};

class Server {
 public:
  Server(Loop& loop, ServerOptions options);
  ~Server();
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] int connections() const;
  [[nodiscard]] const std::vector<std::string>& requests() const;  // heads, in order

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// "HTTP/1.1 200 OK" with a length and an HTML body of that title.
[[nodiscard]] std::string page(std::string_view title, std::size_t body_bytes = 0);

}  // namespace kua::test
