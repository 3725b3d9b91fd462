#include "collector/ooni/exporter.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/unit/collector_ooni/samples.h"

namespace kua::collector::ooni::test {
namespace {

namespace json = boost::json;

Measurement sample() {
  protocol::RecordReader reader;
  return std::get<Measurement>(*reader.read(lines_of("records/measurement.ndjson").at(0)));
}

json::object exported(const Measurement& measurement, const std::vector<Verdict>& verdicts = {}) {
  Counts left_out;
  const auto line = export_measurement(measurement, verdicts, left_out);
  EXPECT_TRUE(line.has_value());
  EXPECT_EQ(line->find('\n'), std::string::npos);
  return json::parse(*line).as_object();
}

std::string kinds(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? "absent" : std::string(json::to_string(value->kind()));
}

// As in OONI's data formats df-000, df-001, df-002, df-005, df-006 and ts-017.
TEST(OoniExporter, EveryMemberHasTheTypeThatOonisReadersExpect) {
  const json::object out = exported(sample());
  const std::pair<const char*, const char*> envelope[] = {
      {"annotations", "object"}, {"data_format_version", "string"}, {"extensions", "object"}, {"input", "string"},
      {"input_hashes", "array"}, {"measurement_start_time", "string"}, {"options", "array"}, {"probe_asn", "string"},
      {"probe_cc", "string"}, {"probe_city", "null"}, {"probe_ip", "string"}, {"probe_network_name", "string"},
      {"report_id", "string"}, {"resolver_asn", "string"}, {"resolver_ip", "string"}, {"software_name", "string"},
      {"software_version", "string"}, {"test_helpers", "object"}, {"test_keys", "object"}, {"test_name", "string"},
      {"test_runtime", "double"}, {"test_start_time", "string"}, {"test_version", "string"}};
  for (const auto& [key, kind] : envelope) EXPECT_EQ(kinds(out, key), kind) << key;
  const json::object& keys = out.at("test_keys").as_object();
  const std::pair<const char*, const char*> rows[] = {
      {"agent", "string"}, {"client_resolver", "string"}, {"retries", "null"}, {"socksproxy", "null"},
      {"queries", "array"}, {"tcp_connect", "array"}, {"tls_handshakes", "array"}, {"requests", "array"},
      {"network_events", "array"}, {"x_doh", "object"}, {"x_dns_duplicate_responses", "array"}, {"control", "null"},
      {"control_failure", "null"}, {"dns_experiment_failure", "null"}, {"http_experiment_failure", "null"},
      {"dns_consistency", "null"}, {"body_proportion", "double"}, {"blocking", "null"}, {"accessible", "null"},
      {"x_kua", "object"}};
  for (const auto& [key, kind] : rows) EXPECT_EQ(kinds(keys, key), kind) << key;
  const json::object& query = keys.at("queries").at(0).as_object();
  const std::pair<const char*, const char*> of_query[] = {
      {"answers", "array"}, {"engine", "string"}, {"failure", "null"}, {"hostname", "string"}, {"query_type", "string"},
      {"raw_response", "string"}, {"rcode", "int64"}, {"resolver_address", "string"}, {"resolver_hostname", "null"},
      {"resolver_port", "null"}, {"t0", "double"}, {"t", "double"}, {"tags", "array"}, {"transaction_id", "int64"}};
  for (const auto& [key, kind] : of_query) EXPECT_EQ(kinds(query, key), kind) << key;
  EXPECT_EQ(query.at("answers").at(0), (json::object{{"answer_type", "A"}, {"ipv4", "10.10.34.35"}, {"ttl", 60}}));
  const json::object& connect = keys.at("tcp_connect").at(0).as_object();
  EXPECT_EQ(connect.at("status"), (json::object{{"success", true}, {"failure", nullptr}}));
  EXPECT_EQ(connect.at("port"), json::value(80));
  EXPECT_EQ(connect.at("tags"), (json::array{"depth=0"}));
  const json::object& handshake = keys.at("tls_handshakes").at(0).as_object();
  EXPECT_EQ(handshake.at("failure"), json::value("connection_reset"));
  EXPECT_EQ(handshake.at("address"), json::value("203.0.113.10:443"));
  EXPECT_EQ(kinds(handshake, "peer_certificates"), "array");
  EXPECT_EQ(kinds(handshake, "no_tls_verify"), "bool");
  const json::object& distrusted = keys.at("tls_handshakes").at(1).as_object();
  EXPECT_EQ(distrusted.at("failure"), json::value("ssl_invalid_hostname")) << "to OONI a wrong chain is a failure";
  EXPECT_EQ(distrusted.at("peer_certificates").at(0).at("format"), json::value("base64"));
  const json::object& trip = keys.at("requests").at(0).as_object();
  EXPECT_EQ(trip.at("response").at("code"), json::value(301));
  EXPECT_EQ(trip.at("response").at("headers_list").at(0), (json::array{"Server", "nginx"}));
  EXPECT_EQ(trip.at("response").at("headers").at("Location"), json::value("https://news.example/"));
  EXPECT_EQ(trip.at("request").at("url"), json::value("http://news.example/"));
}

TEST(OoniExporter, TimesNumbersAndPlacesAreWrittenAsTheirsAre) {
  const json::object out = exported(sample());
  EXPECT_EQ(out.at("measurement_start_time"), json::value("2022-01-05 10:55:10"));
  EXPECT_EQ(out.at("probe_asn"), json::value("AS64500"));
  EXPECT_EQ(out.at("probe_cc"), json::value("KZ"));
  EXPECT_EQ(out.at("test_name"), json::value("web_connectivity"));
  EXPECT_EQ(out.at("software_name"), json::value("kua-probe"));
}

TEST(OoniExporter, NothingTellsWhoTheProbeIs) {
  Measurement measurement = sample();
  measurement.header.vantage.region = *Region::parse("KZ-75");
  const json::object out = exported(measurement);
  EXPECT_EQ(out.at("probe_ip"), json::value("127.0.0.1"));
  const std::string text = json::serialize(out);
  EXPECT_EQ(text.find(measurement.header.probe.text()), std::string::npos);
  EXPECT_EQ(text.find(measurement.header.boot), std::string::npos);
  EXPECT_EQ(text.find("KZ-75"), std::string::npos);
}

struct Conclusion {
  const char* claim;
  State state;
  Layer layer;
  const char* mechanism;
  json::value blocking;
  json::value accessible;
};

TEST(OoniExporter, WhatOurRulesSayIsToldInTheirWords) {
  const Conclusion rows[] = {
      {"a forged answer", State::blocked, Layer::dns, "dns.bogon", "dns", false},
      {"a refused connection", State::likely_blocked, Layer::tcp, "tcp.refused", "tcp_ip", false},
      {"a reset handshake", State::blocked, Layer::tls, "tls.reset.sni", "http-failure", false},
      {"a cut answer", State::likely_blocked, Layer::http, "http.reset", "http-failure", false},
      {"reached", State::ok, Layer::http, "", false, true},
      {"down for everybody", State::down, Layer::http, "", false, false},
      {"nobody knows", State::insufficient, Layer::http, "", nullptr, nullptr},
  };
  for (const Conclusion& row : rows) {
    Verdict verdict;
    verdict.host = "news.example";
    verdict.layer = row.layer;
    verdict.state = row.state;
    verdict.mechanism = row.mechanism;
    verdict.rule = "a.rule";
    const json::object out = exported(sample(), {verdict});
    EXPECT_EQ(out.at("test_keys").at("blocking"), row.blocking) << row.claim;
    EXPECT_EQ(out.at("test_keys").at("accessible"), row.accessible) << row.claim;
    EXPECT_EQ(out.at("test_keys").at("x_kua").at("verdicts").at(0).at("rule"), json::value("a.rule"));
  }
}

TEST(OoniExporter, WhatIsNoMeasurementOfAPageIsNotWritten) {
  Counts left_out;
  const auto reason = [&](const Measurement& measurement) {
    const auto line = export_measurement(measurement, {}, left_out);
    return line ? std::string("written") : line.error().message;
  };
  Measurement control = sample();
  control.header.role = ProbeRole::control;
  EXPECT_EQ(reason(control), "a_control");
  Measurement service = sample();
  service.input = "messenger";
  EXPECT_EQ(reason(service), "no_web_page");
  Measurement failed = sample();
  failed.validity = Validity::instrument;
  EXPECT_EQ(reason(failed), "instrument_failed");
  Measurement later = sample();
  later.observations.push_back(UnknownObservation{"path_trace", "{}"});
  EXPECT_EQ(reason(later), "written");
  EXPECT_EQ(left_out, (Counts{{"unknown_observation", 1}}));
}

TEST(OoniExporter, BytesThatAreNoTextAreBase64) {
  Measurement measurement = sample();
  for (Observation& one : measurement.observations) {
    if (auto* trip = std::get_if<HttpRoundTrip>(&one)) trip->body_sample = "\xff\xfe";
  }
  const json::object out = exported(measurement);
  EXPECT_EQ(out.at("test_keys").at("requests").at(0).at("response").at("body"),
            (json::object{{"format", "base64"}, {"data", "//4="}}));
}

}  // namespace
}  // namespace kua::collector::ooni::test
