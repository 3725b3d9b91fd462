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
    : socket_(executor, socket, clock), family_(family), tally_(std::move(tally)) {}

TcpStream::~TcpStream() { add_tcp_socket(*tally_, socket(), family_, closing_); }

asio::awaitable<Ready> TcpStream::wait(WaitFor what, MonotonicTime deadline) {
  return socket_.wait(what, deadline);
}

void TcpStream::close_by_reset() {
  const linger at_once{1, 0};
  if (::setsockopt(socket(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0) {
    closing_ = Closing::by_reset;
  }
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
