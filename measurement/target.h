// A target: a stable thing being assessed, a web page or a service with several endpoints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/names.h"

namespace kua {

// How often a target is measured; `control` targets tell the state of the line and accuse nobody.
enum class Tier : std::uint8_t { key = 0, core = 1, full = 2, control = 3 };

// What has to be reached for a service to count as reachable.
enum class ServiceRule : std::uint8_t { any = 0, all = 1 };

// For targets of tier `control`: which side of the border they stand on.
enum class ControlScope : std::uint8_t { none = 0, national = 1, international = 2 };

[[nodiscard]] const char* to_string(Tier value) noexcept;
[[nodiscard]] const char* to_string(ServiceRule value) noexcept;
[[nodiscard]] const char* to_string(ControlScope value) noexcept;
[[nodiscard]] std::optional<Tier> parse_tier(std::string_view text) noexcept;
[[nodiscard]] std::optional<ServiceRule> parse_service_rule(std::string_view text) noexcept;
[[nodiscard]] std::optional<ControlScope> parse_control_scope(std::string_view text) noexcept;

struct ServiceEndpoint {
  std::string host;  // a DomainName's text, or an address literal
  std::uint16_t port = 443;
  Transport transport = Transport::tcp;
  bool tls = true;  // a TLS handshake follows the connect
  friend bool operator==(const ServiceEndpoint&, const ServiceEndpoint&) = default;
};

struct Target {
  TargetId id;
  std::string url;                         // web pages; empty for a service
  std::vector<ServiceEndpoint> endpoints;  // services; empty for a web page
  ServiceRule rule = ServiceRule::any;
  std::string category;  // Citizen Lab's category code, "NEWS"
  Tier tier = Tier::full;
  ControlScope scope = ControlScope::none;
  std::optional<CountryCode> country;  // nullopt: a global target
  friend bool operator==(const Target&, const Target&) = default;
};

// Citizen Lab's category codes plus "CTRL" for controls; anything else is folded to "MISC" on export
// so that label values stay a closed set.
[[nodiscard]] bool is_known_category(std::string_view code) noexcept;

}  // namespace kua
