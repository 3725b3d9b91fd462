// A DNS responder on loopback: what a query is answered with is decided by the test.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "measurement/address.h"
#include "tests/support/loopback/loop.h"
#include "wire/dns_message.h"

namespace kua::test {

struct TimedReply {
  wire::DnsMessage message;
  std::chrono::milliseconds after{0};
};

class DnsServer {
 public:
  // For each query the replies to send, in order.
  using Answer = std::function<std::vector<TimedReply>(const wire::DnsMessage& query)>;
  // Throws boost::system::system_error where the port may not be bound.
  DnsServer(Loop& loop, Answer answer, const std::string& address = "127.0.0.1", std::uint16_t port = 0);
  ~DnsServer();
  [[nodiscard]] Endpoint endpoint() const;
  [[nodiscard]] int queries() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// An answer that gives the addresses of the query's type; empty NOERROR where there are none.
[[nodiscard]] wire::DnsMessage addresses_reply(const wire::DnsMessage& query,
                                               const std::vector<std::string>& addresses);
// An Answer that knows one name.
[[nodiscard]] DnsServer::Answer zone(const std::string& name, std::vector<std::string> addresses);

}  // namespace kua::test
