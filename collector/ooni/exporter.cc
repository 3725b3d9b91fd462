#include "collector/ooni/exporter.h"

#include <algorithm>

#include "collector/ooni/export_steps.h"
#include "collector/ooni/json.h"
#include "collector/ooni/kua_members.h"
#include "collector/ooni/words.h"

namespace kua::collector::ooni {
namespace {

// "2022-01-05 10:55:10", whole seconds.
std::string time_text(WallTime time) {
  std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
  text[10] = ' ';
  text.resize(19);
  return text;
}

std::string asn_text(Asn asn) { return "AS" + std::to_string(asn.number); }

// The failure of the last step of a kind that was its target's own; nullopt: none was made.
template <typename Step>
std::optional<json::value> last_failure(const Measurement& measurement) {
  std::optional<json::value> out;
  for (const Observation& one : measurement.observations) {
    const auto* step = std::get_if<Step>(&one);
    if (step == nullptr || (step->role != StepRole::main && step->role != StepRole::trusted))
      continue;
    out = step->failure ? json::value(to_string(step->failure->code)) : json::value(nullptr);
  }
  return out;
}

json::value dns_failure(const Measurement& measurement) {
  json::value out = nullptr;
  for (const Observation& one : measurement.observations) {
    const auto* step = std::get_if<Lookup>(&one);
    if (step == nullptr || step->engine != ResolverEngine::system || step->role != StepRole::main)
      continue;
    if (!step->failure) return nullptr;
    if (out.is_null()) out = json::value(to_string(step->failure->code));
  }
  return out;
}

// What kept the page away: the round trip's failure, or of the step before it that was the last
// one.
json::value http_failure(const Measurement& measurement) {
  if (const auto trip = last_failure<HttpRoundTrip>(measurement)) return *trip;
  if (const auto handshake = last_failure<TlsHandshake>(measurement);
      handshake && !handshake->is_null())
    return *handshake;
  if (const auto connect = last_failure<Connect>(measurement); connect && !connect->is_null())
    return *connect;
  return dns_failure(measurement);
}

json::value blocking_of(const Verdict& verdict) {
  switch (verdict.layer) {
    case Layer::dns:
      return "dns";
    case Layer::tcp:
      return "tcp_ip";
    case Layer::tls:
    case Layer::quic:
      return "http-failure";
    case Layer::http:
      return verdict.mechanism.starts_with("http.blockpage") ? "http-diff" : "http-failure";
    case Layer::link:
      return nullptr;
  }
  return nullptr;
}

// ts-017: false: not blocked, null: nobody knows.
void add_conclusion(const std::vector<Verdict>& verdicts, json::object& keys) {
  const State state = summarize(verdicts);
  keys["blocking"] = nullptr;
  keys["accessible"] = nullptr;
  switch (state) {
    case State::ok:
      keys["blocking"] = false;
      keys["accessible"] = true;
      return;
    case State::down:
      keys["blocking"] = false;
      keys["accessible"] = false;
      return;
    case State::blocked:
    case State::likely_blocked: {
      const auto verdict = std::ranges::find(verdicts, state, &Verdict::state);
      keys["blocking"] = blocking_of(*verdict);
      keys["accessible"] = false;
      return;
    }
    case State::impaired:
    case State::insufficient:
      return;
  }
}

json::object kua_object(const Measurement& measurement, const std::vector<Verdict>& verdicts) {
  const RecordHeader& header = measurement.header;
  json::object out;
  out["format"] = "kua/1";
  out["id"] = header.id.text();
  out["experiment"] = measurement.experiment;
  out["experiment_version"] = measurement.experiment_version;
  out["category"] = measurement.category;
  out["tier"] = to_string(measurement.tier);
  out["link_state"] = to_string(measurement.link_state);
  out["validity"] = to_string(measurement.validity);
  if (!measurement.validity_reason.empty()) out["validity_reason"] = measurement.validity_reason;
  out["network_type"] = to_string(header.vantage.network_type);
  out["resolver_class"] = to_string(header.vantage.resolver_class);
  out["bytes_sent"] = measurement.bytes_sent;
  out["bytes_received"] = measurement.bytes_received;
  json::array faults;
  const Vantage::Faults& known = header.vantage.faults;
  if (known.vpn) faults.push_back("vpn");
  if (known.ipv6_broken) faults.push_back("ipv6_broken");
  if (known.clock_wrong) faults.push_back("clock_wrong");
  if (known.tls_inspected) faults.push_back("tls_inspected");
  if (known.nat64) faults.push_back("nat64");
  out["faults"] = std::move(faults);
  json::object limits;
  for (const auto& [name, count] : measurement.limits) limits[name] = count;
  out["limits"] = std::move(limits);
  out["missing"] = json::array(measurement.missing.begin(), measurement.missing.end());
  json::array rules;
  for (const Verdict& verdict : verdicts) {
    rules.push_back({{"host", verdict.host},
                     {"layer", to_string(verdict.layer)},
                     {"state", to_string(verdict.state)},
                     {"mechanism", verdict.mechanism},
                     {"rule", verdict.rule}});
  }
  out["verdicts"] = std::move(rules);
  if (header.origin) out["licence"] = header.origin->licence;
  return out;
}

json::object test_keys_of(const Measurement& measurement, const std::vector<Verdict>& verdicts,
                          const json::object& kept) {
  json::object keys;
  keys["agent"] = "redirect";
  keys["client_resolver"] = "127.0.0.2";
  keys["retries"] = nullptr;
  keys["socksproxy"] = nullptr;
  export_steps(measurement, keys);
  keys["control"] = nullptr;
  keys["control_failure"] = nullptr;
  keys["dns_experiment_failure"] = dns_failure(measurement);
  keys["http_experiment_failure"] = http_failure(measurement);
  for (const char* compared : {"dns_consistency", "body_proportion", "body_length_match",
                               "headers_match", "status_code_match", "title_match"}) {
    keys[compared] = nullptr;  // compared with a test helper, which we have none of
  }
  keys["body_proportion"] = 0.0;
  add_conclusion(verdicts, keys);
  if (const json::object* own = object_of(kept, "test_keys")) {
    for (const auto& [name, value] : *own) keys[name] = value;
  }
  keys[key_text(kKuaMember)] = kua_object(measurement, verdicts);
  return keys;
}

json::object annotations_of(const Measurement& measurement) {
  const Vantage& vantage = measurement.header.vantage;
  return {{"engine_name", "kua"},
          {"engine_version", measurement.header.software},
          {"network_type", vantage.faults.vpn ? "vpn" : network_type_word(vantage.network_type)},
          {"platform", "linux"}};
}

json::object envelope_of(const Measurement& measurement) {
  const RecordHeader& header = measurement.header;
  const std::string day = time_text(floor_to(header.time, std::chrono::hours(24)));
  const std::string& software = header.software;
  const auto slash = software.find('/');
  json::object out;
  out["annotations"] = annotations_of(measurement);
  out["data_format_version"] = "0.2.0";
  out["extensions"] = {{"dnst", 0},       {"httpt", 0},        {"netevents", 0},
                       {"tcpconnect", 0}, {"tlshandshake", 0}, {"tunnel", 0}};
  out["id"] = header.id.text();
  out["input"] = measurement.input;
  out["input_hashes"] = json::array();
  out["measurement_start_time"] = time_text(header.time);
  out["options"] = json::array();
  out["probe_asn"] = asn_text(header.vantage.asn);
  out["probe_cc"] = header.vantage.country.text();
  out["probe_city"] = nullptr;
  out["probe_ip"] = "127.0.0.1";
  out["probe_network_name"] = "";
  // OONI's reports are of a run, and a name of the probe would be more than its data hold of
  // anybody.
  out["report_id"] = "";
  out["resolver_asn"] = asn_text(header.vantage.resolver_asn);
  out["resolver_ip"] = "127.0.0.2";
  out["resolver_network_name"] = "";
  out["software_name"] = software.substr(0, slash);
  out["software_version"] = slash == std::string::npos ? "" : software.substr(slash + 1);
  out["test_helpers"] = json::object();
  out["test_name"] = "web_connectivity";
  out["test_runtime"] = static_cast<double>(measurement.runtime.count()) / 1e6;
  out["test_start_time"] = day;
  out["test_version"] = "0.5.28";
  return out;
}

bool is_web_page(const Measurement& measurement) {
  return measurement.input.starts_with("http://") || measurement.input.starts_with("https://");
}

}  // namespace

Expected<std::string> export_measurement(const Measurement& measurement,
                                         const std::vector<Verdict>& verdicts, Counts& left_out) {
  const auto refuse = [](const char* reason) {
    return fail(ErrorKind::invalid_input, reason, "writing an OONI measurement");
  };
  if (measurement.header.role == ProbeRole::control) return refuse("a_control");
  if (measurement.experiment == "link_state" || !is_web_page(measurement))
    return refuse("no_web_page");
  if (measurement.validity == Validity::instrument) return refuse("instrument_failed");
  for (const Observation& one : measurement.observations) {
    if (std::holds_alternative<UnknownObservation>(one)) ++left_out["unknown_observation"];
    if (std::holds_alternative<LinkCheck>(one)) ++left_out["link_check"];
    if (std::holds_alternative<QuicPing>(one)) ++left_out["quic_ping"];
    const auto* connect = std::get_if<Connect>(&one);
    if (connect != nullptr && connect->endpoint.transport == Transport::udp)
      ++left_out["udp_connect"];
  }
  json::object kept = kept_ooni_members(measurement.header.unknown);
  json::object out = envelope_of(measurement);
  json::object keys = test_keys_of(measurement, verdicts, kept);
  for (const auto& [name, value] : kept) {
    if (name != "test_keys") out[name] = value;
  }
  out["test_keys"] = std::move(keys);
  return json::serialize(out);
}

}  // namespace kua::collector::ooni
