#include "collector/ooni/importer.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "collector/ooni/words.h"
#include "tests/unit/collector_ooni/samples.h"

namespace kua::collector::ooni::test {
namespace {

struct Judged {
  const char* claim;
  const char* file;
  std::size_t line;
  State state;
  const char* mechanism;
};

const Judged kJudged[] = {
    {"a site that is reached over a redirect", "ooni/web_connectivity_0.5.jsonl", 0, State::ok, ""},
    {"a reset here while the helper gets through", "ooni/web_connectivity_0.5.jsonl", 1, State::likely_blocked, "tls.reset"},
    {"a bogon before the true reply", "ooni/web_connectivity_0.5.jsonl", 2, State::blocked, "dns.injection.bogon"},
    {"without the helper nothing proves the line", "ooni/web_connectivity_0.5.jsonl", 3, State::insufficient, ""},
    {"a wrong certificate for everybody is the site's own", "ooni/web_connectivity_0.5.jsonl", 4, State::insufficient, ""},
    {"0.4: a site that is reached", "ooni/web_connectivity_0.4.jsonl", 0, State::ok, ""},
    {"0.4: one silence may be chance, though the helper connects", "ooni/web_connectivity_0.4.jsonl", 1, State::insufficient, ""},
    {"0.4: another page altogether", "ooni/web_connectivity_0.4.jsonl", 2, State::likely_blocked, "http.diff"},
    {"0.4: a name that nobody knows", "ooni/web_connectivity_0.4.jsonl", 3, State::insufficient, ""},
};

TEST(OoniImporter, OurRulesReadTheirMeasurements) {
  for (const Judged& row : kJudged) {
    const auto verdicts = judged(import(lines_of(row.file).at(row.line)));
    std::string all;
    for (const Verdict& verdict : verdicts) {
      all += verdict.host + " " + to_string(verdict.layer) + " " + to_string(verdict.state) + " " + verdict.mechanism + " " + verdict.rule + "\n";
    }
    EXPECT_EQ(to_string(summarize(verdicts)), std::string(to_string(row.state))) << row.claim << "\n" << all;
    const auto leading = std::ranges::find(verdicts, row.state, &Verdict::state);
    if (leading != verdicts.end() && *row.mechanism != '\0') {
      EXPECT_EQ(leading->mechanism, row.mechanism) << row.claim << "\n" << all;
    }
  }
}

TEST(OoniImporter, AnAnswerAccusesOnlyWhereTheResolverIsTakenForTheNetworks) {
  const Imported imported = import(lines_of("ooni/web_connectivity_0.5.jsonl").at(2), InsideResolver::unknown);
  EXPECT_EQ(imported.front().header.vantage.resolver_class, ResolverClass::unknown);
  EXPECT_FALSE(summarize(judged(imported)) == State::blocked || summarize(judged(imported)) == State::likely_blocked);
}

TEST(OoniImporter, WhatItWritesIsARecordThatReadsBackTheSame) {
  protocol::RecordReader reader;
  for (const char* file : {"ooni/web_connectivity_0.5.jsonl", "ooni/web_connectivity_0.4.jsonl"}) {
    for (const std::string& line : lines_of(file)) {
      for (const Measurement& record : import(line)) {
        const auto again = reader.read(protocol::write_record(record));
        ASSERT_TRUE(again) << again.error().text();
        EXPECT_EQ(std::get<Measurement>(*again), record);
        ASSERT_TRUE(record.header.origin);
        EXPECT_EQ(lane_of(record.header), "ooni, CC BY-NC-SA 4.0");
      }
      EXPECT_EQ(import(line), import(line)) << "the same measurement has the same ids";
    }
  }
}

TEST(OoniImporter, StepsStandUnderTheirHopNameAndRole) {
  const Imported imported = import(lines_of("ooni/web_connectivity_0.5.jsonl").at(0));
  ASSERT_EQ(imported.size(), 2u);
  EXPECT_EQ(imported[0].link_state, LinkState::online);
  EXPECT_EQ(imported[1].header.role, ProbeRole::control);
  EXPECT_NE(imported[1].header.id, imported[0].header.id);
  const auto trips = steps_of<HttpRoundTrip>(imported[0]);
  ASSERT_EQ(trips.size(), 2u);
  EXPECT_EQ(trips[0].hop, 0u);
  EXPECT_EQ(*trips[0].status, 301);
  EXPECT_EQ(trips[1].hop, 1u);
  EXPECT_EQ(trips[1].title, "News of the example");
  EXPECT_EQ(trips[1].bytes_received, 1700u) << "what its network events say";
  const auto handshakes = steps_of<TlsHandshake>(imported[0]);
  ASSERT_EQ(handshakes.size(), 1u);
  EXPECT_EQ(handshakes[0].hop, 1u);
  EXPECT_EQ(handshakes[0].trust, ChainTrust::trusted);
  EXPECT_EQ(handshakes[0].bytes_received, 1400u);
  EXPECT_EQ(handshakes[0].chain.at(0).subject, "CN=news.example");
  const auto lookups = steps_of<Lookup>(imported[0]);
  ASSERT_EQ(lookups.size(), 4u) << "one getaddrinfo, two families; one resolver over UDP; one over HTTPS";
  EXPECT_EQ(lookups[0].role, StepRole::main);
  EXPECT_EQ(std::ranges::count(lookups, StepRole::trusted, &Lookup::role), 2);
  const auto page = steps_of<HttpRoundTrip>(imported[1]);
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].endpoint.port, 443) << "where the probe's own chain ended under the target's name";
}

TEST(OoniImporter, ALateReplyBelongsToItsQuery) {
  const auto lookups = steps_of<Lookup>(import(lines_of("ooni/web_connectivity_0.5.jsonl").at(2)).front());
  const auto udp = std::ranges::find(lookups, ResolverEngine::udp, &Lookup::engine);
  ASSERT_NE(udp, lookups.end());
  ASSERT_EQ(udp->late.size(), 1u);
  EXPECT_EQ(udp->late[0].addresses.at(0).text(), "203.0.113.10");
  EXPECT_EQ(udp->resolver, "private") << "an address that is not public may be the home's";
}

TEST(OoniImporter, WhatCannotBeTakenSaysWhy) {
  const char* reasons[] = {"other_test", "other_version", "bad_input", "bad_input", "bad_time", "not_a_measurement",
                           "through_proxy", "not_a_measurement", "not_json"};
  const auto lines = lines_of("ooni/not_taken.jsonl");
  ASSERT_EQ(lines.size(), std::size(reasons));
  Importer importer(InsideResolver::unknown);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto taken = importer.read(lines[i]);
    ASSERT_FALSE(taken.has_value()) << i;
    EXPECT_EQ(taken.error().message, reasons[i]) << i;
  }
}

// Every member replaced by every kind of value: nothing breaks, and what is taken stays a record.
TEST(OoniImporter, MembersOfAnyTypeAreTakenOrLeft) {
  namespace json = boost::json;
  const json::value odd[] = {nullptr, true, -1, 1e300, "", "x", json::array{1, nullptr, json::object{}},
                             json::object{{"a", 1}}, json::string(100'000, 'x')};
  protocol::RecordReader reader;
  for (const std::string& line : lines_of("ooni/web_connectivity_0.5.jsonl")) {
    const json::value whole = json::parse(line);
    for (const auto& [name, unused] : whole.at("test_keys").as_object()) {
      for (const json::value& value : odd) {
        json::value changed = whole;
        changed.as_object()["test_keys"].as_object()[name] = value;
        Importer importer(InsideResolver::network);
        const auto taken = importer.read(json::serialize(changed));
        if (!taken) continue;
        for (const Measurement& record : *taken) {
          const auto again = reader.read(protocol::write_record(record));
          EXPECT_TRUE(again.has_value()) << std::string(name) << " " << json::serialize(value).substr(0, 40);
        }
      }
    }
  }
}

TEST(OoniImporter, WhatARecordCannotHoldIsCutAndCounted) {
  namespace json = boost::json;
  json::value whole = json::parse(lines_of("ooni/web_connectivity_0.5.jsonl").at(0));
  json::array& requests = whole.as_object()["test_keys"].as_object()["requests"].as_array();
  json::value one = requests.at(0);
  one.as_object()["response"].as_object()["body"] = std::string(500'000, 'x');
  for (int i = 0; i < 60; ++i) requests.push_back(one);
  Importer importer(InsideResolver::network);
  const auto taken = importer.read(json::serialize(whole));
  ASSERT_TRUE(taken.has_value());
  EXPECT_LE(protocol::write_record(taken->front()).size(), protocol::kRecordBytesMax);
  EXPECT_EQ(importer.left_out().at("body_samples_to_fit"), 1u);
}

TEST(OoniWords, FailuresOfEveryAgeHaveOneMeaning) {
  const std::pair<const char*, FailureCode> rows[] = {
      {"connection_reset", FailureCode::connection_reset},
      {"dns_name_error", FailureCode::dns_nxdomain_error},
      {"tcp_timed_out_error", FailureCode::generic_timeout_error},
      {"connection_refused_error", FailureCode::connection_refused},
      {"unknown_error", FailureCode::unknown_failure},
      {"unknown_failure: something [scrubbed]", FailureCode::unknown_failure},
      {"socks_host_unreachable", FailureCode::unknown_failure},
  };
  for (const auto& [text, code] : rows) EXPECT_EQ(failure_code(text), code) << text;
}

}  // namespace
}  // namespace kua::collector::ooni::test
