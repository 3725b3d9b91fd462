#include "collector/serve/live_state.h"

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <algorithm>

#include "collector/serve/metrics/exposition.h"
#include "collector/serve/metrics/measurement_metrics.h"
#include "collector/serve/metrics/overview_source.h"
#include "tests/unit/collector_judge/world.h"
#include "tests/unit/collector_serve/sample.h"

namespace kua::collector::test {
namespace {

using verdict::test::kReset;
using verdict::test::kSilence;
using verdict::test::kTrue;
using verdict::test::resolved;
using verdict::test::well;

class LiveStateTest : public ::testing::Test {
 protected:
  LiveStateTest() {
    judge.set_knowledge(known());
    metrics.live();
  }
  void take(const ReceivedRecord& record) { judge.on_record(record); }
  std::string metrics_text() { return expose(registry.Collect(), Exposition::text_0_0_4); }

  StillClock clock;
  prometheus::Registry registry;
  MeasurementMetrics metrics{registry, 1'000};
  LiveState state{{}, metrics};
  Judge judge{{}, state, clock};
};

ReceivedRecord from_kazakhstan(Story story, unsigned probe, double minute) {
  Measurement measurement = measured(std::move(story), probe, minute);
  measurement.header.vantage.asn = Asn{9198};
  measurement.header.vantage.network_type = NetworkType::fixed;
  return received(std::move(measurement));
}

TEST_F(LiveStateTest, AMeasurementIsACellACounterAndAPresence) {
  take(from_kazakhstan(well(), 1, 0));
  const Overview now = state.overview(at(1));
  ASSERT_EQ(now.networks.size(), 1u);
  EXPECT_EQ(now.networks[0].network,
            (Network{*CountryCode::parse("KZ"), Asn{9198}, NetworkType::fixed}));
  EXPECT_EQ(now.networks[0].reporting, 1u);
  ASSERT_EQ(now.networks[0].targets.size(), 1u);
  EXPECT_EQ(now.networks[0].targets[0].state, State::ok);
  const std::string text = metrics_text();
  EXPECT_NE(text.find("kua_measurements_total{category=\"NEWS\",country=\"KZ\",network=\"AS9198\","
                      "state=\"ok\"} 1"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("state=\"blocked\"} 0"), std::string::npos) << "every state begins at 0";
  EXPECT_NE(
      text.find(
          "kua_step_duration_seconds_count{country=\"KZ\",layer=\"tls\",network=\"AS9198\"} 1"),
      std::string::npos)
      << text;
}

TEST_F(LiveStateTest, ARevisedVerdictRevisesTheCell) {
  take(from_kazakhstan(resolved().cut(kTrue, kReset), 1, 0));
  EXPECT_EQ(state.overview(at(1)).networks[0].targets[0].state, State::insufficient);
  take(received(control(resolved().cut(kTrue, kReset), 90, 2)));
  take(received(control(resolved().cut(kTrue, kReset), 90, 7)));
  EXPECT_EQ(state.overview(at(8)).networks[0].targets[0].state, State::down);
}

TEST_F(LiveStateTest, AFailureWithoutComparisonLeavesTheProofBeforeIt) {
  const auto silent = [] { return resolved().connects(kTrue).cut(kTrue, kSilence); };
  Story proven = silent();
  proven.as(StepRole::retry).cut(kTrue, kSilence);
  proven.as(StepRole::same_address).shakes(kTrue, "harmless");
  take(from_kazakhstan(proven, 1, 0));
  ASSERT_EQ(state.overview(at(1)).networks[0].targets[0].state, State::blocked);
  take(from_kazakhstan(silent(), 1, 5));
  const TargetOverview now = state.overview(at(6)).networks[0].targets[0];
  EXPECT_EQ(now.state, State::blocked);
  EXPECT_EQ(now.mechanism, "tls.timeout.sni");
  EXPECT_EQ(now.proven, at(0));
  EXPECT_EQ(now.newest, at(5));
  take(from_kazakhstan(well(), 1, 10));
  EXPECT_EQ(state.overview(at(11)).networks[0].targets[0].state, State::ok);
  take(from_kazakhstan(silent(), 1, 15));
  EXPECT_EQ(state.overview(at(16)).networks[0].targets[0].state, State::insufficient);
}

TEST_F(LiveStateTest, WhatTheListSaysOfATargetBeatsTheClaim) {
  protocol::TargetList list;
  Target target{*TargetId::parse("web:https://www.example.com/"), {}, {}, {}, {}, {}, {}, {}};
  target.category = "HUMR";
  target.tier = Tier::core;
  list.targets.push_back(target);
  const auto said = [&](Tier tier) {
    state.set_lists({&list, 1});
    ReceivedRecord record = from_kazakhstan(well(), 1, 0);
    std::get<Measurement>(record.record).tier = tier;
    take(record);
    return state.overview(at(1)).networks.at(0).targets.at(0);
  };
  EXPECT_EQ(said(Tier::key).tier, Tier::core);
  EXPECT_EQ(said(Tier::full).tier, Tier::core);
  EXPECT_EQ(said(Tier::control).category, "HUMR");
  list.targets[0].tier = Tier::key;
  EXPECT_EQ(said(Tier::full).tier, Tier::key) << "a newer list holds";
  list.targets[0].tier = Tier::control;
  (void)said(Tier::key);
  EXPECT_NE(metrics_text().find("{reason=\"control_target\"} 1"), std::string::npos);
}

TEST_F(LiveStateTest, NobodyAccusesFromAfar) {
  ReceivedRecord foreign = from_kazakhstan(well(), 1, 0);
  foreign.facts.country = *CountryCode::parse("NL");
  take(foreign);
  const Overview now = state.overview(at(1));
  ASSERT_EQ(now.networks.size(), 1u);
  EXPECT_TRUE(now.networks[0].targets.empty());
  EXPECT_EQ(now.networks[0].network.country.text(), "NL") << "nor keeps a silent network alive";
  EXPECT_NE(metrics_text().find("kua_measurements_not_counted_total{reason=\"elsewhere\"} 1"),
            std::string::npos);
}

TEST_F(LiveStateTest, AProbeThatMovedAccusesNeitherNetwork) {
  ReceivedRecord moved = from_kazakhstan(well(), 1, 0);
  moved.facts.asn = Asn{21299};
  take(moved);
  const Overview now = state.overview(at(1));
  ASSERT_EQ(now.networks.size(), 1u);
  EXPECT_TRUE(now.networks[0].targets.empty());
  EXPECT_EQ(now.networks[0].network.asn, Asn{21299}) << "it is heard where it is";
  const std::string text = metrics_text();
  EXPECT_NE(text.find("{reason=\"other_network\"} 1"), std::string::npos);
  EXPECT_EQ(text.find("kua_measurements_total{"), std::string::npos);
}

TEST_F(LiveStateTest, WhatWasKeptInTheSpoolCountsForItsOwnNetwork) {
  ReceivedRecord kept = from_kazakhstan(well(), 1, 0);
  kept.facts.received = at(20);
  kept.facts.late = true;
  kept.facts.asn = Asn{21299};
  take(kept);
  const Overview now = state.overview(at(20));
  const auto home = std::ranges::find(now.networks, Asn{9198}, [](const NetworkOverview& one) {
    return one.network.asn;
  });
  ASSERT_NE(home, now.networks.end());
  EXPECT_EQ(home->targets.size(), 1u);
}

TEST_F(LiveStateTest, ANetworkThatNobodyCanLookUpIsBelieved) {
  ReceivedRecord unknown = from_kazakhstan(well(), 1, 0);
  unknown.facts.asn = Asn{};
  take(unknown);
  EXPECT_EQ(state.overview(at(1)).networks.at(0).targets.size(), 1u);
}

TEST_F(LiveStateTest, ARecordFromTheSpoolDoesNotMakeItsOldNetworkHeardNow) {
  take(from_kazakhstan(well(), 1, 0));
  ReceivedRecord kept = from_kazakhstan(well(), 1, 0.5);
  kept.facts.received = at(600);
  kept.facts.late = true;
  kept.facts.asn = Asn{21299};
  kept.facts.network_type = NetworkType::mobile;
  take(kept);
  for (const NetworkOverview& one : state.overview(at(600)).networks) {
    if (one.network.asn == Asn{9198}) {
      EXPECT_EQ(one.last_heard, at(0));
      EXPECT_EQ(one.reporting, 0u);
    } else {
      EXPECT_EQ(one.reporting, 1u);
    }
  }
}

TEST_F(LiveStateTest, WhatTheVantageLeavesOpenIsTakenFromTheLookUp) {
  ReceivedRecord open = received(measured(well(), 1, 0));
  std::get<Measurement>(open.record).header.vantage.country = *CountryCode::parse("ZZ");
  take(open);
  EXPECT_EQ(state.overview(at(1)).networks.at(0).network,
            (Network{*CountryCode::parse("KZ"), Asn{9198}, NetworkType::fixed}));
}

TEST_F(LiveStateTest, TroubleOfTheLineIsInNoCell) {
  Story offline = resolved().cut(kTrue, kReset);
  offline.link(LinkState::offline);
  take(from_kazakhstan(offline, 1, 0));
  EXPECT_TRUE(state.overview(at(1)).networks.at(0).targets.empty());
  EXPECT_NE(metrics_text().find("{reason=\"no_verdict\"} 1"), std::string::npos);
}

TEST_F(LiveStateTest, AnInvalidMeasurementIsInNothing) {
  ReceivedRecord broken = from_kazakhstan(well(), 1, 0);
  std::get<Measurement>(broken.record).validity = Validity::instrument;
  take(broken);
  EXPECT_TRUE(state.overview(at(1)).networks.at(0).targets.empty());
  EXPECT_EQ(metrics_text().find("kua_measurements_total{"), std::string::npos);
}

TEST_F(LiveStateTest, AHeartbeatKeepsAProbePresentWithoutMeasuring) {
  ReceivedFacts facts;
  facts.country = *CountryCode::parse("KZ");
  facts.asn = Asn{9198};
  for (int minute = 0; minute < 60; ++minute) {
    facts.received = at(minute);
    judge.on_heartbeat(probe_id(1), LinkState::international_cut, facts);
  }
  const Overview now = state.overview(at(60));
  EXPECT_EQ(now.networks.at(0).reporting, 1u);
  EXPECT_EQ(prevailing_link(now.networks.at(0)), LinkState::international_cut);
}

TEST_F(LiveStateTest, AControlIsNoProbeOfTheNetworkItStandsIn) {
  ReceivedFacts facts;
  facts.country = *CountryCode::parse("DE");
  facts.asn = Asn{3320};
  facts.received = at(0);
  judge.on_heartbeat(probe_id(90), LinkState::online, facts);
  EXPECT_EQ(state.overview(at(0)).networks.at(0).expected, 1u)
      << "nothing tells it from a probe yet";
  take(received(control(well(), 90, 1)));
  facts.received = at(2);
  judge.on_heartbeat(probe_id(90), LinkState::online, facts);
  EXPECT_EQ(state.overview(at(2)).networks.at(0).expected, 0u);
}

TEST_F(LiveStateTest, NetworksBeyondTheCapAreFoldedIntoOther) {
  prometheus::Registry small_registry;
  MeasurementMetrics small(small_registry, 3 * kStates);
  small.live();
  LiveState many({}, small);
  Judge many_judge({}, many, clock);
  for (std::uint32_t asn = 1; asn <= 10; ++asn) {
    ReceivedRecord record = from_kazakhstan(well(), asn, 0);
    std::get<Measurement>(record.record).header.vantage.asn = Asn{asn};
    record.facts.asn = Asn{asn};
    many_judge.on_record(record);
  }
  const std::string text = expose(small_registry.Collect(), Exposition::text_0_0_4);
  EXPECT_NE(text.find("kua_series_dropped_total{family=\"kua_measurements_total\"} 7"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("network=\"other\",state=\"ok\"} 7"), std::string::npos) << text;
}

TEST_F(LiveStateTest, WhatAFamilyHasNoRoomForIsCounted) {
  NetworkOverview one = network("KZ", 9198, 3);
  for (const char* id : {"web:a", "web:b", "web:c"}) one.targets.push_back(target(id, State::ok, 3));
  Families families;
  add_overview(families, overview({one}), 2, metrics);
  const std::string text = metrics_text();
  for (const char* family :
       {"kua_target_probes", "kua_target_witnesses", "kua_target_state_since_timestamp_seconds"}) {
    EXPECT_NE(text.find("kua_series_dropped_total{family=\"" + std::string(family) + "\"} 1"),
              std::string::npos)
        << family << " takes two of three";
  }
}

}  // namespace
}  // namespace kua::collector::test
