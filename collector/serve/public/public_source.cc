#include "collector/serve/public/public_source.h"

#include "measurement/verdict.h"

namespace kua::collector {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

}  // namespace

void add_public_overview(Families& families, const PublicOverview& overview) {
  Families made;
  made.reserve(3);  // references to the first ones stay good
  MetricFamily& states = open_family(
      made, "kua_target_state",
      "1 for the state that holds now, 0 for the others. A target nobody measured lately has none.",
      MetricType::Gauge);
  MetricFamily& probes = open_family(
      made, "kua_target_probes",
      "Lower bound of the band of witnesses behind the state of a target.", MetricType::Gauge);
  MetricFamily& since = open_family(
      made, "kua_target_state_since_timestamp_seconds",
      "When the present state of a target began, in steps of five minutes.", MetricType::Gauge);
  for (const PublicNetwork& network : overview.networks) {
    const std::string country = network.network.country.text();
    const std::string name = network_name(network.network.asn);
    const std::string type = to_string(network.network.type);
    for (const PublicTarget& target : network.targets) {
      for (std::size_t state = 0; state < kStates; ++state) {
        const auto value = static_cast<State>(state);
        add_sample(states, value == target.state ? 1 : 0,
                   {{"country", country},
                    {"network", name},
                    {"network_type", type},
                    {"target", target.target},
                    {"state", to_string(value)}});
      }
      if (!target.detail) continue;
      add_sample(probes, target.detail->witnesses.low,
                 {{"country", country},
                  {"network", name},
                  {"network_type", type},
                  {"target", target.target}});
      add_sample(since,
                 std::chrono::duration<double>(target.detail->since.time_since_epoch()).count(),
                 {{"country", country},
                  {"network", name},
                  {"network_type", type},
                  {"target", target.target}});
    }
  }
  for (MetricFamily& family : made) families.push_back(std::move(family));
}

}  // namespace kua::collector
