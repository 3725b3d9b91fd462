// The throughput pair: whether the target's name is carried slower than another from the same address. Equal
// bytes under both names in turns. Dear (up to 150 kB within the follow-up's bytes), so only where all
// follow-ups were asked for and a page came slowly.
#pragma once

#include <vector>

#include "probe/experiment/experiment.h"
#include "probe/experiment/site.h"

namespace kua::probe {

// Long enough to tell, below the pacing's speed, and not stopped half-way.
[[nodiscard]] bool is_slow(const Answer& answer, const Pacing& pacing) noexcept;

// The approaches of one pair, in order; the main step was the first under the target's name. Empty where
// the list has no harmless name.
[[nodiscard]] std::vector<Approach> throughput_pair(const Run& run, const Site& site, const Endpoint& endpoint);

// Whether the harmless name's answer is long enough to go on.
[[nodiscard]] bool is_comparable(const Arrival& harmless) noexcept;

}  // namespace kua::probe
