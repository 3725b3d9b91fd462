#include "probe/step/tcp_stream.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "probe/step/socket_address.h"

namespace kua::probe {

namespace asio = boost::asio;

// Shared with the timer's handler, which may run after the stream is gone.
struct TcpStream::State {
  State(const asio::any_io_executor& executor, int socket_in, Family family_in,
        const platform::Clock& clock_in, std::shared_ptr<WireTally> tally_in)
      : descriptor(executor, socket_in),
        timer(executor),
        family(family_in),
        clock(clock_in),
        tally(std::move(tally_in)) {}

  // One timer for a whole step: waits under the same deadline find it armed.
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
  Family family;
  const platform::Clock& clock;
  std::shared_ptr<WireTally> tally;
  std::optional<MonotonicTime> armed;
  bool expired = false;
};

TcpStream::TcpStream(asio::any_io_executor executor, int socket, Family family,
                     const platform::Clock& clock, std::shared_ptr<WireTally> tally)
    : state_(std::make_shared<State>(executor, socket, family, clock, std::move(tally))) {}

TcpStream::~TcpStream() {
  state_->armed.reset();
  state_->timer.cancel();
  add_tcp_socket(*state_->tally, socket(), state_->family);
  boost::system::error_code ignored;  // a failed close leaves nothing to do
  state_->descriptor.close(ignored);
}

asio::awaitable<Ready> TcpStream::wait(WaitFor what, MonotonicTime deadline) {
  const std::shared_ptr<State> state = state_;
  State::arm(state, deadline);
  if (state->expired) co_return Ready::expired;
  const auto type = what == WaitFor::readable ? asio::posix::stream_descriptor::wait_read
                                              : asio::posix::stream_descriptor::wait_write;
  const auto [problem] =
      co_await state->descriptor.async_wait(type, asio::as_tuple(asio::use_awaitable));
  co_return problem ? Ready::expired : Ready::yes;
}

IoResult TcpStream::read_some(std::span<char> into) {
  const ssize_t got = ::recv(socket(), into.data(), into.size(), 0);
  if (got > 0) return {IoResult::Kind::done, static_cast<std::size_t>(got)};
  if (got == 0) return {IoResult::Kind::closed};
  if (errno == EAGAIN || errno == EINTR) return {IoResult::Kind::want_read};
  return {IoResult::Kind::failed, 0, failure_from_errno(errno)};
}

IoResult TcpStream::write_some(std::string_view bytes) {
  const ssize_t put = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (put >= 0) return {IoResult::Kind::done, static_cast<std::size_t>(put)};
  if (errno == EAGAIN || errno == EINTR) return {IoResult::Kind::want_write};
  return {IoResult::Kind::failed, 0, failure_from_errno(errno)};
}

int TcpStream::socket() const noexcept { return state_->descriptor.native_handle(); }

std::optional<IpAddress> TcpStream::local_address() const { return local_address_of(socket()); }

const platform::Clock& TcpStream::clock() const noexcept { return state_->clock; }

namespace {

// What comes after an attempt: nullopt to try again, otherwise the end of the operation.
asio::awaitable<std::optional<IoResult>> settle(ByteStream& stream, IoResult attempt,
                                                MonotonicTime deadline) {
  Ready ready = Ready::yes;
  switch (attempt.kind) {
    case IoResult::Kind::want_read:
      ready = co_await stream.tcp().wait(WaitFor::readable, deadline);
      break;
    case IoResult::Kind::want_write:
      ready = co_await stream.tcp().wait(WaitFor::writable, deadline);
      break;
    case IoResult::Kind::done:
    case IoResult::Kind::closed:
    case IoResult::Kind::failed:
      co_return attempt;
  }
  if (ready == Ready::yes) co_return std::nullopt;
  co_return IoResult{IoResult::Kind::failed, 0, FailureCode::generic_timeout_error};
}

}  // namespace

asio::awaitable<IoResult> read(ByteStream& stream, std::span<char> into, MonotonicTime deadline) {
  while (true) {
    const IoResult attempt = stream.read_some(into);
    if (attempt.kind == IoResult::Kind::done) co_return attempt;
    const std::optional<IoResult> end = co_await settle(stream, attempt, deadline);
    if (end) co_return *end;
  }
}

asio::awaitable<IoResult> write(ByteStream& stream, std::string_view bytes, MonotonicTime deadline) {
  const std::size_t whole = bytes.size();
  while (!bytes.empty()) {
    const IoResult attempt = stream.write_some(bytes);
    if (attempt.kind == IoResult::Kind::done) {
      bytes.remove_prefix(attempt.bytes);
      continue;
    }
    const std::optional<IoResult> end = co_await settle(stream, attempt, deadline);
    if (end) co_return *end;
  }
  co_return IoResult{IoResult::Kind::done, whole};
}

}  // namespace kua::probe
