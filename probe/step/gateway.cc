#include "probe/step/gateway.h"

#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>
#include <vector>

#include "probe/step/async_socket.h"
#include "probe/step/socket_address.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::uint32_t kRouteUp = 0x1;  // RTF_UP, RTF_GATEWAY, RTF_REJECT of linux/route.h
constexpr std::uint32_t kRouteGateway = 0x2;
constexpr std::uint32_t kRouteReject = 0x200;
constexpr std::uint32_t kArpComplete = 0x2;  // ATF_COM
constexpr std::uint16_t kDiscardPort = 9;
constexpr int kEchoes = 3;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const auto end = line.find_first_of(" \t");
    words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end);
  }
}

template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    visit(words_of(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> from_hex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses as the machine's own words.
std::optional<DefaultRoute> route_of(const std::vector<std::string_view>& words) {
  if (words.size() < 8 || words[1] != "00000000" || words[7] != "00000000") return std::nullopt;
  const auto flags = from_hex(words[3]);
  const auto gateway = from_hex(words[2]);
  if (!flags || !gateway || (*flags & kRouteUp) == 0 || (*flags & kRouteReject) != 0) return std::nullopt;
  DefaultRoute out{std::string(words[0]), std::nullopt};
  if ((*flags & kRouteGateway) != 0) {
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &*gateway, bytes.size());
    out.gateway = IpAddress::from_bytes(bytes);
  }
  return out;
}

// Destination length source length next-hop metric references uses flags interface
std::optional<DefaultRoute> route6_of(const std::vector<std::string_view>& words) {
  if (words.size() < 10 || words[1] != "00" || words[9] == "lo") return std::nullopt;
  if (words[0].find_first_not_of('0') != std::string_view::npos || words[4].size() != 32) return std::nullopt;
  const auto flags = from_hex(words[8]);
  if (!flags || (*flags & kRouteUp) == 0 || (*flags & kRouteReject) != 0) return std::nullopt;
  DefaultRoute out{std::string(words[9]), std::nullopt};
  if ((*flags & kRouteGateway) != 0) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(from_hex(words[4].substr(2 * i, 2)).value_or(0));
    }
    out.gateway = IpAddress::from_bytes(bytes);
  }
  return out;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// An echo request; the kernel fills in identifier and checksum of a datagram socket's.
std::array<std::uint8_t, 8> echo_request(Family family, int sequence) {
  std::array<std::uint8_t, 8> out{};
  out[0] = family == Family::ip4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
  out[7] = static_cast<std::uint8_t>(sequence);
  return out;
}

bool is_echo_reply(Family family, std::span<const std::uint8_t> bytes) {
  const std::uint8_t wanted = family == Family::ip4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
  return !bytes.empty() && bytes.front() == wanted;
}

SocketAddress gateway_address(const DefaultRoute& route, std::uint16_t port) {
  SocketAddress out = to_socket_address({*route.gateway, port, Transport::udp});
  if (route.gateway->family() == Family::ip6) {  // link-local next hops need their interface
    sockaddr_in6 six{};
    std::memcpy(&six, &out.storage, sizeof six);
    six.sin6_scope_id = ::if_nametoindex(route.interface.c_str());
    std::memcpy(&out.storage, &six, sizeof six);
  }
  return out;
}

// A connected datagram socket: of ICMP where the system lets us, else of UDP to the discard port.
struct Asker {
  int socket = -1;
  bool icmp = false;
};

Asker open_asker(const DefaultRoute& route) {
  const Family family = route.gateway->family();
  const int flags = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const int protocol = family == Family::ip4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
  Asker asker{::socket(family_number(family), flags, protocol), true};
  if (asker.socket < 0) asker = {::socket(family_number(family), flags, 0), false};
  if (asker.socket < 0) return asker;
  const SocketAddress address = gateway_address(route, asker.icmp ? 0 : kDiscardPort);
  if (::connect(asker.socket, address.get(), address.length) != 0) {
    ::close(asker.socket);
    asker.socket = -1;
  }
  return asker;
}

// What came back on a readable socket.
bool is_answer(const Asker& asker, Family family, WireTally& tally) {
  std::array<std::uint8_t, 256> buffer{};
  const ssize_t got = ::recv(asker.socket, buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == ECONNREFUSED;  // the gateway's own "port unreachable"
  const auto bytes = std::span(buffer).first(static_cast<std::size_t>(got));
  // The tally adds a UDP header; an echo's own eight bytes stand in its place.
  const std::size_t payload = asker.icmp && bytes.size() >= 8 ? bytes.size() - 8 : bytes.size();
  add_datagram(tally, Direction::received, family, payload);
  return !asker.icmp || is_echo_reply(family, bytes);
}

}  // namespace

std::optional<DefaultRoute> find_default_route(std::string_view route, std::string_view ipv6_route) {
  std::optional<DefaultRoute> found;
  for_each_line(route, [&](const auto& words) {
    if (!found) found = route_of(words);
  });
  for_each_line(ipv6_route, [&](const auto& words) {
    if (!found) found = route6_of(words);
  });
  return found;
}

std::optional<DefaultRoute> read_default_route(const std::string& proc_net) {
  return find_default_route(text_of(proc_net + "/route"), text_of(proc_net + "/ipv6_route"));
}

bool is_neighbour(std::string_view arp, const IpAddress& address) {
  bool complete = false;
  for_each_line(arp, [&](const auto& words) {
    if (words.size() < 4 || IpAddress::parse(words[0]) != address) return;
    complete = (from_hex(words[2]).value_or(0) & kArpComplete) != 0;
  });
  return complete;
}

asio::awaitable<GatewayResult> probe_gateway(Timeline timeline, std::shared_ptr<WireTally> tally,
                                             DefaultRoute route, std::string proc_net,
                                             MonotonicTime deadline) {
  GatewayResult out;
  if (!route.gateway) {
    out.reached = true;
    co_return out;
  }
  const Asker asker = open_asker(route);
  if (asker.socket < 0) {
    out.failure = failure_from_errno(errno);
    co_return out;
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  AsyncSocket socket(executor, asker.socket, *timeline.clock);
  const Family family = route.gateway->family();
  const Microseconds share = (deadline - timeline.now()) / kEchoes;
  for (int i = 0; i < kEchoes && !out.reached; ++i) {
    const auto request = echo_request(family, i);
    const std::size_t length = asker.icmp ? request.size() : 1;
    if (::send(asker.socket, request.data(), length, MSG_NOSIGNAL) < 0) {
      out.reached = errno == ECONNREFUSED;  // the answer to the one before
      out.failure = failure_from_errno(errno);
      continue;
    }
    add_datagram(*tally, Direction::sent, family, asker.icmp ? 0 : length);
    out.failure = FailureCode::generic_timeout_error;
    const MonotonicTime until = timeline.now() + share;
    const Ready ready = co_await socket.wait(WaitFor::readable, until);
    out.reached = ready == Ready::yes ? is_answer(asker, family, *tally)
                                      : !asker.icmp && is_neighbour(text_of(proc_net + "/arp"), *route.gateway);
  }
  if (out.reached) out.failure.reset();
  co_return out;
}

}  // namespace kua::probe
