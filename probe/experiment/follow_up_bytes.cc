#include "probe/experiment/follow_up_bytes.h"

#include <algorithm>

namespace kua::probe {

std::uint64_t FollowUpBytes::taken() const noexcept {
  std::uint64_t sum = 0;
  for (const Step& step : steps_) {
    const std::uint64_t counted = step.tally->sent + step.tally->received;
    const bool is_over = step.tally.use_count() == 1;
    sum += is_over ? counted : std::max(counted, step.set_aside);
  }
  return sum;
}

bool FollowUpBytes::has_room(std::uint64_t bytes) const noexcept { return taken() + bytes <= bytes_max_; }

std::shared_ptr<WireTally> FollowUpBytes::begin(std::uint64_t bytes) {
  if (!has_room(bytes)) return nullptr;
  steps_.push_back({std::make_shared<WireTally>(), bytes});
  return steps_.back().tally;
}

std::vector<std::shared_ptr<WireTally>> FollowUpBytes::tallies() const {
  std::vector<std::shared_ptr<WireTally>> out;
  for (const Step& step : steps_) out.push_back(step.tally);
  return out;
}

WireTally FollowUpBytes::sum() const noexcept {
  WireTally sum;
  for (const Step& step : steps_) {
    sum.sent += step.tally->sent;
    sum.received += step.tally->received;
  }
  return sum;
}

}  // namespace kua::probe
