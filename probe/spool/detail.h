// What can be cut out of a measurement to make room while its verdict stays the same: bodies first, then
// what only a second look would need. Marks of a forged answer are never cut: certificates stay.
#pragma once

#include <string>
#include <string_view>

#include "measurement/error.h"

namespace kua::probe {

enum class Cut : std::uint8_t {
  bodies = 1,  // samples of bodies
  detail = 2,  // also response headers (but Location and Server) and raw DNS replies
};

// The record's line without what `cut` names; the record says so in its limits. Errors: invalid_input
// for a line that is no measurement.
[[nodiscard]] Expected<std::string> cut_from_line(std::string_view line, Cut cut);

}  // namespace kua::probe
