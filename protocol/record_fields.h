// Seams inside the record reader: one function a file. Private to protocol/.
#pragma once

#include "measurement/observation.h"
#include "protocol/json_fields.h"

namespace kua::protocol::json {

// One element of `observations`.
bool read_observation(In& in, Value value, Observation& out);

// Appends a member that no table knows, within kUnknownMembersMax.
bool keep_unknown(In& in, std::string_view name, Value value, UnknownMembers& out);

}  // namespace kua::protocol::json
