// A look at a line that may be no record at all: who sent it and which one it is, for an answer
// that names a rejected record, and for finding duplicates before anything is built. Reads from the
// front until it has seen enough or no longer understands; it never fails.
#pragma once

#include <optional>
#include <string_view>

#include "measurement/names.h"
#include "measurement/time.h"

namespace kua::protocol {

// What was there and of its form. The views borrow the line. Escapes are not decoded: a member
// whose name or value has one counts as absent. Of a repeated member the first counts (RecordReader
// refuses both).
struct RecordPeek {
  std::string_view format;
  std::string_view kind;
  std::optional<RecordId> id;
  std::optional<ProbeId> probe;
  std::optional<WallTime> time;
};

[[nodiscard]] RecordPeek peek_record(std::string_view line);

}  // namespace kua::protocol
