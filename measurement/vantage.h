// A vantage: where a probe looks from. It never holds an address of the probe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/names.h"

namespace kua {

// Stored values: never re-point one. The text forms are those of to_string.
enum class NetworkType : std::uint8_t { unknown = 0, fixed = 1, mobile = 2, hosting = 3 };

// Whose DNS answers the system resolver hands out. Only `network` lets an answer accuse the network.
enum class ResolverClass : std::uint8_t {
  unknown = 0,
  network = 1,       // the access network's own resolver
  third_party = 2,   // a public or family resolver the owner chose
  local_filter = 3,  // a router, Pi-hole or security product that filters by itself
};

// State of the line itself, judged before any target is.
enum class LinkState : std::uint8_t {
  unknown = 0,
  online = 1,
  captive = 2,
  dns_broken = 3,
  international_cut = 4,
  offline = 5,
};

enum class ProbeRole : std::uint8_t { probe = 0, control = 1 };

[[nodiscard]] const char* to_string(NetworkType value) noexcept;
[[nodiscard]] const char* to_string(ResolverClass value) noexcept;
[[nodiscard]] const char* to_string(LinkState value) noexcept;
[[nodiscard]] const char* to_string(ProbeRole value) noexcept;
[[nodiscard]] std::optional<NetworkType> parse_network_type(std::string_view text) noexcept;
[[nodiscard]] std::optional<ResolverClass> parse_resolver_class(std::string_view text) noexcept;
[[nodiscard]] std::optional<LinkState> parse_link_state(std::string_view text) noexcept;
[[nodiscard]] std::optional<ProbeRole> parse_probe_role(std::string_view text) noexcept;

struct Vantage {
  CountryCode country = *CountryCode::parse("ZZ");
  Asn asn;
  std::optional<Region> region;  // only where the owner opted in
  NetworkType network_type = NetworkType::unknown;
  ResolverClass resolver_class = ResolverClass::unknown;
  Asn resolver_asn;

  // Facts that silence accusations. Each is what the probe itself established.
  struct Faults {
    bool vpn = false;
    bool ipv6_broken = false;        // addresses and a route, and nothing comes back
    bool clock_wrong = false;        // wall clock off by more than limits allow
    bool tls_inspected = false;      // one private root on unrelated sites: antivirus, company proxy
    bool nat64 = false;              // not a fault, but addresses in 64:ff9b::/96 are to be expected
    friend bool operator==(const Faults&, const Faults&) = default;
  } faults;

  friend bool operator==(const Vantage&, const Vantage&) = default;
};

}  // namespace kua
