#include "collector/cells/layer_states.h"

#include <algorithm>

namespace kua::collector {
namespace {

// Stronger claims have larger numbers (measurement/verdict.h pins them); ok needs every host of the
// layer to be ok, in one family at least.
State layer_state(const std::vector<Verdict>& verdicts, Layer layer) {
  State worst = State::insufficient;
  for (const Verdict& verdict : verdicts) {
    if (verdict.layer == layer) worst = std::max(worst, verdict.state);
  }
  if (worst != State::ok) return worst;
  for (const Verdict& verdict : verdicts) {
    if (verdict.layer != layer || verdict.state == State::ok) continue;
    const bool host_ok = std::ranges::any_of(verdicts, [&](const Verdict& other) {
      return other.layer == layer && other.state == State::ok && other.host == verdict.host;
    });
    if (!host_ok) return State::insufficient;
  }
  return State::ok;
}

}  // namespace

LayerStates LayerStates::of(const std::vector<Verdict>& verdicts) {
  LayerStates states;
  if (verdicts.empty()) return states;
  for (const Verdict& verdict : verdicts) {
    const Facet facet = facet_of(verdict.layer);
    if (!states.at(facet)) {
      states.set(facet, static_cast<std::uint8_t>(layer_state(verdicts, verdict.layer)));
    }
  }
  states.set(Facet::whole, static_cast<std::uint8_t>(summarize(verdicts)));
  return states;
}

}  // namespace kua::collector
