// What the test helper saw, as a control's measurement. Private to this folder.
#pragma once

#include <vector>

#include "collector/ooni/json.h"
#include "measurement/observation.h"
#include "protocol/target_url.h"

namespace kua::collector::ooni {

// `pages`: the URLs of the probe's own requests in their order. The helper tells only where its own
// chain of redirects ended; that page is compared with the last of `pages` that is of the target's
// own name.
[[nodiscard]] std::vector<Observation> import_control(
    const json::object& control, const protocol::TargetUrl& input,
    const std::vector<protocol::TargetUrl>& pages);

}  // namespace kua::collector::ooni
