// A sliding window of counts in a handful of slots: bounded memory whatever the traffic, and a late
// vote lands in the slot of its own time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "collector/cells/layer_states.h"
#include "measurement/time.h"

namespace kua::collector {

inline constexpr std::size_t kWindowSlots = 6;

using StateCounts = std::array<std::uint32_t, kStates>;  // indexed by State

// Number of the slot of length `slot` that `time` falls into, counted from the epoch.
[[nodiscard]] constexpr std::int64_t slot_number(WallTime time, Microseconds slot) noexcept {
  return time.time_since_epoch() / slot;
}

// The slots are numbered by the owner: one number serves all windows of a cell.
class WindowCounts {
 public:
  // `slot` must lie within the window, that is (newest − kWindowSlots, newest].
  void add(std::int64_t slot, State state) noexcept {
    std::uint16_t& count = at(slot, state);
    if (count != kSaturated) ++count;
  }
  void remove(std::int64_t slot, State state) noexcept {
    std::uint16_t& count = at(slot, state);
    if (count != 0 && count != kSaturated) --count;
  }
  // Empties the slots from `first` to `last`, which come into use again.
  void clear(std::int64_t first, std::int64_t last) noexcept {
    for (std::int64_t slot = first; slot <= last; ++slot) slots_[index(slot)] = {};
  }
  [[nodiscard]] StateCounts sum() const noexcept {
    StateCounts total{};
    for (const auto& slot : slots_) {
      for (std::size_t state = 0; state < kStates; ++state) total[state] += slot[state];
    }
    return total;
  }

 private:
  // 65,535 verdicts of one state in one slot is hundreds a second for one cell; beyond it the
  // shares lose their last digits, which nobody can see.
  static constexpr std::uint16_t kSaturated = 0xFFFF;
  static std::size_t index(std::int64_t slot) noexcept {
    return static_cast<std::size_t>(slot % static_cast<std::int64_t>(kWindowSlots));
  }
  std::uint16_t& at(std::int64_t slot, State state) noexcept {
    return slots_[index(slot)][static_cast<std::size_t>(state)];
  }
  std::array<std::array<std::uint16_t, kStates>, kWindowSlots> slots_{};
};

}  // namespace kua::collector
