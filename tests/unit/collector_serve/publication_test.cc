#include "collector/serve/publication/publication.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "collector/serve/metrics/exposition.h"
#include "collector/serve/page/page.h"
#include "collector/serve/public/public_json.h"
#include "collector/serve/public/public_source.h"
#include "tests/unit/collector_serve/sample.h"

namespace kua::collector::test {
namespace {

using std::chrono::minutes;

const PublicTarget* find(const PublicOverview& shown, std::uint32_t asn, const std::string& id) {
  for (const PublicNetwork& network : shown.networks) {
    if (network.network.asn.number != asn) continue;
    for (const PublicTarget& target : network.targets) {
      if (target.target == id) return &target;
    }
  }
  return nullptr;
}

TEST(Publication, WhatANumberOfWitnessesAllows) {
  struct Case {
    std::string claim;
    std::uint32_t clusters;
    bool shown;
    std::string band;  // empty: a state by the hour
  };
  const Case cases[] = {
      {"nobody is no witness", 0, false, ""},
      {"one witness is a person", 1, false, ""},
      {"two are nearly one", 2, false, ""},
      {"three make a state by the hour", 3, true, ""},
      {"four make a state by the hour", 4, true, ""},
      {"five make a band", 5, true, "5–9"},
      {"nine are in the same band as five", 9, true, "5–9"},
      {"ten are in the next", 10, true, "10–19"},
      {"many are many", 4000, true, "50+"},
  };
  for (const Case& row : cases) {
    Publisher publisher({});
    NetworkOverview one = network("KZ", 9198, row.clusters);
    one.targets.push_back(target("web:a", State::blocked, row.clusters, "tls.reset.sni"));
    const PublicOverview shown = shown_since_the_hour(publisher, overview({one}));
    const PublicTarget* found = find(shown, 9198, "web:a");
    ASSERT_EQ(found != nullptr, row.shown) << row.claim;
    EXPECT_EQ(shown.networks.empty(), !row.shown) << row.claim;
    if (found == nullptr) continue;
    EXPECT_EQ(found->state, State::blocked) << row.claim;
    ASSERT_EQ(found->detail.has_value(), !row.band.empty()) << row.claim;
    if (found->detail) {
      EXPECT_EQ(found->detail->witnesses.text(), row.band) << row.claim;
      EXPECT_EQ(found->detail->since, floor_to(found->detail->since, minutes(5))) << row.claim;
      EXPECT_EQ(found->detail->proven, floor_to(*found->detail->proven, minutes(5))) << row.claim;
    }
  }
}

TEST(Publication, AStateByTheHourStandsUntilTheNext) {
  Publisher publisher({});
  NetworkOverview one = network("KZ", 9198, 4);
  one.targets.push_back(target("web:a", State::ok, 4));
  Overview now = overview({one});
  (void)shown_since_the_hour(publisher, now);
  now.networks[0].targets[0].state = State::blocked;
  now.now += minutes(3);
  EXPECT_EQ(find(publisher.publish(now), 9198, "web:a")->state, State::ok);
  now.networks[0].targets.clear();
  now.networks[0].clusters = 1;
  EXPECT_EQ(find(publisher.publish(now), 9198, "web:a")->state, State::ok)
      << "who leaves within the hour leaves no trace in it";
  now.now += minutes(5);
  EXPECT_TRUE(publisher.publish(now).networks.empty()) << "11:00 has come";
}

TEST(Publication, AfterAStartNothingIsShownUntilTheNextFullHour) {
  Publisher publisher({});
  NetworkOverview one = network("KZ", 9198, 12);
  one.targets.push_back(target("web:a", State::blocked, 12));
  one.targets.push_back(target("web:b", State::blocked, 3));
  Overview now = overview({one});
  EXPECT_TRUE(publisher.publish(now).networks.empty()) << "10:55 is not 10:00";
  now.now += minutes(2);
  EXPECT_TRUE(publisher.publish(now).networks.empty());
  now.now += minutes(3);
  const PublicOverview shown = publisher.publish(now);
  EXPECT_EQ(shown.hour, floor_to(now.now, std::chrono::hours(1)));
  ASSERT_NE(find(shown, 9198, "web:a"), nullptr);
  EXPECT_TRUE(find(shown, 9198, "web:a")->detail);
  EXPECT_NE(find(shown, 9198, "web:b"), nullptr);
}

TEST(Publication, TheFifthWitnessShowsAtTheNextHourOnly) {
  Publisher publisher({});
  NetworkOverview one = network("KZ", 9198, 4);
  one.targets.push_back(target("web:a", State::ok, 4));
  Overview now = overview({one});
  (void)shown_since_the_hour(publisher, now);
  now.networks[0].targets[0].clusters = 5;
  now.now += minutes(1);
  EXPECT_FALSE(find(publisher.publish(now), 9198, "web:a")->detail);
  now.now += minutes(5);
  EXPECT_TRUE(find(publisher.publish(now), 9198, "web:a")->detail);
}

TEST(Publication, AChangeOfAWellWitnessedTargetShowsAtOnce) {
  Publisher publisher({});
  NetworkOverview one = network("KZ", 9198, 12);
  one.targets.push_back(target("web:a", State::ok, 12));
  Overview now = overview({one});
  (void)shown_since_the_hour(publisher, now);
  now.now += minutes(2);
  now.networks[0].targets[0].state = State::blocked;
  EXPECT_EQ(find(publisher.publish(now), 9198, "web:a")->state, State::blocked);
}

TEST(Publication, AMixtureBehindABoundIsNeverShown) {
  Publisher publisher({});
  NetworkOverview one = network("KZ", 9198, 60);
  one.targets.push_back(target("other", State::blocked, 60));
  NetworkOverview others = network("ZZ", 0, 60);
  others.is_other = true;
  others.targets.push_back(target("web:a", State::blocked, 60));
  const PublicOverview shown = shown_since_the_hour(publisher, overview({one, others}));
  ASSERT_EQ(shown.networks.size(), 1u);
  EXPECT_TRUE(shown.networks[0].targets.empty());
}

TEST(Publication, ALocalInstanceShowsEverythingAndSaysSo) {
  Publisher publisher({.min_clusters = 1});
  NetworkOverview one = network("KZ", 9198, 1);
  one.targets.push_back(target("web:a", State::blocked, 1));
  NetworkOverview silent = network("KZ", 29555, 0);
  silent.expected = 1;
  const PublicOverview shown = publisher.publish(overview({one, silent}));
  EXPECT_TRUE(shown.rule.is_local());
  EXPECT_EQ(find(shown, 9198, "web:a")->detail->witnesses.text(), "1");
  ASSERT_EQ(shown.networks.size(), 2u) << "one's own silent network is shown as silent";
  EXPECT_TRUE(shown.networks[1].targets.empty());
}

// A world of networks with few and many witnesses, whose names and targets are told apart by
// number.
Overview random_world(std::mt19937& random, WallTime now) {
  const auto upto = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  std::vector<NetworkOverview> networks;
  for (std::uint32_t asn = 64500; asn < 64540; ++asn) {
    if (upto(5) == 0) continue;
    const auto clusters = static_cast<std::uint32_t>(upto(1) == 0 ? upto(6) : upto(80));
    NetworkOverview one = network(upto(1) == 0 ? "KZ" : "KG", asn, clusters);
    for (int number = 0; number < 6; ++number) {
      const auto witnesses = static_cast<std::uint32_t>(upto(static_cast<int>(clusters)));
      one.targets.push_back(
          target("web:https://t" + std::to_string(asn) + "-" + std::to_string(number) + ".example/",
                 static_cast<State>(upto(5)), witnesses, "tls.reset.sni"));
    }
    networks.push_back(std::move(one));
  }
  std::ranges::sort(networks, {}, &NetworkOverview::network);
  Overview world = overview(std::move(networks));
  world.now = now;
  return world;
}

std::string everything_public(const PublicOverview& shown) {
  Families families;
  add_public_overview(families, shown);
  return render_page(shown, {}) + write_public_overview(shown) +
         expose(families, Exposition::text_0_0_4) + expose(families, Exposition::openmetrics_1_0);
}

// Target ids of random_world() that stand anywhere in `bytes`, in whatever form.
std::set<std::string> names_in(const std::string& bytes) {
  std::set<std::string> names;
  constexpr std::string_view kEnd = ".example";
  for (auto end = bytes.find(kEnd); end != std::string::npos; end = bytes.find(kEnd, end + 1)) {
    auto begin = end;
    while (begin > 0 && bytes[begin - 1] != 't') --begin;
    names.insert("web:https://t" + bytes.substr(begin, end - begin) + ".example/");
  }
  return names;
}

// Random worlds that change from minute to minute: what any public door says of a target was
// allowed by the rule now or at the hour, and what has fewer than three witnesses at both is
// nowhere in the bytes.
TEST(Publication, NothingBelowTheRuleEverLeaves) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937 random(seed);
    Publisher publisher({});
    std::map<std::string, std::uint32_t> at_hour;
    WallTime now = floor_to(kNow, std::chrono::hours(1));
    for (int minute = 0; minute < 130; minute += 13) {
      const Overview world = random_world(random, now + minutes(minute));
      std::map<std::string, std::uint32_t> at_now;
      for (const NetworkOverview& one : world.networks) {
        for (const TargetOverview& t : one.targets) at_now[t.target] = t.clusters;
      }
      if (minute == 0 || floor_to(world.now, std::chrono::hours(1)) !=
                             floor_to(world.now - minutes(13), std::chrono::hours(1))) {
        at_hour = at_now;
      }
      const PublicOverview shown = publisher.publish(world);
      const std::string bytes = everything_public(shown);
      std::set<std::string> named;
      for (const PublicNetwork& one : shown.networks) {
        for (const PublicTarget& t : one.targets) {
          ASSERT_GE(at_hour[t.target], 3u)
              << "seed " << seed << " minute " << minute << " " << t.target;
          if (t.detail) {
            ASSERT_GE(std::min(at_now[t.target], at_hour[t.target]), 5u)
                << "seed " << seed << " " << t.target;
            ASSERT_GE(t.detail->witnesses.low, 5u);
            ASSERT_TRUE(!t.detail->witnesses.high ||
                        *t.detail->witnesses.high - t.detail->witnesses.low >= 4);
          }
          named.insert(t.target);
        }
      }
      for (const std::string& name : names_in(bytes)) {
        ASSERT_TRUE(named.contains(name)) << "seed " << seed << " " << name << " leaked";
      }
    }
  }
}

// Who compares two answers, or two groupings of one answer, learns of no group smaller than five: a
// number is a band of at least five, each network stands alone, and nothing is summed over
// networks.
TEST(Publication, NoDifferenceTellsOfFewerThanFive) {
  NetworkOverview one = network("KZ", 9198, 8);
  one.targets.push_back(target("web:https://a.example/", State::ok, 8));
  one.targets.push_back(target("web:https://b.example/", State::ok, 5));
  NetworkOverview small = network("KZ", 21299, 2);
  small.targets.push_back(target("web:https://a.example/", State::blocked, 2));
  Publisher with({});
  Publisher without({});
  EXPECT_EQ(everything_public(shown_since_the_hour(with, overview({one, small}))),
            everything_public(shown_since_the_hour(without, overview({one}))))
      << "a small network must not change a byte";
  NetworkOverview one_fewer = one;
  one_fewer.targets[0].clusters = 6;
  one_fewer.clusters = one_fewer.reporting = 6;
  Publisher third({});
  EXPECT_EQ(everything_public(shown_since_the_hour(with, overview({one}))),
            everything_public(shown_since_the_hour(third, overview({one_fewer}))))
      << "within a band nobody can be counted";
}

}  // namespace
}  // namespace kua::collector::test
