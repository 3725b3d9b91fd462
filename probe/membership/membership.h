// Which operator this probe reports to: the join link as it was given, and what the operator's collector
// said of this probe's network at enrolment. Kept in join.json.
#pragma once

#include <optional>
#include <string>

#include "measurement/error.h"
#include "measurement/time.h"
#include "probe/state/state_directory.h"
#include "protocol/api.h"
#include "protocol/join_link.h"

namespace kua::probe {

struct Membership {
  std::string link_text;
  protocol::JoinLink link;
  WallTime joined;
  // The last enrolment's answer; absent: not enrolled yet.
  std::optional<protocol::EnrolmentAnswer> network;
};

// nullopt: never joined. Errors: invalid_input for a file that cannot be understood.
[[nodiscard]] Expected<std::optional<Membership>> read_membership(const StateDirectory& state);
[[nodiscard]] Expected<void> write_membership(const StateDirectory& state, const Membership& membership);

}  // namespace kua::probe
