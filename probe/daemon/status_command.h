// `kua-probe status`: asks the running probe and says it in words.
#pragma once

#include "probe/cli/check.h"
#include "probe/cli/exit_code.h"
#include "probe/config/probe_config.h"

namespace kua::probe {

[[nodiscard]] ExitCode show_status(const ProbeConfig& config, CheckOutput output);

}  // namespace kua::probe
