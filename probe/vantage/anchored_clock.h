// The system's clocks, the wall clock corrected by what servers said where it is far off: a device
// without a clock of its own that starts in the middle of a cut still tells true times.
#pragma once

#include "platform/clock/clock.h"

namespace kua::probe {

class AnchoredClock final : public platform::Clock {
 public:
  // Borrows `system`.
  explicit AnchoredClock(const platform::Clock& system) : system_(system) {}
  [[nodiscard]] WallTime wall_now() const override { return system_.wall_now() + correction_; }
  [[nodiscard]] MonotonicTime monotonic_now() const override { return system_.monotonic_now(); }

  void correct(Microseconds error) noexcept { correction_ = error; }
  [[nodiscard]] Microseconds correction() const noexcept { return correction_; }

 private:
  const platform::Clock& system_;
  Microseconds correction_{0};
};

}  // namespace kua::probe
