// A TCP connection and the bytes that flow over it, with or without TLS. Operations never block: they do
// what can be done now, and a wait with an absolute deadline stands beside them. Not for several threads.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "measurement/address.h"
#include "measurement/failure.h"
#include "measurement/time.h"
#include "platform/clock/clock.h"
#include "probe/step/async_socket.h"
#include "probe/step/farewell.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

// How one attempt to read or write ended.
struct IoResult {
  enum class Kind : std::uint8_t {
    done,        // `bytes` of them, at least one
    want_read,   // nothing now: wait until readable and try again
    want_write,  // nothing now: wait until writable and try again
    closed,      // the peer ended the stream in order
    failed,      // `code` says how
  };
  Kind kind = Kind::done;
  std::size_t bytes = 0;
  FailureCode code = FailureCode::unknown_failure;
};

class TcpStream;

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  [[nodiscard]] virtual IoResult read_some(std::span<char> into) = 0;
  [[nodiscard]] virtual IoResult write_some(std::string_view bytes) = 0;
  [[nodiscard]] virtual TcpStream& tcp() = 0;
};

// Owns the socket. Destruction gives it up: what it cost is in the tally when its farewell is over
// (probe/step/farewell.h).
class TcpStream final : public ByteStream {
 public:
  // Takes an unconnected non-blocking socket of `family`. Borrows `clock`.
  TcpStream(boost::asio::any_io_executor executor, int socket, Family family,
            const platform::Clock& clock, std::shared_ptr<WireTally> tally);
  ~TcpStream() override;
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  // Waits until the socket is ready or `deadline` has passed. One wait at a time.
  [[nodiscard]] boost::asio::awaitable<Ready> wait(WaitFor what, MonotonicTime deadline);

  [[nodiscard]] IoResult read_some(std::span<char> into) override;
  [[nodiscard]] IoResult write_some(std::string_view bytes) override;
  [[nodiscard]] TcpStream& tcp() override { return *this; }

  // Bounds what a peer may send ahead of what is read. Before the connect.
  void bound_receive_buffer(int bytes);
  // When it closes, without a goodbye: one segment instead of four, where nothing is left to say.
  void close_by_reset() noexcept { farewell_ = Farewell::immediately; }
  // It will be closed although the peer has more to send.
  void close_in_the_middle() noexcept;
  [[nodiscard]] int socket() const noexcept { return socket_->descriptor(); }
  // The address the socket is bound to: to be scrubbed, never to be recorded.
  [[nodiscard]] std::optional<IpAddress> local_address() const;
 private:
  boost::asio::any_io_executor executor_;
  const platform::Clock& clock_;
  std::unique_ptr<AsyncSocket> socket_;
  Family family_;
  std::shared_ptr<WireTally> tally_;
  Farewell farewell_ = Farewell::in_order;
  bool bounded_ = false;
};

// Reads at least one byte, waiting where needed. Kinds: done, closed, failed; a passed deadline is
// `failed` with generic_timeout_error. Borrows both until it is done.
[[nodiscard]] boost::asio::awaitable<IoResult> read(ByteStream& stream, std::span<char> into,
                                                    MonotonicTime deadline);
// Writes all of `bytes`; kinds: done, failed.
[[nodiscard]] boost::asio::awaitable<IoResult> write(ByteStream& stream, std::string_view bytes,
                                                     MonotonicTime deadline);

}  // namespace kua::probe
