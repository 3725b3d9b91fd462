#include "probe/step/tcp_stream.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "probe/step/socket_address.h"

namespace kua::probe {

namespace asio = boost::asio;

TcpStream::TcpStream(asio::any_io_executor executor, int socket, Family family,
                     const platform::Clock& clock, std::shared_ptr<WireTally> tally)
    : executor_(executor),
      clock_(clock),
      socket_(std::make_unique<AsyncSocket>(executor, socket, clock)),
      family_(family),
      tally_(std::move(tally)) {}

TcpStream::~TcpStream() {
  bid_farewell(executor_, std::move(socket_), family_, clock_, std::move(tally_), farewell_);
}

asio::awaitable<Ready> TcpStream::wait(WaitFor what, MonotonicTime deadline) {
  return socket_->wait(what, deadline);
}

void TcpStream::bound_receive_buffer(int bytes) {
  bounded_ = ::setsockopt(socket(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0;
}

void TcpStream::close_in_the_middle() noexcept {
  farewell_ = bounded_ ? Farewell::when_quiet : Farewell::immediately;
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

std::optional<IpAddress> TcpStream::local_address() const { return local_address_of(socket()); }

namespace {

constexpr IoResult kTimedOut{IoResult::Kind::failed, 0, FailureCode::generic_timeout_error};

bool wants_more(const IoResult& attempt) {
  return attempt.kind == IoResult::Kind::want_read || attempt.kind == IoResult::Kind::want_write;
}

// Waits for what the attempt wants.
asio::awaitable<Ready> wait_for(ByteStream& stream, IoResult attempt, MonotonicTime deadline) {
  const WaitFor what =
      attempt.kind == IoResult::Kind::want_read ? WaitFor::readable : WaitFor::writable;
  co_return co_await stream.tcp().wait(what, deadline);
}

}  // namespace

// In all of these the deadline is followed by one last attempt: what arrived while the machine was too
// busy to look has arrived in time.
asio::awaitable<IoResult> read(ByteStream& stream, std::span<char> into, MonotonicTime deadline) {
  IoResult attempt = stream.read_some(into);
  Ready ready = Ready::yes;
  while (wants_more(attempt) && ready == Ready::yes) {
    ready = co_await wait_for(stream, attempt, deadline);
    attempt = stream.read_some(into);
  }
  co_return wants_more(attempt) ? kTimedOut : attempt;
}

asio::awaitable<IoResult> write(ByteStream& stream, std::string_view bytes, MonotonicTime deadline) {
  const std::size_t whole = bytes.size();
  Ready ready = Ready::yes;
  while (!bytes.empty()) {
    const IoResult attempt = stream.write_some(bytes);
    if (attempt.kind == IoResult::Kind::done) {
      bytes.remove_prefix(attempt.bytes);
      continue;
    }
    if (!wants_more(attempt)) co_return attempt;
    if (ready == Ready::expired) co_return kTimedOut;
    ready = co_await wait_for(stream, attempt, deadline);
  }
  co_return IoResult{IoResult::Kind::done, whole};
}

}  // namespace kua::probe
