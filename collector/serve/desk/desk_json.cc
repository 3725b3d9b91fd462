#include "collector/serve/desk/desk_json.h"

#include <boost/json.hpp>

#include "protocol/verdict_json.h"

namespace kua::collector {
namespace {

namespace json = boost::json;

json::object received_json(const ReceivedFacts& facts) {
  json::object out;
  out["time"] = to_rfc3339(facts.received);
  out["country"] = facts.country.text();
  out["asn"] = facts.asn.number;
  out["network_type"] = to_string(facts.network_type);
  out["cluster"] = facts.cluster;
  out["network_agrees"] = facts.network_agrees;
  out["late"] = facts.late;
  if (facts.clock_skew) out["clock_skew_us"] = facts.clock_skew->count();
  return out;
}

void append_record_json(std::string& out, const JudgedRecord& record) {
  out += "{\"record\":";
  out += record.json;
  out += ",\"received\":";
  out += json::serialize(received_json(record.facts));
  out += ",\"verdicts\":";
  protocol::append_verdicts(record.verdicts, out);
  out += '}';
}

json::object place_json(const NetworkOverview& network) {
  json::object out;
  out["country"] = network.network.country.text();
  out["asn"] = network.network.asn.number;
  out["network_type"] = to_string(network.network.type);
  return out;
}

json::value number_or_null(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::object target_json(const NetworkOverview& network, const TargetOverview& target) {
  json::object out = place_json(network);
  out["target"] = target.target;
  out["category"] = target.category;
  out["tier"] = to_string(target.tier);
  out["state"] = to_string(target.state);
  out["since"] = to_rfc3339(target.since);
  if (target.last_otherwise) out["last_otherwise"] = to_rfc3339(*target.last_otherwise);
  if (!target.mechanism.empty()) out["mechanism"] = target.mechanism;
  out["blocked_ratio"] = number_or_null(target.blocked_ratio);
  out["probes"] = target.probes;
  out["clusters"] = target.clusters;
  out["newest"] = to_rfc3339(target.newest);
  if (target.proven) out["proven"] = to_rfc3339(*target.proven);
  return out;
}

json::object layer_json(const NetworkOverview& network, const TargetOverview& target,
                        const LayerOverview& layer) {
  json::object out = place_json(network);
  out["target"] = target.target;
  out["layer"] = to_string(layer.layer);
  out["state"] = to_string(layer.state);
  out["blocked_ratio"] = number_or_null(layer.blocked_ratio);
  out["probes"] = target.probes;
  out["since"] = to_rfc3339(layer.since);
  return out;
}

}  // namespace

std::string write_judged_record(const JudgedRecord& record) {
  std::string out;
  append_record_json(out, record);
  out += '\n';
  return out;
}

std::string write_judged_records(const std::vector<JudgedRecord>& records,
                                 const std::optional<RecordId>& next) {
  std::string out = "{\"records\":[";
  const char* separator = "";
  for (const JudgedRecord& record : records) {
    out += separator;
    append_record_json(out, record);
    separator = ",";
  }
  out += "],\"next\":";
  out += next ? "\"" + next->text() + "\"" : "null";
  out += "}\n";
  return out;
}

std::string write_cells(const Overview& overview, const CellFilter& filter) {
  json::array targets;
  json::array cells;
  for (const NetworkOverview& network : overview.networks) {
    if (filter.country && *filter.country != network.network.country) continue;
    if (filter.network && *filter.network != network.network.asn) continue;
    for (const TargetOverview& target : network.targets) {
      if (filter.target && filter.target->text() != target.target) continue;
      targets.push_back(target_json(network, target));
      for (const LayerOverview& layer : target.layers) {
        cells.push_back(layer_json(network, target, layer));
      }
    }
  }
  json::object out;
  out["time"] = to_rfc3339(floor_to(overview.now, std::chrono::seconds(1)));
  out["targets"] = std::move(targets);
  out["cells"] = std::move(cells);
  return json::serialize(out) + "\n";
}

}  // namespace kua::collector
