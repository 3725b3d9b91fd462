// Counters and histograms of what was measured and judged. Handles are looked up once a label set
// and kept, so that a record costs well under a microsecond; label sets are capped, what passes the
// cap goes to the network "other" and is counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "collector/cells/directory.h"
#include "collector/cells/layer_states.h"
#include "collector/serve/live_state.h"
#include "measurement/record.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace kua::collector {

class MeasurementMetrics {
 public:
  // Registers its families; `registry` is borrowed and outlives this. `max_series`: label sets a
  // family may have.
  MeasurementMetrics(prometheus::Registry& registry, std::size_t max_series);
  ~MeasurementMetrics();
  MeasurementMetrics(const MeasurementMetrics&) = delete;
  MeasurementMetrics& operator=(const MeasurementMetrics&) = delete;

  // The replay on start is over. Until then nothing counts, or every restart would read as a burst; label
  // sets are made all the same, so that rates begin at a zero.
  void live() noexcept { is_live_ = true; }

  void judged(const Directory& directory, NetworkIndex network, CategoryIndex category,
              State summary);
  void not_counted(NotCounted reason);
  // Durations of the main steps that succeeded.
  void steps(const Directory& directory, NetworkIndex network, const Measurement& measurement);
  void judge_duration(Microseconds duration);

  // Label sets that a family could not take; for families whose samples are made at each scrape.
  void dropped(const std::string& family, std::size_t label_sets);

 private:
  using States = std::array<prometheus::Counter*, kStates>;
  using Steps = std::array<prometheus::Histogram*, kFacets>;
  [[nodiscard]] States make_states(const std::string& country, const std::string& network,
                                   const std::string& category);
  [[nodiscard]] prometheus::Histogram& step(const Directory& directory, NetworkIndex network,
                                            Layer layer);
  // Whether `family` may have one more label set, `key`; one that it has already is no more.
  [[nodiscard]] bool admit(const char* family, std::size_t label_sets, const std::string& key);

  std::size_t max_series_;
  bool is_live_ = false;
  prometheus::Family<prometheus::Counter>& measurements_;
  prometheus::Family<prometheus::Histogram>& step_durations_;
  prometheus::Family<prometheus::Counter>& series_dropped_;
  prometheus::Histogram& judge_durations_;
  std::array<prometheus::Counter*, kNotCounted> not_counted_{};
  std::unordered_map<std::uint64_t, States> states_;  // by network and category
  std::unordered_map<std::uint32_t, Steps> steps_;    // by network
  std::unordered_map<std::string, std::unordered_set<std::string>> held_;  // label sets by family
  std::unordered_map<std::string, std::size_t> dropped_;  // highest number reported, by family
};

// The label value of a network: "AS9198", or "other" for those beyond a bound.
[[nodiscard]] std::string network_label(const Directory& directory, NetworkIndex network);

}  // namespace kua::collector
