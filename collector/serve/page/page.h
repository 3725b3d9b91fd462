// The public page: countries, their networks and the targets seen from them, with state, since when
// and from how many witnesses. Server-rendered, no script, one request; made from what the
// publication rule let through and from nothing else.
#pragma once

#include <string>

#include "collector/serve/publication/publication.h"

namespace kua::collector {

struct PageOptions {
  std::string operator_name;  // who runs this collector; empty: not said
  std::string version;
};

// A whole HTML document. The same overview gives the same bytes.
[[nodiscard]] std::string render_page(const PublicOverview& overview, const PageOptions& options);

}  // namespace kua::collector
