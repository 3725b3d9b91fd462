// A DoH server on loopback: HTTP/2 over TLS, answering DNS queries as the test decides.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/loopback/authority.h"
#include "tests/support/loopback/loop.h"
#include "wire/dns_message.h"

namespace kua::test {

struct DohServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  Identity identity;
  std::function<wire::DnsMessage(const wire::DnsMessage& query)> answer;
  int status = 200;
  std::string content_type = "application/dns-message";
  std::string alpn = "h2";
};

class DohServer {
 public:
  DohServer(Loop& loop, DohServerOptions options);
  ~DohServer();
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] int connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kua::test
