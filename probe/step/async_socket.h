// A non-blocking socket with waits that have an absolute deadline. One timer serves a whole step: waits
// under the same deadline find it armed. Not for several threads.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>

#include "measurement/time.h"
#include "platform/clock/clock.h"

namespace kua::probe {

enum class Ready : std::uint8_t { yes, expired };
enum class WaitFor : std::uint8_t { readable, writable };

// Owns the descriptor; destruction closes it and ends a wait as expired.
class AsyncSocket {
 public:
  // Borrows `clock`.
  AsyncSocket(boost::asio::any_io_executor executor, int descriptor, const platform::Clock& clock);
  ~AsyncSocket();
  AsyncSocket(const AsyncSocket&) = delete;
  AsyncSocket& operator=(const AsyncSocket&) = delete;

  // One wait at a time.
  [[nodiscard]] boost::asio::awaitable<Ready> wait(WaitFor what, MonotonicTime deadline);
  [[nodiscard]] int descriptor() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kua::probe
