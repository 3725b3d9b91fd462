// The events of one OONI measurement as observations. Private to this folder.
#pragma once

#include <vector>

#include "collector/ooni/flows.h"
#include "collector/ooni/importer.h"
#include "collector/ooni/json.h"
#include "measurement/observation.h"

namespace kua::collector::ooni {

// In order of begin, at most kObservationsMax. `begin`: of the measurement, to judge certificates'
// times.
[[nodiscard]] std::vector<Observation> import_steps(const json::object& test_keys,
                                                    const protocol::TargetUrl& input,
                                                    WallTime begin, Counts& left_out);

}  // namespace kua::collector::ooni
