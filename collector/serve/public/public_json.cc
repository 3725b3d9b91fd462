#include "collector/serve/public/public_json.h"

#include <boost/json.hpp>

namespace kua::collector {
namespace {

namespace json = boost::json;

json::object target_json(const PublicNetwork& network, const PublicTarget& target) {
  json::object out;
  out["country"] = network.network.country.text();
  out["asn"] = network.network.asn.number;
  out["network_type"] = to_string(network.network.type);
  out["target"] = target.target;
  out["category"] = target.category;
  out["state"] = to_string(target.state);
  out["by_hour"] = !target.detail.has_value();
  if (!target.detail) return out;
  out["since"] = to_rfc3339(floor_to(target.detail->since, std::chrono::seconds(1)));
  if (target.detail->proven) {
    out["proven"] = to_rfc3339(floor_to(*target.detail->proven, std::chrono::seconds(1)));
  }
  if (!target.detail->mechanism.empty()) out["mechanism"] = target.detail->mechanism;
  json::object witnesses;
  witnesses["at_least"] = target.detail->witnesses.low;
  if (target.detail->witnesses.high) witnesses["at_most"] = *target.detail->witnesses.high;
  out["witnesses"] = std::move(witnesses);
  return out;
}

}  // namespace

std::string write_public_overview(const PublicOverview& overview) {
  json::object out;
  out["time"] = to_rfc3339(floor_to(overview.now, std::chrono::seconds(1)));
  out["hour"] = to_rfc3339(overview.hour);
  json::object rule;
  rule["min_clusters"] = overview.rule.min_clusters;
  rule["local_instance"] = overview.rule.is_local();
  out["publication"] = std::move(rule);
  json::array networks;
  json::array targets;
  for (const PublicNetwork& network : overview.networks) {
    json::object one;
    one["country"] = network.network.country.text();
    one["asn"] = network.network.asn.number;
    one["network_type"] = to_string(network.network.type);
    if (network.link) one["link_state"] = to_string(*network.link);
    networks.push_back(std::move(one));
    for (const PublicTarget& target : network.targets)
      targets.push_back(target_json(network, target));
  }
  out["networks"] = std::move(networks);
  out["targets"] = std::move(targets);
  return json::serialize(out) + "\n";
}

}  // namespace kua::collector
