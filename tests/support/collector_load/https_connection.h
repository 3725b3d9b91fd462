// One kept-alive HTTPS connection with blocking calls: a load generator's client, cheap enough not to be
// what is measured. It trusts whatever it meets; it only ever talks to loopback.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kua::load {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

class HttpsConnection {
 public:
  // nullopt: nobody listens, or the handshake failed. `address` is an IPv4 literal.
  [[nodiscard]] static std::optional<HttpsConnection> open(const std::string& address, std::uint16_t port);
  HttpsConnection(HttpsConnection&&) noexcept;
  HttpsConnection& operator=(HttpsConnection&&) noexcept;
  ~HttpsConnection();
  // nullopt: the connection broke; it is of no further use.
  [[nodiscard]] std::optional<HttpAnswer> ask(std::string_view request);

 private:
  struct Impl;
  explicit HttpsConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::load
