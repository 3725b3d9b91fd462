// Where the failure showed that a verdict speaks of. A verdict that cannot tell why a step failed still
// says that it failed, and where: a later reader may compare it with what was proven before.
#pragma once

#include <cstdint>

#include "measurement/verdict.h"

namespace kua::verdict {

enum class Stage : std::uint8_t {
  none = 0,   // no failure, or one that may be the probe's own
  lookup,     // the name
  connect,    // the connection
  handshake,  // cut during it
  chain,      // completed under a chain that is not trusted
  request,    // cut behind it, or in clear text
};

// Of an accusation and of `down`, where it showed. Of `insufficient`, where the step failed if nothing but
// a comparison was lacking; `none` where the line, this machine or an unclear answer stood in the way.
[[nodiscard]] Stage stage_of(const Verdict& verdict) noexcept;

}  // namespace kua::verdict
