// What ails a target in one measurement: where its strongest accusation showed, or, where nothing can
// be accused, where it failed. Two measurements of a witness with the same trouble are told apart from
// two that fail in different ways.
#pragma once

#include <cstdint>
#include <vector>

#include "collector/cells/layer_states.h"
#include "measurement/verdict.h"
#include "verdict/stage.h"

namespace kua::collector {

struct Trouble {
  verdict::Stage stage = verdict::Stage::none;
  std::uint32_t host = 0;  // hash of the name that failed; only ever compared
  friend bool operator==(const Trouble&, const Trouble&) = default;

  // Of the strongest claims the one about the first host by name; QUIC apart, as in a summary.
  [[nodiscard]] static Trouble of(const std::vector<Verdict>& verdicts);
};

// Where a trouble stands in a cell. `stage` is not none.
[[nodiscard]] Facet facet_of(verdict::Stage stage) noexcept;

}  // namespace kua::collector
