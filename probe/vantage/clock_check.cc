#include "probe/vantage/clock_check.h"

#include <algorithm>

#include "probe/limits.h"

namespace kua::probe {

std::vector<ClockAnchor> anchors_of(const Measurement& look, WallTime began) {
  std::vector<ClockAnchor> anchors;
  for (const Observation& observation : look.observations) {
    const auto* check = std::get_if<LinkCheck>(&observation);
    if (check == nullptr || !check->server_date || !check->reached) continue;
    anchors.push_back({*check->server_date, began + check->offset + check->duration});
  }
  return anchors;
}

std::optional<Microseconds> clock_error(std::span<const ClockAnchor> anchors) {
  if (anchors.empty()) return std::nullopt;
  std::vector<Microseconds> errors;
  for (const ClockAnchor& anchor : anchors) errors.push_back(anchor.server - anchor.ours);
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::ranges::nth_element(errors, middle);
  return *middle;
}

bool is_wrong(Microseconds error) noexcept { return std::chrono::abs(error) > kClockErrorMax; }

}  // namespace kua::probe
