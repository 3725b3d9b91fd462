// What goes to the other format and comes back.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "collector/ooni/exporter.h"
#include "collector/ooni/importer.h"
#include "tests/unit/collector_ooni/samples.h"

namespace kua::collector::ooni::test {
namespace {

namespace json = boost::json;

std::string exported(const Measurement& measurement) {
  Counts left_out;
  auto line = export_measurement(measurement, {}, left_out);
  EXPECT_TRUE(line.has_value());
  EXPECT_EQ(left_out, Counts{});
  return line.value_or("");
}

// Everything that was seen, without what marks it as imported.
Measurement bare(Measurement measurement) {
  measurement.header = {};
  for (Observation& one : measurement.observations) {
    std::visit(
        [](auto& step) {
          if constexpr (std::is_base_of_v<StepContext, std::decay_t<decltype(step)>>) step.unknown.clear();
        },
        one);
  }
  return measurement;
}

Measurement rich() {
  protocol::RecordReader reader;
  Measurement out = std::get<Measurement>(*reader.read(lines_of("records/measurement.ndjson").at(0)));
  for (Observation& one : out.observations) {
    if (auto* connect = std::get_if<Connect>(&one)) connect->icmp = IcmpError{3, 13, IcmpOrigin::path};
    if (auto* handshake = std::get_if<TlsHandshake>(&one); handshake != nullptr && handshake->failure) handshake->alert = 112;
    if (auto* trip = std::get_if<HttpRoundTrip>(&one)) {
      trip->title = "Moved";
      trip->body_bytes = 70'000;
      trip->body_sample = "moved \xff here";
      trip->body_sha256 = std::string(64, 'a');
      trip->body_truncated = true;
    }
  }
  Lookup pair;
  pair.host = "news.example";
  pair.name = *DomainName::parse("harmless.example");
  pair.role = StepRole::same_address;
  pair.engine = ResolverEngine::udp;
  pair.resolver = "private";
  pair.type = QueryType::aaaa;
  pair.offset = Microseconds(2'000'001);
  pair.duration = Microseconds(17);
  pair.failure = Failure{FailureCode::generic_timeout_error, Operation::resolve};
  out.observations.push_back(pair);
  QuicHandshake quic;
  quic.host = "news.example";
  quic.hop = 1;
  quic.offset = Microseconds(2'100'000);
  quic.duration = Microseconds(30'000);
  quic.endpoint = {*IpAddress::parse("203.0.113.10"), 443, Transport::udp};
  quic.server_name = "news.example";
  quic.version = "QUICv1";
  quic.close_code = 0x128;
  quic.initial_sent = true;
  quic.replies = 2;
  quic.bytes_received = 1'400;
  quic.failure = Failure{FailureCode::ssl_failed_handshake, Operation::quic_handshake};
  out.observations.push_back(quic);
  return out;
}

TEST(OoniRoundTrip, OfOursNothingIsLostThatTheirFormatCanCarry) {
  const Measurement ours = rich();
  const Imported back = import(exported(ours));
  ASSERT_EQ(back.size(), 1u);
  const Measurement expected = bare(ours);
  const Measurement got = bare(back.front());
  ASSERT_EQ(got.observations.size(), expected.observations.size());
  for (std::size_t i = 0; i < expected.observations.size(); ++i) {
    EXPECT_TRUE(got.observations[i] == expected.observations[i]) << i << "\n" << protocol::write_record(back.front());
  }
  EXPECT_TRUE(got == expected) << protocol::write_record(got) << "\n" << protocol::write_record(expected);
  Vantage vantage = ours.header.vantage;
  vantage.region.reset();  // where an owner chose to tell it, he told us
  EXPECT_EQ(back.front().header.vantage, vantage);
  EXPECT_EQ(back.front().header.time, ours.header.time);
  EXPECT_EQ(back.front().header.software, ours.header.software);
  EXPECT_NE(back.front().header.id, ours.header.id) << "it is an import and no record of ours";
}

TEST(OoniRoundTrip, OfOursTheJudgementStaysTheSame) {
  const Measurement ours = rich();
  const Imported back = import(exported(ours));
  EXPECT_EQ(judged(back), judged({ours}));
}

json::value picked(const json::value& event, std::initializer_list<const char*> keys) {
  json::object out;
  for (const char* key : keys) {
    const json::value* value = event.as_object().if_contains(key);
    if (value != nullptr) out[key] = *value;
  }
  return out;
}

// The members that analyses of OONI's data read.
json::value essence(const json::object& root) {
  json::object out = picked(root, {"input", "measurement_start_time", "measurement_uid", "probe_asn", "probe_cc", "probe_ip",
                                   "report_id", "resolver_asn", "resolver_ip", "software_name", "software_version",
                                   "test_name", "test_version", "test_start_time"})
                         .as_object();
  const json::object& keys = root.at("test_keys").as_object();
  for (const char* key : {"blocking", "accessible", "dns_consistency", "dns_experiment_failure", "http_experiment_failure",
                          "control", "control_failure", "body_length_match", "headers_match", "status_code_match",
                          "title_match", "x_blocking_flags", "x_dns_flags", "x_null_null_flags", "x_status"}) {
    if (keys.contains(key)) out[key] = keys.at(key);
  }
  json::array events;
  for (const json::value& query : keys.at("queries").as_array()) {
    json::object one = picked(query, {"engine", "query_type", "hostname", "failure", "transaction_id"}).as_object();
    json::array answers;
    if (query.at("answers").is_array()) {
      for (const json::value& answer : query.at("answers").as_array()) {
        answers.push_back(picked(answer, {"answer_type", "ipv4", "ipv6"}));
      }
    }
    one["answers"] = std::move(answers);
    events.push_back(std::move(one));
  }
  for (const json::value& connect : keys.at("tcp_connect").as_array()) {
    json::object one = picked(connect, {"ip", "port", "transaction_id"}).as_object();
    one["status"] = picked(connect.at("status"), {"success", "failure"});
    events.push_back(std::move(one));
  }
  for (const json::value& handshake : keys.at("tls_handshakes").as_array()) {
    events.push_back(picked(handshake, {"address", "server_name", "failure", "tls_version", "cipher_suite", "transaction_id"}));
  }
  for (const json::value& trip : keys.at("requests").as_array()) {
    if (trip.at("response").at("code") == 0) continue;  // never sent: no round trip to us
    json::object one = picked(trip, {"failure", "transaction_id"}).as_object();
    one["url"] = trip.at("request").at("url");
    one["response"] = picked(trip.at("response"), {"code", "body", "body_is_truncated", "headers_list", "headers"});
    events.push_back(std::move(one));
  }
  out["events"] = std::move(events);
  return out;
}

TEST(OoniRoundTrip, OfTheirsTheTestKeysThatMatterStayTheSame) {
  for (const char* file : {"ooni/web_connectivity_0.5.jsonl", "ooni/web_connectivity_0.4.jsonl"}) {
    for (const std::string& line : lines_of(file)) {
      const json::value before = essence(json::parse(line).as_object());
      const json::value after = essence(json::parse(exported(import(line).front())).as_object());
      for (const auto& [key, value] : before.as_object()) {
        ASSERT_TRUE(after.as_object().contains(key)) << std::string(key);
        EXPECT_EQ(after.at(key), value) << std::string(key) << "\n" << json::serialize(after.at(key)) << "\n" << json::serialize(value);
      }
    }
  }
}

}  // namespace
}  // namespace kua::collector::ooni::test
