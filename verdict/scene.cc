#include "verdict/scene.h"

#include <algorithm>

namespace kua::verdict {
namespace {

constexpr std::size_t kPlacesMax = 200;  // hosts, and stops; a probe follows ten redirects
constexpr std::size_t kAddressesMax = 256;  // of a host; four a family are tried

// The entry of `address`, made if need be; nullptr beyond the room.
KnownAddress* entry_for(Site& site, const IpAddress& address) {
  for (KnownAddress& known : site.addresses) {
    if (known.address == address) return &known;
  }
  if (site.addresses.size() == kAddressesMax) return nullptr;
  return &site.addresses.emplace_back(KnownAddress{.address = address});
}

}  // namespace

const KnownAddress* Site::find(const IpAddress& address) const noexcept {
  const auto found = std::ranges::find(addresses, address, &KnownAddress::address);
  return found == addresses.end() ? nullptr : &*found;
}

bool Site::has_truth() const noexcept {
  return is_literal || std::ranges::any_of(addresses, [](const KnownAddress& known) {
           return known.by_doh || known.by_udp || known.by_control || known.proven;
         });
}

bool Site::is_vouched(const IpAddress& address) const noexcept {
  if (is_literal) return true;
  const KnownAddress* known = find(address);
  if (known == nullptr) return false;
  return known->proven || known->by_control || known->by_doh || (known->by_udp && !doh_answered);
}

Standing standing_of(const Scene& scene, const Site& site, const IpAddress& address) noexcept {
  if (site.is_vouched(address)) return Standing::vouched;
  const bool unopposed = !site.has_truth() && scene.measurement().header.vantage.resolver_class ==
                                                  ResolverClass::network;
  return unopposed ? Standing::unopposed : Standing::claimed;
}

Scene::Scene(const Measurement& measurement, std::span<const ControlView> controls,
             const Knowledge& knowledge)
    : measurement_(measurement), knowledge_(knowledge) {
  place_all();
  learn_addresses(controls);
  learn_line();
}

bool Scene::is_public(const IpAddress& address) const noexcept {
  return kua::is_public(address, knowledge_.routable);
}

std::uint8_t Scene::site_for(const StepContext& step) {
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (sites_[i].host == step.host) return static_cast<std::uint8_t>(i);
  }
  if (sites_.size() == kPlacesMax) return kNowhere;
  Site& site = sites_.emplace_back();
  site.host = step.host;
  site.first_hop = step.hop;
  // Only text that can be an address is worth parsing.
  const char last = step.host.empty() ? 'x' : step.host.back();
  site.is_literal = ((last >= '0' && last <= '9') || step.host.find(':') != std::string::npos) &&
                    IpAddress::parse(step.host).has_value();
  return static_cast<std::uint8_t>(sites_.size() - 1);
}

std::uint8_t Scene::stop_for(const StepContext& step, std::uint8_t site, const Endpoint& endpoint) {
  if (site == kNowhere) return kNowhere;
  const std::size_t family = endpoint.address.family() == Family::ip6 ? 1 : 0;
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    if (stops_[i].site == site && stops_[i].hop == step.hop && stops_[i].port == endpoint.port) {
      stops_[i].family[family] = true;
      return static_cast<std::uint8_t>(i);
    }
  }
  if (stops_.size() == kPlacesMax) return kNowhere;
  stops_.push_back({step.hop, endpoint.port, site, {family == 0, family == 1}});
  return static_cast<std::uint8_t>(stops_.size() - 1);
}

void Scene::place_all() {
  places_.resize(measurement_.observations.size());
  sites_.reserve(4);
  stops_.reserve(4);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Observation& observation = measurement_.observations[i];
    if (const auto* lookup = std::get_if<Lookup>(&observation)) {
      places_[i].site = site_for(*lookup);
    } else if (const auto* connect = std::get_if<Connect>(&observation)) {
      places_[i].site = site_for(*connect);
      places_[i].stop = stop_for(*connect, places_[i].site, connect->endpoint);
    } else if (const auto* handshake = std::get_if<TlsHandshake>(&observation)) {
      places_[i].site = site_for(*handshake);
      places_[i].stop = stop_for(*handshake, places_[i].site, handshake->endpoint);
    } else if (const auto* round_trip = std::get_if<HttpRoundTrip>(&observation)) {
      places_[i].site = site_for(*round_trip);
      places_[i].stop = stop_for(*round_trip, places_[i].site, round_trip->endpoint);
    } else if (const auto* quic = std::get_if<QuicHandshake>(&observation)) {
      places_[i].site = site_for(*quic);
      places_[i].stop = stop_for(*quic, places_[i].site, quic->endpoint);
    } else if (const auto* ping = std::get_if<QuicPing>(&observation)) {
      places_[i].site = site_for(*ping);
    }
  }
}

void Scene::learn_addresses(std::span<const ControlView> controls) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].site == kNowhere) continue;
    Site& site = sites_[places_[i].site];
    const Observation& observation = measurement_.observations[i];
    if (const auto* lookup = std::get_if<Lookup>(&observation)) {
      if (!is_own(lookup->role) || !lookup->reply) continue;
      // A contested UDP answer is nobody's word: which of the two is true is what has to be found out.
      const bool contested = lookup->engine == ResolverEngine::udp && !lookup->late.empty();
      if (contested) continue;
      if (lookup->engine == ResolverEngine::doh) site.doh_answered = true;
      if (lookup->engine == ResolverEngine::udp) site.udp_answered = true;
      for (const IpAddress& address : lookup->reply->addresses) {
        KnownAddress* known = entry_for(site, address);
        if (known == nullptr) break;
        known->by_system |= lookup->engine == ResolverEngine::system;
        known->by_doh |= lookup->engine == ResolverEngine::doh;
        known->by_udp |= lookup->engine == ResolverEngine::udp;
      }
    } else if (const auto* handshake = std::get_if<TlsHandshake>(&observation)) {
      if (is_own(handshake->role) && is_trusted(*handshake)) {
        KnownAddress* known = entry_for(site, handshake->endpoint.address);
        if (known != nullptr) known->proven = true;
      }
    }
  }
  witnesses_.reserve(sites_.size());
  for (Site& site : sites_) {
    witnesses_.emplace_back(controls, site.host).each_address([&](const IpAddress& address) {
      if (KnownAddress* known = entry_for(site, address)) known->by_control = true;
    });
  }
}

void Scene::learn_line() {
  line_.far_end = measurement_.link_state == LinkState::online;
  for (const Observation& observation : measurement_.observations) {
    if (const auto* lookup = std::get_if<Lookup>(&observation)) {
      if (!lookup->reply) continue;
      // "private" and URLs name no family; an address begins with a digit, or a bracket for IPv6.
      const char first = lookup->resolver.empty() ? 'x' : lookup->resolver.front();
      line_.far_end |= lookup->engine == ResolverEngine::doh;
      line_.tls |= lookup->engine == ResolverEngine::doh;
      line_.unopened_tls |= lookup->engine == ResolverEngine::doh;
      line_.family[0] |= first >= '0' && first <= '9';
      line_.family[1] |= first == '[';
    } else if (const auto* connect = std::get_if<Connect>(&observation)) {
      if (!connect->failure) {
        line_.family[connect->endpoint.address.family() == Family::ip6 ? 1 : 0] = true;
      }
    } else if (const auto* handshake = std::get_if<TlsHandshake>(&observation)) {
      // A portal has no chain that is valid for a name it does not own.
      line_.far_end |= is_trusted(*handshake);
      line_.unopened_tls |= is_trusted(*handshake);
      line_.tls |= answered_tls(*handshake);
    }
  }
}

}  // namespace kua::verdict
