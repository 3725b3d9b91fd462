#include "verdict/gate.h"

#include <array>

namespace kua::verdict {
namespace {

const Vantage& vantage_of(const Scene& scene) { return scene.measurement().header.vantage; }
bool link_is(const Scene& scene, LinkState state) { return scene.measurement().link_state == state; }

constexpr std::array kGateRules = {
    GateRule{"gate.instrument", Gate::closed, "the instrument failed",
             [](const Scene& s) { return s.measurement().validity == Validity::instrument; }},
    GateRule{"gate.vantage", Gate::closed, "the vantage was at fault when the measurement was made",
             [](const Scene& s) { return s.measurement().validity == Validity::vantage; }},
    GateRule{"gate.offline", Gate::closed, "the line is down",
             [](const Scene& s) { return link_is(s, LinkState::offline); }},
    GateRule{"gate.captive", Gate::closed, "a captive portal stands before the line",
             [](const Scene& s) { return link_is(s, LinkState::captive); }},
    GateRule{"gate.dns_broken", Gate::closed, "the resolver answers for no name",
             [](const Scene& s) { return link_is(s, LinkState::dns_broken); }},
    GateRule{"gate.international_cut", Gate::closed,
             "nothing abroad can be reached, whatever its name: a state of the line, not of a target",
             [](const Scene& s) { return link_is(s, LinkState::international_cut); }},
    GateRule{"gate.vpn", Gate::closed, "the probe looks through a VPN: what it sees is another network's",
             [](const Scene& s) { return vantage_of(s).faults.vpn; }},
    GateRule{"gate.clock", Gate::closed, "the wall clock is wrong: certificates cannot be judged",
             [](const Scene& s) { return vantage_of(s).faults.clock_wrong; }},
    GateRule{"gate.tls_inspected", Gate::no_accusation,
             "antivirus or a company's proxy opens TLS and may filter by itself",
             [](const Scene& s) { return vantage_of(s).faults.tls_inspected; }},
    GateRule{"gate.control", Gate::no_accusation, "a control looks from where no censor is",
             [](const Scene& s) { return s.measurement().header.role == ProbeRole::control; }},
    GateRule{"gate.line_unproven", Gate::no_accusation,
             "nothing shows that the line reached beyond its own network",
             [](const Scene& s) { return !s.line().far_end; }},
    GateRule{"gate.open", Gate::open, "nothing speaks against the vantage",
             [](const Scene&) { return true; }},
};

constexpr std::array kResolverRules = {
    GateRule{"dns.resolver_local_filter", Gate::no_accusation,
             "a filter of the household answers, not the network",
             [](const Scene& s) { return vantage_of(s).resolver_class == ResolverClass::local_filter; }},
    GateRule{"dns.resolver_third_party", Gate::no_accusation,
             "a resolver of the owner's choice answers, not the network",
             [](const Scene& s) { return vantage_of(s).resolver_class == ResolverClass::third_party; }},
    GateRule{"dns.resolver_unknown", Gate::no_accusation, "nobody knows whose resolver answers",
             [](const Scene& s) { return vantage_of(s).resolver_class == ResolverClass::unknown; }},
};

}  // namespace

const GateRule& pass_gate(const Scene& scene) {
  for (const GateRule& rule : kGateRules) {
    if (rule.when(scene)) return rule;
  }
  KUA_CHECK(false);  // gate.open matches always
}
std::span<const GateRule> gate_rules() noexcept { return kGateRules; }

const GateRule* refuse_dns_accusation(const Scene& scene) {
  for (const GateRule& rule : kResolverRules) {
    if (rule.when(scene)) return &rule;
  }
  return nullptr;
}
std::span<const GateRule> resolver_rules() noexcept { return kResolverRules; }

}  // namespace kua::verdict
