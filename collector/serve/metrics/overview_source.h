// The present as gauges: state, share, since, witnesses and attendance by network and target.
#pragma once

#include <cstddef>

#include "collector/serve/metrics/sources.h"
#include "collector/serve/overview.h"

namespace kua::collector {

class MeasurementMetrics;

// Appends the families of docs/metrics.md that show an overview. A family takes at most
// `max_series` series; what passes that is left out and told to `metrics`.
void add_overview(Families& families, const Overview& overview, std::size_t max_series,
                  MeasurementMetrics& metrics);

}  // namespace kua::collector
