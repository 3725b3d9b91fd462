#include "collector/serve/publication/publication.h"

#include <algorithm>
#include <array>
#include <set>

namespace kua::collector {
namespace {

constexpr Microseconds kHour = std::chrono::hours(1);
constexpr Microseconds kTimeStep = std::chrono::minutes(5);

// Lower bounds of the bands; the last one is open.
constexpr std::array<std::uint32_t, 4> kBands = {5, 10, 20, 50};

// A mixture of targets or networks has neither a name nor a state.
bool is_nameable(const TargetOverview& target) noexcept { return target.target != "other"; }

// On a collector for one's own line any probe will do; elsewhere only distinct clusters count.
std::uint32_t witnesses_of(const PublicationRule& rule, std::uint32_t clusters,
                           std::uint32_t probes) noexcept {
  return rule.min_clusters <= 1 ? std::max(clusters, probes) : clusters;
}

}  // namespace

Band Band::of(std::uint32_t witnesses) noexcept {
  if (witnesses < kBands.front()) return {witnesses, witnesses};
  for (std::size_t band = kBands.size(); band-- > 0;) {
    if (witnesses < kBands[band]) continue;
    if (band + 1 == kBands.size()) return {kBands[band], std::nullopt};
    return {kBands[band], kBands[band + 1] - 1};
  }
  return {witnesses, witnesses};
}

std::string Band::text() const {
  if (!high) return std::to_string(low) + "+";
  if (*high == low) return std::to_string(low);
  return std::to_string(low) + "–" + std::to_string(*high);
}

Publisher::Disclosure Publisher::disclosure(std::uint32_t clusters,
                                            std::uint32_t probes) const noexcept {
  const std::uint32_t witnesses = witnesses_of(rule_, clusters, probes);
  if (witnesses >= rule_.min_clusters) return Disclosure::full;
  if (witnesses >= rule_.hourly_clusters()) return Disclosure::by_hour;
  return Disclosure::nothing;
}

void Publisher::hold(const Overview& overview, WallTime hour) {
  hour_ = hour;
  held_.clear();
  for (const NetworkOverview& network : overview.networks) {
    if (network.is_other) continue;
    HeldNetwork held;
    if (disclosure(network.clusters, network.reporting) != Disclosure::nothing)
      held.link = prevailing_link(network);
    for (const TargetOverview& target : network.targets) {
      const Disclosure level = disclosure(target.clusters, target.probes);
      if (!is_nameable(target) || level == Disclosure::nothing) continue;
      held.targets[target.target] = {target.category, target.state, level};
    }
    if (held.link || !held.targets.empty()) held_.emplace(network.network, std::move(held));
  }
}

// In full only what is so both now and at the hour; what was held for the hour stays until the
// next.
std::optional<PublicTarget> Publisher::show(const TargetOverview& target, const Held* held) const {
  const Disclosure now =
      is_nameable(target) ? disclosure(target.clusters, target.probes) : Disclosure::nothing;
  const bool full = now == Disclosure::full &&
                    (rule_.is_local() || (held != nullptr && held->disclosure == Disclosure::full));
  if (full) {
    const auto told = [this](WallTime time) {
      return rule_.is_local() ? time : floor_to(time, kTimeStep);
    };
    return PublicTarget{
        target.target, target.category, target.state,
        PublicTarget::Detail{Band::of(witnesses_of(rule_, target.clusters, target.probes)),
                             told(target.since), target.proven.transform(told), target.mechanism}};
  }
  if (held == nullptr) return std::nullopt;
  return PublicTarget{target.target, held->category, held->state, std::nullopt};
}

PublicNetwork Publisher::show_network(const Network& network, const NetworkOverview* now) const {
  PublicNetwork shown;
  shown.network = network;
  const auto held = held_.find(network);
  std::set<std::string> seen;
  if (now != nullptr) {
    for (const TargetOverview& target : now->targets) {
      const Held* kept = nullptr;
      if (held != held_.end()) {
        const auto found = held->second.targets.find(target.target);
        if (found != held->second.targets.end()) kept = &found->second;
      }
      seen.insert(target.target);
      if (std::optional<PublicTarget> shown_target = show(target, kept)) {
        shown.targets.push_back(std::move(*shown_target));
      }
    }
    const bool full = disclosure(now->clusters, now->reporting) == Disclosure::full;
    if (rule_.is_local()) {
      shown.last_heard = now->last_heard;
      if (full) shown.link = prevailing_link(*now);
    } else if (full && held != held_.end() && held->second.link) {
      shown.link = prevailing_link(*now);
    }
  }
  if (held != held_.end() && !rule_.is_local()) {
    if (!shown.link) shown.link = held->second.link;
    for (const auto& [target, kept] : held->second.targets) {
      if (seen.contains(target)) continue;
      shown.targets.push_back({target, kept.category, kept.state, std::nullopt});
    }
    std::ranges::sort(shown.targets, {}, &PublicTarget::target);
  }
  return shown;
}

PublicOverview Publisher::publish(const Overview& overview) {
  const WallTime hour = floor_to(overview.now, kHour);
  if (!hour_ && !rule_.is_local() && overview.now != hour) {
    hour_ = hour;  // what stood then is not known: nothing is held until the next
  } else if (!hour_ || *hour_ < hour) {
    hold(overview, hour);
  }
  PublicOverview shown;
  shown.now = overview.now;
  shown.hour = *hour_;
  shown.rule = rule_;
  shown.key_window = overview.key_window;
  std::map<Network, const NetworkOverview*> now;
  for (const NetworkOverview& network : overview.networks) {
    if (!network.is_other) now.emplace(network.network, &network);
  }
  std::set<Network> all;
  for (const auto& [network, unused] : held_) all.insert(network);
  for (const auto& [network, unused] : now) all.insert(network);
  for (const Network& network : all) {
    const auto found = now.find(network);
    PublicNetwork one = show_network(network, found == now.end() ? nullptr : found->second);
    const bool known_locally =
        rule_.is_local() && found != now.end() && found->second->expected > 0;
    if (one.targets.empty() && !one.link && !known_locally) continue;
    shown.networks.push_back(std::move(one));
  }
  return shown;
}

}  // namespace kua::collector
