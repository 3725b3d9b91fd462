// What the forwarder is told on its start: the ends of the small internet, the probes' lines, the rules
// of the censor. Written by tests/lab/kualab as JSON; every member that is not listed is an error.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/time.h"
#include "tests/lab/forwarder/rule.h"

namespace kua::lab {

inline constexpr int kHops = 4;  // routed hops behind the gateway, numbered from 1

// A TUN device that the forwarder makes and holds, in the network namespace of this path.
struct EndPlan {
  std::string netns;
  std::string device;
  std::string capture;  // pcap file of what passes the device; empty: none
};

struct LinePlan {
  double loss = 0;
  Microseconds delay{0};
  std::uint32_t kbps = 0;  // 0: no limit
  bool ipv6_broken = false;
  bool captive = false;
  bool resolver_dead = false;
  bool nat64 = false;
  std::vector<std::string> filter;  // names that the home router answers with 0.0.0.0
  std::optional<Microseconds> down_from;
  std::optional<Microseconds> down_until;
};

// A home: one machine behind a gateway that translates its IPv4 address to a public one. IPv6 is not
// translated. With NAT64 the machine has no IPv4 and `inside4` is absent.
struct HomePlan {
  EndPlan end;
  std::optional<IpAddress> inside4;
  std::optional<IpAddress> inside6;
  IpAddress public4 = *IpAddress::parse("0.0.0.0");
  IpAddress gateway4 = *IpAddress::parse("0.0.0.0");
  std::optional<IpAddress> gateway6;
  std::optional<EndPlan> tunnel;  // of a VPN, whose traffic comes out elsewhere
  std::optional<IpAddress> tunnel4;
};

// Packets to `asked` go to `answered_by`, and what that answers comes from `asked`: how a control vantage
// meets another version of a site, and how HTTP/3 of a site is served by another program than the rest.
struct Alias {
  IpAddress asked;
  IpAddress answered_by;
};

struct ControlPlan {
  EndPlan end;
  std::vector<IpAddress> addresses;
  std::vector<Alias> aliases;
};

struct Plan {
  std::vector<HomePlan> homes;
  std::optional<ControlPlan> control;
  EndPlan world;
  std::array<std::vector<IpAddress>, kHops> routers;  // addresses of each hop, one a family
  LinePlan line;
  std::vector<Rule> rules;
  std::vector<IpAddress> resolvers;  // the network's own
  std::vector<IpAddress> collectors;
  std::vector<Alias> quic;           // of UDP 443, for everybody
  Endpoint portal{*IpAddress::parse("0.0.0.0"), 80, Transport::tcp};
  // Both from the run's start on: whoever is cut off then has joined before.
  bool collector_blocked = false;  // for homes
  bool control_uploads_blocked = false;
};

[[nodiscard]] Expected<Plan> read_plan(std::string_view json);

}  // namespace kua::lab
