// kua/1 measurements of web pages as OONI web_connectivity measurements that OONI's readers take:
// keys, types and words of its data formats, what they have no place for under `x_kua`
// (docs/ooni.md holds the table). Pure. No address of a probe is in it: a record has none, and
// probe_ip is always 127.0.0.1.
#pragma once

#include <string>
#include <vector>

#include "collector/ooni/words.h"
#include "measurement/error.h"
#include "measurement/record.h"
#include "measurement/verdict.h"

namespace kua::collector::ooni {

// One line without the newline. `verdicts`: what the rules say of it; they fill `blocking` and
// `accessible` where the measurement did not come from OONI with its own. Errors: invalid_input
// with a reason as message that is one of a closed set: no_web_page, a_control, instrument_failed.
// Observations that OONI has no event for are added to `left_out`.
[[nodiscard]] Expected<std::string> export_measurement(const Measurement& measurement,
                                                       const std::vector<Verdict>& verdicts,
                                                       Counts& left_out);

}  // namespace kua::collector::ooni
