#include "collector/serve/metrics/measurement_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <variant>
#include <vector>

namespace kua::collector {
namespace {

constexpr char kMeasurements[] = "kua_measurements_total";
constexpr char kSteps[] = "kua_step_duration_seconds";

// Seconds; what the conventions fix for probes.
prometheus::Histogram::BucketBoundaries step_buckets() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

// Seconds; a judgement takes microseconds.
prometheus::Histogram::BucketBoundaries judge_buckets() {
  return {0.000001, 0.0000025, 0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.001, 0.01};
}

double seconds(Microseconds duration) { return std::chrono::duration<double>(duration).count(); }

struct LayerOf {
  std::optional<Layer> operator()(const Lookup&) const { return Layer::dns; }
  std::optional<Layer> operator()(const Connect&) const { return Layer::tcp; }
  std::optional<Layer> operator()(const TlsHandshake&) const { return Layer::tls; }
  std::optional<Layer> operator()(const HttpRoundTrip&) const { return Layer::http; }
  std::optional<Layer> operator()(const QuicHandshake&) const { return Layer::quic; }
  std::optional<Layer> operator()(const QuicPing&) const { return std::nullopt; }
  std::optional<Layer> operator()(const LinkCheck&) const { return std::nullopt; }
  std::optional<Layer> operator()(const UnknownObservation&) const { return std::nullopt; }
};

}  // namespace

std::string network_label(const Directory& directory, NetworkIndex network) {
  return network == NetworkIndex{} ? "other" : network_name(directory.at(network).asn);
}

MeasurementMetrics::MeasurementMetrics(prometheus::Registry& registry, std::size_t max_series)
    : max_series_(max_series),
      measurements_(
          prometheus::BuildCounter()
              .Name(kMeasurements)
              .Help("Measurements judged, by the summary state of their target when they came.")
              .Register(registry)),
      step_durations_(
          prometheus::BuildHistogram()
              .Name(kSteps)
              .Help("Duration of main steps that succeeded, by the layer they belong to.")
              .Register(registry)),
      series_dropped_(prometheus::BuildCounter()
                          .Name("kua_series_dropped_total")
                          .Help("Label sets that a cap folded into other.")
                          .Register(registry)),
      judge_durations_(prometheus::BuildHistogram()
                           .Name("kua_judge_duration_seconds")
                           .Help("Time to judge one measurement.")
                           .Register(registry)
                           .Add({}, judge_buckets())) {
  auto& not_counted = prometheus::BuildCounter()
                          .Name("kua_measurements_not_counted_total")
                          .Help("Measurements that are stored and enter no cell, by the reason.")
                          .Register(registry);
  for (std::size_t reason = 0; reason < kNotCounted; ++reason) {
    not_counted_[reason] =
        &not_counted.Add({{"reason", to_string(static_cast<NotCounted>(reason))}});
  }
  for (const char* family : {kMeasurements, kSteps, "kua_target_state", "kua_cell_blocked_ratio",
                             "kua_target_probes", "kua_target_witnesses",
                             "kua_target_state_since_timestamp_seconds"}) {
    series_dropped_.Add({{"family", family}});
  }
}

MeasurementMetrics::~MeasurementMetrics() = default;

bool MeasurementMetrics::admit(const char* family, std::size_t label_sets, const std::string& key) {
  std::unordered_set<std::string>& held = held_[family];
  if (held.contains(key)) return true;
  if ((held.size() + 1) * label_sets > max_series_) return false;
  held.insert(key);
  return true;
}

MeasurementMetrics::States MeasurementMetrics::make_states(const std::string& country,
                                                           const std::string& network,
                                                           const std::string& category) {
  States states{};
  for (std::size_t state = 0; state < kStates; ++state) {
    states[state] = &measurements_.Add({{"country", country},
                                        {"network", network},
                                        {"category", category},
                                        {"state", to_string(static_cast<State>(state))}});
  }
  return states;
}

void MeasurementMetrics::judged(const Directory& directory, NetworkIndex network,
                                CategoryIndex category, State summary) {
  const std::uint64_t key = (static_cast<std::uint64_t>(network.value) << 32) | category.value;
  auto found = states_.find(key);
  if (found == states_.end()) {
    const std::string& country = directory.at(network).country.text();
    const std::string name = network_label(directory, network);
    const std::string& code = directory.at(category);
    if (admit(kMeasurements, kStates, country + '|' + name + '|' + code)) {
      found = states_.emplace(key, make_states(country, name, code)).first;
    } else {
      dropped(kMeasurements, dropped_[kMeasurements] + 1);
      found = states_.emplace(key, make_states("ZZ", "other", "MISC")).first;
    }
  }
  if (is_live_) found->second[static_cast<std::size_t>(summary)]->Increment();
}

void MeasurementMetrics::not_counted(NotCounted reason) {
  if (is_live_) not_counted_[static_cast<std::size_t>(reason)]->Increment();
}

prometheus::Histogram& MeasurementMetrics::step(const Directory& directory, NetworkIndex network,
                                                Layer layer) {
  prometheus::Histogram*& handle = steps_[network.value][static_cast<std::size_t>(layer)];
  if (handle != nullptr) return *handle;
  std::string country = directory.at(network).country.text();
  std::string name = network_label(directory, network);
  if (!admit(kSteps, 1, country + '|' + name + '|' + to_string(layer))) {
    dropped(kSteps, dropped_[kSteps] + 1);
    country = "ZZ";
    name = "other";
  }
  handle = &step_durations_.Add(
      {{"country", country}, {"network", name}, {"layer", to_string(layer)}}, step_buckets());
  return *handle;
}

void MeasurementMetrics::steps(const Directory& directory, NetworkIndex network,
                               const Measurement& measurement) {
  for (const Observation& observation : measurement.observations) {
    const std::optional<Layer> layer = std::visit(LayerOf(), observation);
    if (!layer) continue;
    const StepContext* context = context_of(observation);
    if (context == nullptr || context->role != StepRole::main || context->failure) continue;
    prometheus::Histogram& durations = step(directory, network, *layer);
    if (is_live_) durations.Observe(seconds(context->duration));
  }
}

void MeasurementMetrics::judge_duration(Microseconds duration) {
  if (is_live_) judge_durations_.Observe(seconds(duration));
}

void MeasurementMetrics::dropped(const std::string& family, std::size_t label_sets) {
  std::size_t& highest = dropped_[family];
  if (label_sets <= highest) return;
  series_dropped_.Add({{"family", family}}).Increment(static_cast<double>(label_sets - highest));
  highest = label_sets;
}

}  // namespace kua::collector
