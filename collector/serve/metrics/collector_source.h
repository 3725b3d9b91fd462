// Numbers that other parts of the collector keep, as families: judge, cells.
#pragma once

#include <string>

#include "collector/judge/judge.h"
#include "collector/serve/live_state.h"
#include "collector/serve/metrics/sources.h"

namespace kua::collector {

struct BuildInfo {
  std::string version;
  std::string revision;
  std::string compiler;
};

void add_build_info(Families& families, const BuildInfo& build);
void add_judge(Families& families, const Judge& judge);
void add_cells(Families& families, const LiveState& state);

}  // namespace kua::collector
