#include "probe/step/datagram_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kua::probe {

namespace asio = boost::asio;

namespace {

DatagramSocket::Problem explain(int error_number, const char* doing) {
  DatagramSocket::Problem out;
  out.code = failure_from_errno(error_number);
  switch (error_number) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRINUSE:
    case EPERM:  // a rule of this machine's own filter
      out.instrument = Error{ErrorKind::io, std::strerror(error_number), doing};
      break;
    default:
      break;  // errno is an open set
  }
  return out;
}

// A first datagram of QUIC must not be fragmented (RFC 9000 §14).
void forbid_fragments(int socket, Family family) {
  const int four = IP_PMTUDISC_DO;
  const int six = IPV6_PMTUDISC_DO;
  // What the kernel refuses here costs nothing on a line of ordinary MTU.
  if (family == Family::ip4) {
    (void)::setsockopt(socket, IPPROTO_IP, IP_MTU_DISCOVER, &four, sizeof four);
  } else {
    (void)::setsockopt(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &six, sizeof six);
  }
}

}  // namespace

DatagramSocket::DatagramSocket(std::unique_ptr<AsyncSocket> socket, SocketAddress remote, Family family,
                               std::shared_ptr<WireTally> tally)
    : socket_(std::move(socket)), remote_(remote), family_(family), tally_(std::move(tally)) {}

std::expected<DatagramSocket, DatagramSocket::Problem> DatagramSocket::open(
    asio::any_io_executor executor, const Endpoint& endpoint, const platform::Clock& clock,
    std::shared_ptr<WireTally> tally) {
  constexpr char kDoing[] = "opening a UDP socket";
  const Family family = endpoint.address.family();
  const int socket = ::socket(family_number(family), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (socket < 0) return std::unexpected(explain(errno, kDoing));
  auto owner = std::make_unique<AsyncSocket>(std::move(executor), socket, clock);
  forbid_fragments(socket, family);
  const SocketAddress remote = to_socket_address(endpoint);
  if (::connect(socket, remote.get(), remote.length) != 0) return std::unexpected(explain(errno, kDoing));
  return DatagramSocket(std::move(owner), remote, family, std::move(tally));
}

std::optional<DatagramSocket::Problem> DatagramSocket::send(std::span<const std::uint8_t> datagram) {
  const ssize_t sent = ::send(socket_->descriptor(), datagram.data(), datagram.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    add_datagram(*tally_, Direction::sent, family_, datagram.size());
    return std::nullopt;
  }
  if (errno == EAGAIN || errno == EINTR) return std::nullopt;
  return explain(errno, "sending a datagram");
}

std::expected<std::optional<std::size_t>, DatagramSocket::Problem> DatagramSocket::receive(
    std::span<std::uint8_t> into) {
  const ssize_t got = ::recv(socket_->descriptor(), into.data(), into.size(), 0);
  if (got >= 0) {
    add_datagram(*tally_, Direction::received, family_, static_cast<std::size_t>(got));
    return static_cast<std::size_t>(got);
  }
  if (errno == EAGAIN || errno == EINTR) return std::nullopt;
  return std::unexpected(explain(errno, "receiving a datagram"));
}

asio::awaitable<Ready> DatagramSocket::wait(MonotonicTime deadline) {
  return socket_->wait(WaitFor::readable, deadline);
}

SocketAddress DatagramSocket::local() const {
  SocketAddress out;
  out.length = sizeof out.storage;
  if (::getsockname(socket_->descriptor(), reinterpret_cast<sockaddr*>(&out.storage), &out.length) != 0) {
    out.length = 0;
  }
  return out;
}

}  // namespace kua::probe
