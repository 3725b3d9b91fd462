#include "probe/vantage/tunnel.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <memory>
#include <sstream>

#include "probe/step/socket_address.h"

namespace kua::probe {
namespace {

// Any public unicast address will do for the question; these are a root name server's (A).
constexpr const char* kSomewhere4 = "198.41.0.4";
constexpr const char* kSomewhere6 = "2001:503:ba3e::2:30";
constexpr std::uint16_t kDiscardPort = 9;

constexpr std::array kTunnelPrefixes = {"tun",    "tap",     "wg",        "utun",   "ipsec", "nordlynx",
                                        "proton", "mullvad", "tailscale", "outline", "zt",    "vpn"};

using InterfaceList = std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)>;

InterfaceList interfaces() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) first = nullptr;
  return {first, &::freeifaddrs};
}

bool other_link_is_up(std::string_view but) {
  const InterfaceList list = interfaces();
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    const bool usable = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
    const bool has_address = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET;
    if (usable && has_address && entry->ifa_name != but) return true;
  }
  return false;
}

std::string uevent_of(const std::string& interface) {
  std::ifstream file("/sys/class/net/" + interface + "/uevent");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_tunnel(const std::string& interface) {
  if (is_tunnel_name(interface) || is_wireguard(uevent_of(interface))) return true;
  return interface.starts_with("ppp") && other_link_is_up(interface);
}

}  // namespace

std::optional<std::string> outgoing_interface(Family family) {
  const auto to = IpAddress::parse(family == Family::ip4 ? kSomewhere4 : kSomewhere6);
  const int socket = ::socket(family_number(family), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::nullopt;
  const SocketAddress address = to_socket_address(Endpoint{*to, kDiscardPort, Transport::udp});
  const bool routed = ::connect(socket, address.get(), address.length) == 0;
  const auto own = routed ? local_address_of(socket) : std::nullopt;
  ::close(socket);
  if (!own) return std::nullopt;
  const InterfaceList list = interfaces();
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr != nullptr && address_of(*entry->ifa_addr) == own) return entry->ifa_name;
  }
  return std::nullopt;
}

bool is_tunnel_name(std::string_view interface) {
  return std::ranges::any_of(kTunnelPrefixes,
                             [&](const char* prefix) { return interface.starts_with(prefix); });
}

bool is_wireguard(const std::string& uevent_text) {
  return uevent_text.find("DEVTYPE=wireguard") != std::string::npos;
}

bool behind_tunnel() {
  for (const Family family : {Family::ip4, Family::ip6}) {
    if (const auto interface = outgoing_interface(family); interface && is_tunnel(*interface)) return true;
  }
  return false;
}

std::vector<IpAddress> interface_addresses() {
  std::vector<IpAddress> out;
  const InterfaceList list = interfaces();
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if (const auto address = address_of(*entry->ifa_addr)) out.push_back(*address);
  }
  return out;
}

Prefix network_of(const IpAddress& address, const IpAddress& mask) {
  constexpr int kSubnetBits6 = 64;  // RFC 4291 §2.5.1
  int bits = 0;
  for (const std::uint8_t byte : mask.bytes()) bits += std::popcount(byte);
  if (address.family() == Family::ip6) bits = std::min(bits, kSubnetBits6);
  const int all = static_cast<int>(address.bytes().size()) * 8;
  return Prefix::of(address, bits == 0 ? all : bits);
}

std::vector<Prefix> interface_networks() {
  std::vector<Prefix> out;
  const InterfaceList list = interfaces();
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_netmask == nullptr) continue;
    if ((entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const auto address = address_of(*entry->ifa_addr);
    const auto mask = address_of(*entry->ifa_netmask);
    if (address && mask && mask->family() == address->family()) out.push_back(network_of(*address, *mask));
  }
  return out;
}

}  // namespace kua::probe
