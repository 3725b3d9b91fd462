#include "collector/serve/metrics/overview_source.h"

#include "collector/serve/metrics/measurement_metrics.h"

namespace kua::collector {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

double unix_seconds(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

struct Place {
  std::string country;
  std::string network;
  std::string network_type;
};

Place place_of(const NetworkOverview& network) {
  return {network.network.country.text(),
          network.is_other ? "other" : network_name(network.network.asn),
          to_string(network.network.type)};
}

std::size_t targets_of(const Overview& overview) {
  std::size_t targets = 0;
  for (const NetworkOverview& network : overview.networks) targets += network.targets.size();
  return targets;
}

// Counts what a family may still take.
class Room {
 public:
  explicit Room(std::size_t series_max) : left_(series_max) {}
  [[nodiscard]] bool take(std::size_t series) {
    if (series > left_) {
      ++refused_;
      return false;
    }
    left_ -= series;
    return true;
  }
  [[nodiscard]] std::size_t refused() const noexcept { return refused_; }

 private:
  std::size_t left_;
  std::size_t refused_ = 0;
};

void add_states(Families& families, const Overview& overview, Room& room) {
  MetricFamily& states = open_family(
      families, "kua_target_state",
      "1 for the state that holds now, 0 for the others. A target nobody measured lately has none.",
      MetricType::Gauge);
  states.metric.reserve(targets_of(overview) * kStates);
  for (const NetworkOverview& network : overview.networks) {
    const Place place = place_of(network);
    for (const TargetOverview& target : network.targets) {
      if (!room.take(kStates)) continue;
      for (std::size_t state = 0; state < kStates; ++state) {
        const auto value = static_cast<State>(state);
        add_sample(states, value == target.state ? 1 : 0,
                   {{"country", place.country},
                    {"network", place.network},
                    {"network_type", place.network_type},
                    {"target", target.target},
                    {"state", to_string(value)}});
      }
    }
  }
}

void add_ratios(Families& families, const Overview& overview, Room& room) {
  MetricFamily& ratios =
      open_family(families, "kua_cell_blocked_ratio",
                  "Share of decisive verdicts in the window that say blocked or likely_blocked.",
                  MetricType::Gauge);
  ratios.metric.reserve(targets_of(overview) * 4);
  for (const NetworkOverview& network : overview.networks) {
    const Place place = place_of(network);
    for (const TargetOverview& target : network.targets) {
      for (const LayerOverview& layer : target.layers) {
        if (!layer.blocked_ratio || !room.take(1)) continue;
        add_sample(ratios, *layer.blocked_ratio,
                   {{"country", place.country},
                    {"network", place.network},
                    {"network_type", place.network_type},
                    {"target", target.target},
                    {"layer", to_string(layer.layer)}});
      }
    }
  }
}

template <typename ValueOf>
void add_target_gauge(Families& families, const Overview& overview, const char* name,
                      const char* help, Room& room, ValueOf value_of) {
  MetricFamily& gauge = open_family(families, name, help, MetricType::Gauge);
  gauge.metric.reserve(targets_of(overview));
  for (const NetworkOverview& network : overview.networks) {
    const Place place = place_of(network);
    for (const TargetOverview& target : network.targets) {
      if (!room.take(1)) continue;
      add_sample(gauge, value_of(target),
                 {{"country", place.country},
                  {"network", place.network},
                  {"network_type", place.network_type},
                  {"target", target.target}});
    }
  }
}

template <typename ValueOf>
void add_network_gauge(Families& families, const Overview& overview, const char* name,
                       const char* help, ValueOf value_of) {
  MetricFamily& gauge = open_family(families, name, help, MetricType::Gauge);
  for (const NetworkOverview& network : overview.networks) {
    const Place place = place_of(network);
    add_sample(gauge, value_of(network),
               {{"country", place.country},
                {"network", place.network},
                {"network_type", place.network_type}});
  }
}

void add_link_states(Families& families, const Overview& overview) {
  MetricFamily& links = open_family(
      families, "kua_probes_link_state",
      "Reporting probes by the state of their line as they last reported it.", MetricType::Gauge);
  for (const NetworkOverview& network : overview.networks) {
    const Place place = place_of(network);
    for (std::size_t state = 0; state < kLinkStates; ++state) {
      add_sample(links, network.link_states[state],
                 {{"country", place.country},
                  {"network", place.network},
                  {"network_type", place.network_type},
                  {"link_state", to_string(static_cast<LinkState>(state))}});
    }
  }
}

}  // namespace

void add_overview(Families& families, const Overview& overview, std::size_t max_series,
                  MeasurementMetrics& metrics) {
  Room states(max_series);
  add_states(families, overview, states);
  metrics.dropped("kua_target_state", states.refused());
  Room ratios(max_series);
  add_ratios(families, overview, ratios);
  metrics.dropped("kua_cell_blocked_ratio", ratios.refused());
  const auto add_gauge = [&](const char* name, const char* help, auto value_of) {
    Room room(max_series);
    add_target_gauge(families, overview, name, help, room, value_of);
    metrics.dropped(name, room.refused());
  };
  add_gauge("kua_target_probes",
            "Distinct probes that can tell the state of a target, whatever they say.",
            [](const TargetOverview& target) { return target.probes; });
  add_gauge("kua_target_witnesses",
            "Distinct clusters of probes whose word backs the state of a target.",
            [](const TargetOverview& target) { return target.supporting; });
  add_gauge("kua_target_state_since_timestamp_seconds", "When the present state of a target began.",
            [](const TargetOverview& target) { return unix_seconds(target.since); });
  add_network_gauge(families, overview, "kua_probes_reporting",
                    "Probes heard within three of their own intervals.",
                    [](const NetworkOverview& network) { return network.reporting; });
  add_network_gauge(families, overview, "kua_probes_expected", "Probes heard within the last day.",
                    [](const NetworkOverview& network) { return network.expected; });
  add_network_gauge(
      families, overview, "kua_network_last_heard_timestamp_seconds",
      "When any probe of a network was last heard.",
      [](const NetworkOverview& network) { return unix_seconds(network.last_heard); });
  add_link_states(families, overview);
  MetricFamily& controls =
      open_family(families, "kua_controls_reporting",
                  "Control vantages with a fresh measurement of any target.", MetricType::Gauge);
  add_sample(controls, static_cast<double>(overview.controls_reporting));
}

}  // namespace kua::collector
