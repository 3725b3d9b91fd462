// One line of any file that records stand in: a record alone, a line of the collector's log
// ({"record":…,"received":…}), a line of the desk's answers
// ({"record":…,"received":…,"verdicts":…}), or a log line that is no record (its first member is
// `batch`). The only place that knows these shapes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "measurement/error.h"

namespace kua::collector {

struct RecordLine {
  std::string_view record;    // borrows the line; empty: the line holds no record and none was due
  std::string_view verdicts;  // JSON list that was stored with it; empty where there is none
};

// Errors: invalid_input for a line whose brackets do not match. Whether `record` is one is for
// protocol::RecordReader to say.
[[nodiscard]] Expected<RecordLine> read_record_line(std::string_view line);

// The JSON text of a member of the outermost object, by a scan that decodes nothing; of a repeated
// member the first. nullopt where it is not there, or the line is no object up to it.
[[nodiscard]] std::optional<std::string_view> member_of(std::string_view line,
                                                        std::string_view name);

}  // namespace kua::collector
