// The public GET /api/v1/cells: the page's content as JSON (docs/protocol.md).
#pragma once

#include <string>

#include "collector/serve/publication/publication.h"

namespace kua::collector {

[[nodiscard]] std::string write_public_overview(const PublicOverview& overview);

}  // namespace kua::collector
