// How commands say what went wrong, in one form: "kua-probe: doing: message".
#pragma once

#include <string_view>

#include "measurement/error.h"
#include "probe/cli/exit_code.h"

namespace kua::probe {

void complain(const Error& error);
void complain(std::string_view sentence);
// Both at once.
[[nodiscard]] ExitCode give_up(const Error& error);

}  // namespace kua::probe
