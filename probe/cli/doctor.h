// `kua-probe doctor`: looks whether everything this program needs works, one line each, and says what to
// do where it does not. Sends what one look at the line and one enrolment send, and nothing else.
#pragma once

#include <string>

#include "probe/cli/exit_code.h"
#include "probe/config/probe_config.h"

namespace kua::probe {

// `user_change`: what become_unprivileged() said, or empty.
[[nodiscard]] ExitCode run_doctor(const ProbeConfig& config, const std::string& user_change);

}  // namespace kua::probe
