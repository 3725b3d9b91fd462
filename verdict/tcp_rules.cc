#include "verdict/tcp_rules.h"

#include <algorithm>

namespace kua::verdict {
namespace {

using E = TcpEvidence;

bool failed(const E& e) { return e.tried && !e.connected && e.first_failure != How::none; }

constexpr std::array kTcpRules = {
    Rule<E>{"tcp.connected", State::ok, "", only(Part::seen), "a connection came about",
            [](const E& e) { return e.connected; }},
    Rule<E>{"tcp.connected_on_retry", State::impaired, "", only(Part::seen),
            "only a repetition came about", [](const E& e) { return e.connected_on_retry; }},
    Rule<E>{"tcp.failed_here", State::insufficient, "", only(Part::seen),
            "this machine or home network could not even try",
            [](const E& e) { return !failed(e); }},
    Rule<E>{"tcp.fails_for_everybody", State::down, "", only(Part::seen),
            "controls cannot connect either", [](const E& e) { return e.control == Says::down; }},
    Rule<E>{"tcp.unconfirmed_address", State::insufficient, "", only(Part::seen),
            "only the system resolver gave the addresses that failed",
            [](const E& e) { return !e.confirmed; }},
    Rule<E>{"tcp.dead_for_controls", State::insufficient, "", only(Part::seen),
            "the addresses tried fail for controls too, which got through at others",
            [](const E& e) { return e.dead_for_controls; }},
    Rule<E>{"tcp.prohibited", State::blocked, "tcp.icmp_prohibited", only(Part::seen),
            "a router on the path says that the connection is administratively prohibited",
            [](const E& e) { return e.prohibited; }},
    Rule<E>{"tcp.prohibited_by_server", State::likely_blocked, "tcp.icmp_prohibited", only(Part::seen),
            "the address itself says administratively prohibited, to this network only",
            [](const E& e) { return e.prohibited_by_server && e.control == Says::up; }},
    Rule<E>{"tcp.family_unproven", State::insufficient, "", only(Part::seen),
            "nothing shows that this machine has working connectivity of this address family",
            [](const E& e) { return !e.family_works; }},
    Rule<E>{"tcp.fails_here_only", State::likely_blocked, "tcp.*", only(Part::seen),
            "the address is silent again and again, resets, refuses or is unreachable from this network while "
            "controls connect",
            [](const E& e) {
              return e.control == Says::up && (e.first_failure != How::timeout || e.repeated);
            }},
    Rule<E>{"tcp.nothing_to_compare", State::insufficient, "", only(Part::seen),
            "the connection failed, and nothing shows whether by chance or for others too",
            [](const E&) { return true; }},
};

bool has_vouched(const Scene& scene, const Stop& stop, Family family) {
  bool found = false;
  scene.each<Connect>(stop, [&](std::uint32_t, const Connect& step) {
    const IpAddress& address = step.endpoint.address;
    found |= is_own(step.role) && address.family() == family && scene.site_of(stop).is_vouched(address);
  });
  return found;
}

void take_failure(E& e, const Witnesses& controls, const Connect& step, How how) {
  e.repeated = e.first_failure != How::none;
  if (e.first_failure == How::none) {
    e.first_failure = how;
    e.dead_for_controls = true;
  }
  e.dead_for_controls &= controls.could_not_reach(step.endpoint.port, step.endpoint.address);
  if (step.icmp && is_prohibition(*step.icmp, step.endpoint.address.family())) {
    e.prohibited |= step.icmp->origin == IcmpOrigin::path;
    e.prohibited_by_server |= step.icmp->origin == IcmpOrigin::endpoint;
  }
}

}  // namespace

TcpEvidence extract_tcp(const Scene& scene, const Stop& stop, Family family) {
  E e;
  const Site& site = scene.site_of(stop);
  const Witnesses& controls = scene.witnesses(site);
  const bool vouched_only = has_vouched(scene, stop, family);
  const Family other = family == Family::ip4 ? Family::ip6 : Family::ip4;
  bool other_connected = false;
  scene.each<Connect>(stop, [&](std::uint32_t index, const Connect& step) {
    if (!is_own(step.role)) return;
    const IpAddress& address = step.endpoint.address;
    if (address.family() == other) {
      other_connected |= !step.failure;
      return;
    }
    if (vouched_only && !site.is_vouched(address)) return;
    e.tried = true;
    e.confirmed |= standing_of(scene, site, address) != Standing::claimed;
    e.references.add(index, Part::seen);
    const How how = how_failed(step);
    if (how == How::none) {
      if (step.role == StepRole::retry) e.connected_on_retry = true;
      else e.connected = true;
    } else if (how != How::here) {
      take_failure(e, controls, step, how);
    }
  });
  e.connected_on_retry &= !e.connected;
  if (!e.tried || e.connected) return e;
  const bool online = scene.measurement().link_state == LinkState::online;
  // A line known to be online may be so over the other family alone.
  e.family_works = scene.line().over(family) || (online && !other_connected);
  e.control = controls.tcp(stop.port, family);
  e.how = to_string(e.first_failure);
  return e;
}

bool is_void(const TcpEvidence& e) noexcept {
  return !e.tried || (!e.connected && !e.connected_on_retry && e.first_failure == How::none);
}

const Rule<TcpEvidence>& judge_tcp(const TcpEvidence& evidence) { return first_match(kTcpRules, evidence); }
std::span<const Rule<TcpEvidence>> tcp_rules() noexcept { return kTcpRules; }

}  // namespace kua::verdict
