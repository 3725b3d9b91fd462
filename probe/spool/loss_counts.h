// Losses by name: on their way from where they were counted into a record that tells them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "measurement/record.h"

namespace kua::probe {

// "name=count,…", as the spool's rows keep them.
[[nodiscard]] std::string write_counts(const LimitCounts& counts);
[[nodiscard]] LimitCounts read_counts(std::string_view text);

void add_counts(LimitCounts& to, const LimitCounts& counts);
// As far as they are there; a name with nothing left goes.
void take_counts(LimitCounts& from, const LimitCounts& counts);

}  // namespace kua::probe
