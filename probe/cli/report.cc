#include "probe/cli/report.h"

#include <fmt/format.h>

#include <cstdio>

namespace kua::probe {

void complain(const Error& error) { complain(error.text()); }

void complain(std::string_view sentence) { fmt::print(stderr, "kua-probe: {}\n", sentence); }

ExitCode give_up(const Error& error) {
  complain(error);
  return exit_code_of(error);
}

}  // namespace kua::probe
