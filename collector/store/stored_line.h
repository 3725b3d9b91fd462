// One line of the record log (docs/store.md):
//   {"record":<the line byte for byte as sent>,"received":{…what the collector established…}}
// A line is JSON, so that `zstdcat FILE | jq` works, and the record's bytes can be cut out again
// exactly. `received` comes last: with a repeated key JSON readers keep the last one, and that one is
// ours whatever a record contains.
#pragma once

#include <string>
#include <string_view>

#include "collector/ingest/received.h"
#include "measurement/error.h"

namespace kua::collector {

// Appends `,"received":{…}}` and a newline: what follows the record's bytes in a stored line.
void append_received(const ReceivedFacts& facts, std::string& out);

inline constexpr std::string_view kStoredLineBegin = R"({"record":)";

struct StoredLine {
  std::string_view record;  // views into the line
  ReceivedFacts facts;
};
// `line` without its newline. Errors: invalid_input. Members of `received` that this version does not
// know are passed over.
[[nodiscard]] Expected<StoredLine> read_stored_line(std::string_view line);

}  // namespace kua::collector
