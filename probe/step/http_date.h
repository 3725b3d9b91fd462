// The Date header (RFC 9110 §5.6.7) as an instant.
#pragma once

#include <optional>
#include <string_view>

#include "measurement/time.h"

namespace kua::probe {

// "Tue, 04 Jan 2022 16:45:00 GMT"; the two obsolete forms and dates that do not exist give nullopt. The
// name of the weekday is not checked against the date.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace kua::probe
