// The bytes spent today, across restarts: a restart is no new day.
#pragma once

#include "measurement/error.h"
#include "probe/schedule/budget.h"
#include "probe/state/state_directory.h"

namespace kua::probe {

// A file that is absent or cannot be understood is a day with nothing spent.
[[nodiscard]] Budget::Day load_budget(const StateDirectory& state);
[[nodiscard]] Expected<void> save_budget(const StateDirectory& state, const Budget::Day& day);

}  // namespace kua::probe
