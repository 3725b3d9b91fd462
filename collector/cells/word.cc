#include "collector/cells/word.h"

namespace kua::collector {
namespace {

bool can_be_held(State state) noexcept {
  return state == State::down || state == State::likely_blocked || state == State::blocked;
}

// Whether `said` leaves room for the stronger claim `before`: it cannot tell, or it sees the same blocking
// without the proof.
bool falls_short_of(State said, State before) noexcept {
  if (said == State::insufficient) return can_be_held(before);
  return said == State::likely_blocked && before == State::blocked;
}

}  // namespace

void Word::take(const LayerStates& said, const Trouble& said_trouble, WallTime at,
                WallTime oldest_proof) {
  const State before = states.at(Facet::whole).value_or(State::insufficient);
  const bool failed_again = said_trouble.stage != verdict::Stage::none && said_trouble == trouble &&
                            falls_short_of(said.at(Facet::whole).value_or(State::insufficient), before);
  time = at;
  latest = said;
  // A measurement that is judged again is no second failure beside itself.
  if (failed_again && proven < at && proven >= oldest_proof) {
    hold(before);
    return;
  }
  states = said;
  proven = at;
  trouble = said_trouble;
}

// The layers beside the one that fails speak for today only: what worked then may not work now.
void Word::hold(State state) noexcept {
  states = latest.with(facet_of(trouble.stage), state).with(Facet::whole, state);
}

void Word::let_go() noexcept {
  states = latest;
  proven = time;
}

void Word::judged_again(const LayerStates& said, const Trouble& said_trouble) noexcept {
  const State state = said.at(Facet::whole).value_or(State::insufficient);
  if (can_be_held(state) && said_trouble == trouble) {
    hold(state);
  } else {
    let_go();
  }
}

}  // namespace kua::collector
