// The public /metrics: what the publication rule let through as gauges, nothing of the inside.
#pragma once

#include "collector/serve/metrics/sources.h"
#include "collector/serve/publication/publication.h"

namespace kua::collector {

void add_public_overview(Families& families, const PublicOverview& overview);

}  // namespace kua::collector
