#include "tests/lab/forwarder/plan.h"

#include <gtest/gtest.h>

#include "tests/lab/forwarder/pipe.h"
#include "tests/unit/lab/packets.h"

namespace kua::lab {
namespace {

// A plan with `rules` put in.
std::string plan_text(const std::string& rules) {
  const std::string hop = R"({"addresses": ["198.18.254.1"]})";
  return R"({"homes": [], "world": {"netns": "/n", "device": "d"}, "hops": [)" + hop + "," + hop + "," + hop +
         "," + hop + R"(], "portal": "198.18.0.80", "portal_port": 80, "rules": [)" + rules + "]}";
}

TEST(Plan, ReadsARule) {
  const auto plan = read_plan(plan_text(R"({"match": {"sni": "*.example.com", "address": "203.0.113.0/24"},
      "act": {"kind": "impair", "delay_seconds": 0.25, "loss": 0.1}, "hop": 3, "until_seconds": 2.5})"));
  ASSERT_TRUE(plan) << plan.error().text();
  const Rule& rule = plan->rules.at(0);
  EXPECT_TRUE(rule.match.sni->matches("a.example.com"));
  EXPECT_EQ(std::get<Impair>(rule.act).delay, Microseconds(250'000));
  EXPECT_EQ(rule.hop, 3);
  EXPECT_EQ(rule.until, Microseconds(2'500'000));
}

struct BadPlan {
  const char* claim;
  std::string text;
  const char* message;
};

TEST(Plan, EveryMistakeIsNamed) {
  const std::vector<BadPlan> cases = {
      {"not JSON", "{", "not a JSON object"},
      {"an unknown member", plan_text(R"({"match": {}, "act": {"kind": "drop"}, "hopp": 2})"), "rule.hopp"},
      {"an unknown act", plan_text(R"({"match": {}, "act": {"kind": "explode"}})"), "rule.act.kind"},
      {"a member of another act", plan_text(R"({"match": {}, "act": {"kind": "drop", "kbps": 3}})"), "rule.act.kbps"},
      {"a hop that is none", plan_text(R"({"match": {}, "act": {"kind": "drop"}, "hop": 5})"), "rule.hop"},
      {"a broken prefix", plan_text(R"({"match": {"address": "203.0.113.0/33"}, "act": {"kind": "drop"}})"),
       "rule.match.address"},
      {"a share beyond one", plan_text(R"({"match": {}, "act": {"kind": "impair", "loss": 2}})"), "rule.act.loss"},
  };
  for (const BadPlan& row : cases) {
    const auto plan = read_plan(row.text);
    ASSERT_FALSE(plan) << row.claim;
    EXPECT_NE(plan.error().text().find(row.message), std::string::npos) << row.claim << ": " << plan.error().text();
  }
}

TEST(Pipe, KeepsItsRateAndBoundsItsQueue) {
  Pipe pipe(Pipe::Options{800, Microseconds{0}, 0});  // 100 kB/s
  Chance chance(1);
  EXPECT_EQ(pipe.send(test::at_seconds(0), 1000, chance), test::at_seconds(0.01));
  EXPECT_EQ(pipe.send(test::at_seconds(0), 1000, chance), test::at_seconds(0.02));
  std::size_t queued = 2;
  while (pipe.send(test::at_seconds(0), 1000, chance)) ++queued;
  EXPECT_NEAR(static_cast<double>(queued * 1000), static_cast<double>(queue_bytes_max(800)), 2000);
  EXPECT_EQ(pipe.send(test::at_seconds(10), 1000, chance), test::at_seconds(10.01)) << "an idle pipe is free";
}

}  // namespace
}  // namespace kua::lab
