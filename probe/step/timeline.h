// Where a step stands in its measurement. Offsets are exact; the absolute instant is rounded elsewhere.
#pragma once

#include "measurement/time.h"
#include "platform/clock/clock.h"

namespace kua::probe {

// Borrows the clock, which outlives every run.
struct Timeline {
  const platform::Clock* clock;
  MonotonicTime origin;  // the instant at which the measurement began

  [[nodiscard]] MonotonicTime now() const { return clock->monotonic_now(); }
  [[nodiscard]] Microseconds offset() const { return now() - origin; }
};

}  // namespace kua::probe
