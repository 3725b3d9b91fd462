// The way out of the home network: which it is, and whether it answers. Reads routing and neighbour
// tables of /proc; needs no privilege.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/address.h"
#include "measurement/failure.h"
#include "probe/step/timeline.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

struct DefaultRoute {
  std::string interface;
  std::optional<IpAddress> gateway;  // nullopt: a point-to-point line has nobody to ask
  friend bool operator==(const DefaultRoute&, const DefaultRoute&) = default;
};

// The first default route, IPv4's before IPv6's, from the texts of /proc/net/route and
// /proc/net/ipv6_route. nullopt: there is none.
[[nodiscard]] std::optional<DefaultRoute> find_default_route(std::string_view route,
                                                             std::string_view ipv6_route);
// From the files of those names in a directory, /proc/net.
[[nodiscard]] std::optional<DefaultRoute> read_default_route(const std::string& proc_net);

// Whether the text of /proc/net/arp holds a complete entry for the address.
[[nodiscard]] bool is_neighbour(std::string_view arp, const IpAddress& address);

struct GatewayResult {
  bool reached = false;
  std::optional<FailureCode> failure;  // when not reached
};

// Three echo requests (ICMP datagram socket); where the system allows none (net.ipv4.ping_group_range), a
// datagram to the discard port: a refusal answers as well as an echo does, and a complete neighbour entry
// shows that ARP did. A point-to-point line counts as reached while its route stands.
[[nodiscard]] boost::asio::awaitable<GatewayResult> probe_gateway(Timeline timeline,
                                                                  std::shared_ptr<WireTally> tally,
                                                                  DefaultRoute route, std::string proc_net,
                                                                  MonotonicTime deadline);

}  // namespace kua::probe
