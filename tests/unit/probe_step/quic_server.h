// A QUIC server on loopback that shakes hands for HTTP/3 and knows nothing more. Loopback loses nothing, so it
// repeats nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/loopback/authority.h"
#include "wire/bytes.h"

namespace kua::test {

class QuicServer {
 public:
  // Speaks `alpn` alone.
  QuicServer(const Identity& identity, std::string alpn);
  ~QuicServer();
  QuicServer(const QuicServer&) = delete;
  QuicServer& operator=(const QuicServer&) = delete;

  // What it sends back for one datagram of a client. The first one begins a connection, and there is one.
  [[nodiscard]] std::vector<wire::Bytes> answer(const wire::Bytes& datagram);
  [[nodiscard]] bool is_done() const;       // the handshake is complete
  [[nodiscard]] bool was_closed() const;    // the client said goodbye

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::test
