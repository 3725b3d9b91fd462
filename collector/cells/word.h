// The word of a witness about a target: what its newest measurement said, or, where that one merely
// failed again and could tell less of why, the accusation it made before. An accusation is held over later
// failures so that a target whose proof is taken every half an hour does not read "not known" between
// two proofs; it is held by failures alone, never by silence, and not for ever.
#pragma once

#include <cstdint>

#include "collector/cells/layer_states.h"
#include "collector/cells/trouble.h"
#include "measurement/time.h"

namespace kua::collector {

struct Word {
  std::uint64_t witness = 0;  // 0: the place is free
  WallTime time;              // of the newest measurement
  WallTime proven;            // of the measurement that `states` rest on; before `time`: a word is held
  LayerStates states;         // what counts
  LayerStates latest;         // what the newest measurement says by itself
  Trouble trouble;            // of the measurement that `states` rest on

  [[nodiscard]] bool is_held() const noexcept { return proven != time; }

  // The newest measurement. A failure that cannot tell why leaves an accusation, or `down`, standing where
  // that was proven at `oldest_proof` or later and the same host fails at the same stage; so does
  // `likely_blocked` with `blocked`. Everything else takes its place: an `ok` at once, and no `ok` is held.
  void take(const LayerStates& said, const Trouble& said_trouble, WallTime at, WallTime oldest_proof);
  // The held accusation is too old, or was taken back.
  void let_go() noexcept;
  // The measurement that a held accusation rests on was judged again.
  void judged_again(const LayerStates& said, const Trouble& said_trouble) noexcept;

 private:
  void hold(State state) noexcept;
};

}  // namespace kua::collector
