// `kua-probe check`: looks at one or several targets now, shows every step as it ends, and says in plain
// words what it means. Works without a collector and without a list.
#pragma once

#include <string>
#include <vector>

#include "probe/cli/exit_code.h"
#include "probe/cli/setup.h"

namespace kua::probe {

enum class CheckFollowUps { when_doubtful, all };
enum class CheckOutput { text, json };
enum class CheckDelivery { keep_here, upload };
enum class UnlistedTargets { ask, accept };

struct CheckOptions {
  std::vector<std::string> targets;  // URLs, target ids, names of services, bare host names
  CheckFollowUps follow_ups = CheckFollowUps::when_doubtful;
  CheckOutput output = CheckOutput::text;
  CheckDelivery delivery = CheckDelivery::keep_here;
  UnlistedTargets unlisted = UnlistedTargets::ask;
};

[[nodiscard]] ExitCode run_check(Setup setup, const CheckOptions& options);

// What `text` stands for: a target of the list, or the web page it names. Errors: invalid_input.
struct CheckTarget {
  Target target;
  bool listed = false;
};
[[nodiscard]] Expected<CheckTarget> resolve_target(const std::vector<Target>& list, const std::string& text);

}  // namespace kua::probe
