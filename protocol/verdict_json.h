// Verdicts as JSON: what the desk's API and `kua-probe check --json` show. Verdicts never travel
// from a probe to a collector.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"
#include "measurement/verdict.h"

namespace kua::protocol {

// [{"host":…,"hop":0,"layer":"tls","state":"blocked","mechanism":"tls.reset.sni","rule":…,"evidence":[2]}].
// `family` is "ip4" or "ip6" where the families differ; empty texts are left out.
void append_verdicts(const std::vector<Verdict>& verdicts, std::string& out);
[[nodiscard]] std::string write_verdicts(const std::vector<Verdict>& verdicts);
[[nodiscard]] Expected<std::vector<Verdict>> read_verdicts(std::string_view json);

}  // namespace kua::protocol
