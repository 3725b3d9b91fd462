// Whether what this machine sends leaves through a tunnel. Behind a VPN nothing is tested: what was seen
// there would be told of the wrong network.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"

namespace kua::probe {

// The interface by which the kernel would send to a public address, policy routing included (VPN clients
// route by rules and leave the main table's default route alone). Asks the kernel, sends nothing.
// nullopt: there is no route.
[[nodiscard]] std::optional<std::string> outgoing_interface(Family family);

// By the names that VPN clients give their interfaces, and by the kernel's own word for WireGuard.
// A ppp interface is a tunnel only where another interface has the machine's link: on a router that dials
// by PPPoE it is the line itself.
[[nodiscard]] bool is_tunnel_name(std::string_view interface);
[[nodiscard]] bool is_wireguard(const std::string& uevent_text);

[[nodiscard]] bool behind_tunnel();

// The addresses of this machine's interfaces, loopback apart.
[[nodiscard]] std::vector<IpAddress> interface_addresses();
// The networks they lie in, at the time of asking.
[[nodiscard]] std::vector<Prefix> interface_networks();
// An address and its netmask. Over IPv6 the /64 at least, since a lease by DHCPv6 comes as a /128; a mask
// of no bits says nothing of neighbours and leaves the address alone.
[[nodiscard]] Prefix network_of(const IpAddress& address, const IpAddress& mask);

}  // namespace kua::probe
