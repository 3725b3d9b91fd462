#include "probe/step/tcp_connect.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "probe/step/contact_guard.h"
#include "probe/step/socket_address.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

// errno values of socket() and of an immediate connect() that speak of this machine, not of the network.
bool is_ours(int error_number, Family family) {
  switch (error_number) {
    case EADDRNOTAVAIL:  // the local ports are used up; or IPv6 with a route and no address
      return family == Family::ip4;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRINUSE:
    case EACCES:  // a local rule; from the path it arrives later, through SO_ERROR
    case EPERM:
    case EAGAIN:
      return true;
    default:
      return false;  // errno is an open set
  }
}

void set_flag(int socket, int level, int name) {
  const int on = 1;
  // An option the kernel refuses costs evidence or a little time, never correctness.
  (void)::setsockopt(socket, level, name, &on, sizeof on);
}

int open_socket(Family family) {
  const int socket =
      ::socket(family_number(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) return socket;
  set_flag(socket, IPPROTO_TCP, TCP_NODELAY);
  // From Linux 5.9 on the ICMP message behind a failed SYN waits in the error queue (ip(7), IP_RECVERR).
  if (family == Family::ip4) {
    set_flag(socket, IPPROTO_IP, IP_RECVERR);
  } else {
    set_flag(socket, IPPROTO_IPV6, IPV6_RECVERR);
  }
  return socket;
}

// A router whose address is private, or on our own subnet, stands at home or just behind: it accuses
// nobody. `peer` may itself be private in the lab, hence its own line first.
IcmpOrigin origin_of(const std::optional<IpAddress>& from, const IpAddress& peer, int socket) {
  if (!from) return IcmpOrigin::local;
  if (*from == peer) return IcmpOrigin::endpoint;
  if (is_home_address(*from)) return IcmpOrigin::local;
  const auto ours = local_address_of(socket);
  const int subnet_length = from->family() == Family::ip4 ? 24 : 64;
  if (ours && Prefix::of(*ours, subnet_length).contains(*from)) return IcmpOrigin::local;
  return IcmpOrigin::path;
}

std::optional<IcmpError> take_icmp_error(int socket, const IpAddress& peer) {
  std::array<char, 512> control{};
  std::array<char, 128> payload{};
  iovec data{payload.data(), payload.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const bool four = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
    const bool six = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
    if (!four && !six) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(part), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
    sockaddr_in6 offender{};  // behind the struct, of either family (SO_EE_OFFENDER)
    std::memcpy(&offender, CMSG_DATA(part) + sizeof error,
                six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    const auto from = address_of(reinterpret_cast<const sockaddr&>(offender));
    return IcmpError{error.ee_type, error.ee_code, origin_of(from, peer, socket)};
  }
  return std::nullopt;
}

bool is_writable(int socket) {
  pollfd one{socket, POLLOUT, 0};
  return ::poll(&one, 1, 0) == 1;
}

ConnectResult ended(const Timeline& timeline, Connect observation, std::optional<FailureCode> code) {
  observation.duration = timeline.offset() - observation.offset;
  if (code) observation.failure = Failure{*code, Operation::connect};
  ConnectResult out;
  out.observation = std::move(observation);
  return out;
}

ConnectResult failed_by_errno(const Timeline& timeline, Connect observation, int error_number) {
  const Family family = observation.endpoint.address.family();
  ConnectResult out = ended(timeline, std::move(observation), failure_from_errno(error_number));
  if (is_ours(error_number, family)) {
    out.instrument = Error{ErrorKind::io, std::strerror(error_number), "opening a TCP connection"};
  }
  return out;
}

}  // namespace

asio::awaitable<ConnectResult> tcp_connect(Timeline timeline, std::shared_ptr<WireTally> tally,
                                           ConnectOptions options) {
  Connect observation;
  static_cast<StepContext&>(observation) = std::move(options.context);
  observation.endpoint = options.endpoint;
  observation.offset = timeline.offset();

  const Family family = options.endpoint.address.family();
  const int socket = open_socket(family);
  if (socket < 0) co_return failed_by_errno(timeline, std::move(observation), errno);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto stream = std::make_unique<TcpStream>(executor, socket, family, *timeline.clock, std::move(tally));
  if (options.receive_buffer_bytes) stream->bound_receive_buffer(*options.receive_buffer_bytes);

  const SocketAddress address = to_socket_address(options.endpoint);
  if (::connect(socket, address.get(), address.length) != 0) {
    if (errno != EINPROGRESS) co_return failed_by_errno(timeline, std::move(observation), errno);
    const Ready ready = co_await stream->wait(WaitFor::writable, options.deadline);
    if (ready == Ready::expired && !is_writable(socket)) {  // answered, while the machine was too busy to look?
      co_return ended(timeline, std::move(observation), FailureCode::generic_timeout_error);
    }
    int error_number = 0;
    socklen_t length = sizeof error_number;
    (void)::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error_number, &length);
    if (error_number != 0) {
      observation.icmp = take_icmp_error(socket, options.endpoint.address);
      co_return ended(timeline, std::move(observation), failure_from_errno(error_number));
    }
  }
  ConnectResult out = ended(timeline, std::move(observation), std::nullopt);
  out.stream = std::move(stream);
  co_return out;
}

}  // namespace kua::probe
