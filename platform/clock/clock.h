// The only place that asks the machine what time it is. Everything else is handed a Clock or an
// instant, so that tests and the simulator own time.
#pragma once

#include "measurement/time.h"

namespace kua::platform {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  [[nodiscard]] virtual MonotonicTime monotonic_now() const = 0;  // CLOCK_BOOTTIME
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] MonotonicTime monotonic_now() const override;
};

}  // namespace kua::platform
