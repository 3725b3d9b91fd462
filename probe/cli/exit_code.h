// What the program's end says to whoever started it; kua-probe --help lists them.
#pragma once

#include "measurement/error.h"

namespace kua::probe {

enum class ExitCode : int {
  ok = 0,           // done; for check: everything was reached, or nothing can be said against it
  not_reached = 1,  // check: a target, or the line itself, is not reachable or is interfered with
  usage = 2,        // the command line or the configuration is wrong
  no_consent = 3,   // nobody agreed to measuring on this device
  failure = 4,      // our own failure: disk, permission, a collector that does not answer
};

// permission errors that a command meets after consent was checked are failures like any other.
[[nodiscard]] constexpr ExitCode exit_code_of(const Error& error) noexcept {
  return error.kind == ErrorKind::configuration || error.kind == ErrorKind::invalid_input
             ? ExitCode::usage
             : ExitCode::failure;
}

}  // namespace kua::probe
