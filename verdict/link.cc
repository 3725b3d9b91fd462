#include <algorithm>
#include <vector>

#include "verdict/judge.h"

namespace kua::verdict {
namespace {

// What the checks of one subject came to.
struct Tally {
  int reached = 0;
  int failed = 0;
  std::vector<std::string_view> failed_targets;  // distinct
  [[nodiscard]] bool none_reached() const noexcept { return reached == 0 && failed > 0; }
};

// Somebody answered in a control's place: a page of his own, or by name an address inside.
bool is_portal(const LinkCheck& check) noexcept {
  if (check.reached) return false;
  if (check.subject == LinkSubject::captive_portal) return !check.failure;
  return check.subject == LinkSubject::resolver && check.failure &&
         check.failure->code == FailureCode::dns_bogon_error;
}

struct Tallies {
  Tally gateway, resolver, national, international, portal;
  bool portal_answered = false;
  // One control of a side may be down by itself; two of each at once are the line.
  [[nodiscard]] bool all_controls_fail() const noexcept {
    return national.reached + international.reached == 0 && national.failed_targets.size() >= 2 &&
           international.failed_targets.size() >= 2;
  }
};

Tallies count(const Measurement& measurement) {
  Tallies out;
  for (const Observation& observation : measurement.observations) {
    const auto* check = std::get_if<LinkCheck>(&observation);
    if (check == nullptr) continue;
    out.portal_answered |= is_portal(*check);
    Tally* tally = nullptr;
    switch (check->subject) {
      case LinkSubject::gateway: tally = &out.gateway; break;
      case LinkSubject::resolver: tally = &out.resolver; break;
      case LinkSubject::national: tally = &out.national; break;
      case LinkSubject::international: tally = &out.international; break;
      case LinkSubject::captive_portal: tally = &out.portal; break;
    }
    ++(check->reached ? tally->reached : tally->failed);
    if (!check->reached && std::ranges::find(tally->failed_targets, check->target) ==
                               tally->failed_targets.end()) {
      tally->failed_targets.push_back(check->target);
    }
  }
  return out;
}

LinkState conclude(const Tallies& seen) {
  const auto& [gateway, resolver, national, international, portal, portal_answered] = seen;
  // Whoever reaches the far side is behind no portal, whatever a check in clear text came back with.
  if (international.reached > 0) {
    return resolver.none_reached() ? LinkState::dns_broken : LinkState::online;
  }
  // Nor is whoever reaches the near side: where an operator puts a notice in the place of everything abroad,
  // that is a cut all the same.
  if (national.reached > 0) {
    if (resolver.none_reached()) return LinkState::dns_broken;
    // One control abroad may be down by itself; two at once are the border.
    return international.failed_targets.size() >= 2 ? LinkState::international_cut : LinkState::unknown;
  }
  if (portal_answered) return LinkState::captive;
  // Port 80 alone answers, and for itself: all that people use is cut, whatever still passes beside it.
  if (seen.all_controls_fail()) return LinkState::offline;
  if (portal.reached > 0) {
    return resolver.none_reached() ? LinkState::dns_broken : LinkState::unknown;
  }
  if (national.failed + international.failed > 0) {
    // A resolver inside the network goes on answering in a cut; then one control alone proves no cut.
    return resolver.reached == 0 ? LinkState::offline : LinkState::unknown;
  }
  return gateway.none_reached() && resolver.none_reached() ? LinkState::offline : LinkState::unknown;
}

}  // namespace

LinkState conclude_link_state(const Measurement& measurement) { return conclude(count(measurement)); }

bool passes_clear_text_only(const Measurement& measurement) {
  const Tallies seen = count(measurement);
  return conclude(seen) == LinkState::offline && seen.portal.reached > 0;
}

}  // namespace kua::verdict
