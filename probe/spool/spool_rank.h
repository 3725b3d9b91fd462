// Where the rows of a class are numbered: one order by number is the order of sending.
#pragma once

#include <cstdint>

#include "probe/spool/spool.h"

namespace kua::probe {

inline constexpr int kClassShift = 55;

inline constexpr std::int64_t first_of(SpoolClass rank) {
  return static_cast<std::int64_t>(rank) << kClassShift;
}
inline constexpr std::int64_t end_of(SpoolClass rank) {
  return (static_cast<std::int64_t>(rank) + 1) << kClassShift;
}

}  // namespace kua::probe
