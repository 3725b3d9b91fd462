#include "probe/step/async_socket.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace kua::probe {

namespace asio = boost::asio;

// Shared with the timer's handler, which may run after the socket is gone.
struct AsyncSocket::State {
  State(const asio::any_io_executor& executor, int socket, const platform::Clock& clock_in)
      : descriptor(executor, socket), timer(executor), clock(clock_in) {}

  static void arm(const std::shared_ptr<State>& state, MonotonicTime deadline) {
    if (state->armed == deadline) return;
    state->armed = deadline;
    state->expired = false;
    state->timer.expires_after(deadline - state->clock.monotonic_now());
    state->timer.async_wait([state, deadline](const boost::system::error_code& problem) {
      if (problem || state->armed != deadline) return;
      state->expired = true;
      boost::system::error_code ignored;  // nothing waits: nothing to cancel
      state->descriptor.cancel(ignored);
    });
  }

  asio::posix::stream_descriptor descriptor;
  asio::steady_timer timer;
  const platform::Clock& clock;
  std::optional<MonotonicTime> armed;
  bool expired = false;
};

AsyncSocket::AsyncSocket(asio::any_io_executor executor, int descriptor, const platform::Clock& clock)
    : state_(std::make_shared<State>(executor, descriptor, clock)) {}

AsyncSocket::~AsyncSocket() {
  state_->armed.reset();
  state_->timer.cancel();
  boost::system::error_code ignored;  // a failed close leaves nothing to do
  state_->descriptor.close(ignored);
}

asio::awaitable<Ready> AsyncSocket::wait(WaitFor what, MonotonicTime deadline) {
  const std::shared_ptr<State> state = state_;
  State::arm(state, deadline);
  if (state->expired) co_return Ready::expired;
  const auto type = what == WaitFor::readable ? asio::posix::stream_descriptor::wait_read
                                              : asio::posix::stream_descriptor::wait_write;
  const auto [problem] =
      co_await state->descriptor.async_wait(type, asio::as_tuple(asio::use_awaitable));
  co_return problem ? Ready::expired : Ready::yes;
}

int AsyncSocket::descriptor() const noexcept { return state_->descriptor.native_handle(); }

}  // namespace kua::probe
