// A UDP socket that is connected to one endpoint: every datagram is counted, and what the network reports
// (an ICMP message behind ECONNREFUSED) is kept apart from failures of ours.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>

#include "measurement/error.h"
#include "measurement/failure.h"
#include "probe/step/async_socket.h"
#include "probe/step/socket_address.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

class DatagramSocket {
 public:
  struct Problem {
    FailureCode code = FailureCode::unknown_failure;
    std::optional<Error> instrument;  // it was our own
  };
  // Borrows `clock`.
  [[nodiscard]] static std::expected<DatagramSocket, Problem> open(boost::asio::any_io_executor executor,
                                                                  const Endpoint& endpoint,
                                                                  const platform::Clock& clock,
                                                                  std::shared_ptr<WireTally> tally);

  // A full send buffer is a lost datagram: who sends repeats.
  [[nodiscard]] std::optional<Problem> send(std::span<const std::uint8_t> datagram);
  // The size of a datagram that is there; nullopt: none is.
  [[nodiscard]] std::expected<std::optional<std::size_t>, Problem> receive(std::span<std::uint8_t> into);
  [[nodiscard]] boost::asio::awaitable<Ready> wait(MonotonicTime deadline);
  [[nodiscard]] SocketAddress local() const;
  [[nodiscard]] const SocketAddress& remote() const noexcept { return remote_; }

 private:
  DatagramSocket(std::unique_ptr<AsyncSocket> socket, SocketAddress remote, Family family,
                 std::shared_ptr<WireTally> tally);
  std::unique_ptr<AsyncSocket> socket_;
  SocketAddress remote_;
  Family family_;
  std::shared_ptr<WireTally> tally_;
};

}  // namespace kua::probe
