// The protocol engine of one QUIC client connection up to the end of its handshake: ngtcp2 with GnuTLS,
// without a socket or a clock of its own. Both libraries stay inside quic_client.cc.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/time.h"
#include "probe/step/socket_address.h"

namespace kua::probe {

class QuicClient {
 public:
  enum class Phase : std::uint8_t {
    shaking,
    done,             // the handshake is complete
    closed,           // CONNECTION_CLOSE came
    other_version,    // Version Negotiation came in answer to version 1
    failed,           // what came could not be accepted
  };
  // `server_name` empty: none is sent. An error is this machine's own, as a policy of its GnuTLS without TLS 1.3.
  [[nodiscard]] static std::expected<QuicClient, Error> open(const SocketAddress& local, const SocketAddress& remote,
                                                             const std::string& server_name, MonotonicTime now);
  ~QuicClient();
  QuicClient(QuicClient&&) noexcept;
  QuicClient& operator=(QuicClient&&) = delete;

  [[nodiscard]] Phase phase() const noexcept;
  // The next datagram to be sent now, written into `into`; its size, 0: none.
  [[nodiscard]] std::size_t write(std::span<std::uint8_t> into, MonotonicTime now);
  // The same for the one that ends the connection; call once, last.
  [[nodiscard]] std::size_t write_close(std::span<std::uint8_t> into, MonotonicTime now);
  void receive(std::span<const std::uint8_t> datagram, MonotonicTime now);
  // When tick() is due, unless a datagram comes before.
  [[nodiscard]] MonotonicTime next_tick() const;
  void tick(MonotonicTime now);

  [[nodiscard]] std::string version() const;  // empty: no packet of the server was understood
  [[nodiscard]] std::string cipher() const;
  [[nodiscard]] std::string alpn() const;
  [[nodiscard]] std::optional<std::uint64_t> close_code() const;
  [[nodiscard]] std::vector<std::string> chain() const;  // DER, leaf first

 private:
  struct Impl;
  explicit QuicClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::probe
