// How far the wall clock is off, by what servers said: the Date headers of controls, the collector's own
// time. Pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "measurement/record.h"
#include "measurement/time.h"

namespace kua::probe {

// A server's time and ours at the same instant.
struct ClockAnchor {
  WallTime server;
  WallTime ours;
};

// The anchors of one `link_state` measurement that began at `began` by our clock.
[[nodiscard]] std::vector<ClockAnchor> anchors_of(const Measurement& look, WallTime began);

// What the clock should show, less what it shows: the median, so that one server with a wrong clock does
// not decide. nullopt without anchors.
[[nodiscard]] std::optional<Microseconds> clock_error(std::span<const ClockAnchor> anchors);

[[nodiscard]] bool is_wrong(Microseconds error) noexcept;  // beyond kClockErrorMax either way

}  // namespace kua::probe
