// What the follow-up of one measurement may still cost. Before a step begins it sets aside what it may take
// at ordinary sizes, and what is still under way counts as that much: side by side the steps stay within the
// bound. A server that sends far more than is usual goes over it by its own step and ends the follow-up.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "probe/step/wire_tally.h"

namespace kua::probe {

class FollowUpBytes {
 public:
  explicit FollowUpBytes(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // A tally for a step that takes `bytes` at most; nullptr where that would go over. The step is over, and
  // counts as what it took, when nobody else holds the tally: neither its coroutine nor its connection.
  [[nodiscard]] std::shared_ptr<WireTally> begin(std::uint64_t bytes);
  [[nodiscard]] bool has_room(std::uint64_t bytes) const noexcept;
  // One of each step that was begun.
  [[nodiscard]] std::vector<std::shared_ptr<WireTally>> tallies() const;
  // In both directions, of what is counted already.
  [[nodiscard]] WireTally sum() const noexcept;

 private:
  struct Step {
    std::shared_ptr<WireTally> tally;
    std::uint64_t set_aside;
  };
  [[nodiscard]] std::uint64_t taken() const noexcept;

  std::uint64_t bytes_max_;
  std::vector<Step> steps_;
};

}  // namespace kua::probe
