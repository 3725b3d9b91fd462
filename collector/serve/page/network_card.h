// One network on the public page: how its lines are, how many targets are in which state, and the
// targets, those in trouble first.
#pragma once

#include <string>

#include "collector/serve/publication/publication.h"

namespace kua::collector {

// Symbol and word; the colour comes on top.
[[nodiscard]] std::string state_html(State state);
[[nodiscard]] std::string network_card(const PublicOverview& overview,
                                       const PublicNetwork& network);

}  // namespace kua::collector
