#pragma once

#include <cstdint>

namespace kua::collector {

// A record's line in its batch, newline excluded; counted from the first record's, behind the line about
// the batch.
struct LinePlace {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

}  // namespace kua::collector
