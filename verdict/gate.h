// The vantage gate: asked before any layer. Trouble of the probe, its line or its home is no verdict on
// any target; some of it leaves only accusations closed.
#pragma once

#include <cstdint>
#include <span>

#include "verdict/rule.h"
#include "verdict/scene.h"

namespace kua::verdict {

enum class Gate : std::uint8_t {
  open,
  no_accusation,  // ok, down and impaired stand; blocked and likely_blocked become insufficient
  closed,         // no verdict on any target
};

struct GateRule {
  const char* id;
  Gate gate;
  const char* says;
  bool (*when)(const Scene&);
};

// The first row that matches; the last one, gate.open, matches always.
[[nodiscard]] const GateRule& pass_gate(const Scene& scene);
[[nodiscard]] std::span<const GateRule> gate_rules() noexcept;

// Whose answers the system resolver gives decides whether a dns.* accusation may stand: nullptr when it
// may, else the row that says why not. An unknown resolver accuses nobody.
[[nodiscard]] const GateRule* refuse_dns_accusation(const Scene& scene);
[[nodiscard]] std::span<const GateRule> resolver_rules() noexcept;

}  // namespace kua::verdict
