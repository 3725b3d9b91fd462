// Where a record's line stands in its batch: what index and log agree on.
#pragma once

#include <cstdint>

namespace kua::collector {

// Newline excluded; counted from the first record's line, behind the line about the batch.
struct LinePlace {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

}  // namespace kua::collector
