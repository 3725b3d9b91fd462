#include "measurement/vantage.h"

#include <array>
#include <utility>

namespace kua {
namespace {

template <typename Enum, std::size_t N>
using NameTable = std::array<std::pair<Enum, const char*>, N>;

constexpr NameTable<NetworkType, 4> kNetworkTypes{{{NetworkType::unknown, "unknown"},
                                                   {NetworkType::fixed, "fixed"},
                                                   {NetworkType::mobile, "mobile"},
                                                   {NetworkType::hosting, "hosting"}}};
constexpr NameTable<ResolverClass, 4> kResolverClasses{
    {{ResolverClass::unknown, "unknown"},
     {ResolverClass::network, "network"},
     {ResolverClass::third_party, "third_party"},
     {ResolverClass::local_filter, "local_filter"}}};
constexpr NameTable<LinkState, 6> kLinkStates{{{LinkState::unknown, "unknown"},
                                               {LinkState::online, "online"},
                                               {LinkState::captive, "captive"},
                                               {LinkState::dns_broken, "dns_broken"},
                                               {LinkState::international_cut, "international_cut"},
                                               {LinkState::offline, "offline"}}};
constexpr NameTable<ProbeRole, 2> kProbeRoles{
    {{ProbeRole::probe, "probe"}, {ProbeRole::control, "control"}}};

template <typename Enum, std::size_t N>
const char* name_of(const NameTable<Enum, N>& table, Enum value) noexcept {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return "unknown";
}

template <typename Enum, std::size_t N>
std::optional<Enum> value_of(const NameTable<Enum, N>& table, std::string_view text) noexcept {
  for (const auto& [entry, name] : table) {
    if (text == name) return entry;
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(NetworkType value) noexcept { return name_of(kNetworkTypes, value); }
const char* to_string(ResolverClass value) noexcept { return name_of(kResolverClasses, value); }
const char* to_string(LinkState value) noexcept { return name_of(kLinkStates, value); }
const char* to_string(ProbeRole value) noexcept { return name_of(kProbeRoles, value); }
std::optional<NetworkType> parse_network_type(std::string_view text) noexcept {
  return value_of(kNetworkTypes, text);
}
std::optional<ResolverClass> parse_resolver_class(std::string_view text) noexcept {
  return value_of(kResolverClasses, text);
}
std::optional<LinkState> parse_link_state(std::string_view text) noexcept {
  return value_of(kLinkStates, text);
}
std::optional<ProbeRole> parse_probe_role(std::string_view text) noexcept {
  return value_of(kProbeRoles, text);
}

}  // namespace kua
