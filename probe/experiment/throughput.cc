#include "probe/experiment/throughput.h"

#include "probe/limits.h"

namespace kua::probe {

bool is_slow(const Answer& answer, const Pacing& pacing) noexcept {
  if (answer.bytes < kThroughputBytesMin || answer.last_byte.count() <= 0) return false;
  const bool stopped = 2 * (answer.duration - answer.last_byte) >= answer.duration;
  const double rate = static_cast<double>(answer.bytes) * 1e6 / static_cast<double>(answer.last_byte.count());
  return !stopped && rate < pacing.slow_below_bytes_per_second;
}

std::vector<Approach> throughput_pair(const Run& run, const Site& site, const Endpoint& endpoint) {
  std::vector<Approach> out;
  if (run.list().harmless_name.empty()) return out;
  for (int i = 0; i < kThroughputRuns; ++i) {
    Approach harmless = approach_of(site, endpoint, StepRole::same_address);
    harmless.name = run.list().harmless_name;
    out.push_back(std::move(harmless));
    if (i > 0) out.push_back(approach_of(site, endpoint, StepRole::retry));
  }
  for (Approach& approach : out) approach.body_wire_bytes_max = kThroughputBodyWireBytesMax;
  return out;
}

bool is_comparable(const Arrival& harmless) noexcept {
  return !harmless.failed_at && harmless.answer.bytes >= kThroughputBytesMin;
}

}  // namespace kua::probe
