#include "probe/schedule/budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

namespace kua::probe {
namespace {

WallTime at(const char* text) { return *parse_rfc3339(text); }

constexpr Budget::Plan kPlan{.bytes_per_day = 25'000'000,
                             .link_per_day = 1440,
                             .uploads_per_day = 1440,
                             .keys_per_day = 3456,
                             .cores_per_day = 100};

TEST(BudgetTest, ANewDayMayDoEverything) {
  Budget budget(kPlan);
  EXPECT_EQ(budget.allowance(at("2024-01-05T00:00:00Z")), Allowance{});
}

struct Case {
  const char* claim;
  double spent_share;
  const char* time;
  bool key, core, full, follow_up;
  friend std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.claim; }
};

class BudgetTable : public testing::TestWithParam<Case> {};

TEST_P(BudgetTable, AllowsWhatTheClaimSays) {
  const Case& row = GetParam();
  Budget budget(kPlan);
  const WallTime now = at(row.time);
  budget.spend(Spending::key, static_cast<std::uint64_t>(row.spent_share * 25e6), now);
  // One huge sum is not the cost of one key test: teach the usual one again.
  Budget::Day day = budget.day();
  Budget fresh(kPlan);
  fresh.restore(day);
  const Allowance allowance = fresh.allowance(now);
  EXPECT_EQ(allowance.key, row.key);
  EXPECT_EQ(allowance.core, row.core);
  EXPECT_EQ(allowance.full, row.full);
  EXPECT_EQ(allowance.follow_up, row.follow_up);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, BudgetTable,
    testing::Values(
        Case{"late in a thrifty day everything may run", 0.5, "2024-01-05T22:00:00Z", true, true, true,
             true},
        Case{"beyond 80 % the full tier stops and core goes on", 0.82, "2024-01-05T23:00:00Z", true, true,
             false, true},
        Case{"beyond 95 % only key and follow-ups are left", 0.96, "2024-01-05T23:50:00Z", true, false,
             false, true},
        Case{"what key needs until midnight is not given to core", 0.79, "2024-01-05T12:00:00Z", true,
             false, false, false},
        Case{"at the limit only link state is left", 1.0, "2024-01-05T23:59:00Z", false, false, false,
             false},
        Case{"what core needs until midnight is not given to the full tier", 0.32, "2024-01-05T06:00:00Z",
             true, true, false, true},
        Case{"what link state needs until midnight is not given to key", 0.99, "2024-01-05T12:00:00Z",
             false, false, false, false}));

TEST(BudgetTest, CoreSlowsBeyondEightyPercent) {
  Budget budget(kPlan);
  const WallTime now = at("2024-01-05T23:30:00Z");
  budget.restore({.day = now.time_since_epoch() / std::chrono::hours(24), .bytes = {0, 0, 21'875'000}});
  EXPECT_NEAR(budget.allowance(now).core_stretch, 3.0, 0.01);
}

TEST(BudgetTest, ADayEndsAtMidnightUtc) {
  Budget budget(kPlan);
  budget.spend(Spending::core, 24'900'000, at("2024-01-05T23:59:59Z"));
  EXPECT_EQ(budget.used(at("2024-01-05T23:59:59Z")), 24'900'000u);
  EXPECT_EQ(budget.used(at("2024-01-06T00:00:00Z")), 0u);
  EXPECT_TRUE(budget.allowance(at("2024-01-06T00:00:00Z")).key);
}

TEST(BudgetTest, ARestartIsNoNewDay) {
  Budget before(kPlan);
  const WallTime now = at("2024-01-05T18:00:00Z");
  before.spend(Spending::full, 7'000'000, now);
  Budget after(kPlan);
  after.restore(before.day());
  EXPECT_EQ(after.used_on(Spending::full, now), 7'000'000u);
}

TEST(BudgetTest, CostlyKeyTestsEnlargeWhatIsKeptForThem) {
  Budget budget(kPlan);
  const WallTime noon = at("2024-01-05T12:00:00Z");
  EXPECT_TRUE(budget.allowance(noon).core);
  for (int i = 0; i < 200; ++i) budget.spend(Spending::key, 14'000, noon);
  EXPECT_FALSE(budget.allowance(noon).core);
  EXPECT_TRUE(budget.allowance(noon).key);
}

TEST(BudgetTest, AnImpossibleSumIsNotCharged) {
  Budget budget(kPlan);
  const WallTime noon = at("2024-01-05T12:00:00Z");
  budget.spend(Spending::upload, std::uint64_t{0} - 7'000, noon);
  EXPECT_EQ(budget.used(noon), 0u);
  EXPECT_EQ(budget.allowance(noon), Allowance{});
  EXPECT_EQ(budget.sums_refused(), 1u);
  budget.spend(Spending::upload, 1'000, noon);
  EXPECT_EQ(budget.sums_refused(), 1u);
}

TEST(BudgetTest, ADeliveryAfterAnOutageIsNotTheUsualOne) {
  Budget budget(kPlan);
  const WallTime noon = at("2024-01-05T12:00:00Z");
  budget.spend(Spending::upload, 8'000'000, noon);
  EXPECT_EQ(budget.used(noon), 8'000'000u);
  EXPECT_TRUE(budget.allowance(noon).key);
}

TEST(BudgetTest, TheBacklogGetsWhatNothingElseIsPlannedFor) {
  Budget budget(kPlan);
  const WallTime midnight = at("2024-01-05T00:00:00Z");
  // 25 MB less 2.5 %, and less 1440 × (1 kB + 1.3 kB), 3456 × 4.5 kB × 1.05 and 100 × 40 kB.
  EXPECT_NEAR(static_cast<double>(budget.backlog_room(midnight)), 733'400, 1);
  const WallTime noon = at("2024-01-05T12:00:00Z");
  budget.spend_unusual(Spending::upload, 24'000'000, noon);
  EXPECT_EQ(budget.backlog_room(noon), 0u);
  EXPECT_GT(budget.backlog_room(at("2024-01-06T00:00:00Z")), 0u);
}

// A line that comes back with three weeks of records, every day of which goes as planned.
TEST(BudgetTest, ALongBacklogGoesOverDaysAndNoDayBreaksItsFigure) {
  Budget budget(kPlan);
  std::uint64_t backlog = 8'000'000;
  const WallTime first = at("2024-01-05T09:00:00Z");
  std::uint64_t most_in_a_day = 0;
  int days = 0;
  for (WallTime now = first; backlog > 0; now += std::chrono::minutes(1)) {
    budget.spend(Spending::link, 900, now);
    for (int i = 0; i < 2; ++i) budget.spend(Spending::key, 4'400, now);
    if (now.time_since_epoch() % std::chrono::minutes(20) == Microseconds(0)) budget.spend(Spending::core, 38'000, now);
    budget.spend(Spending::upload, 1'200, now);
    const std::uint64_t sent = std::min(backlog, budget.backlog_room(now));
    budget.spend_unusual(Spending::upload, sent, now);
    backlog -= sent;
    most_in_a_day = std::max(most_in_a_day, budget.used(now));
    days = static_cast<int>((now - first) / std::chrono::days(1));
    ASSERT_LT(days, 14);
  }
  EXPECT_LE(most_in_a_day, kPlan.bytes_per_day);
  EXPECT_TRUE(budget.allowance(first + std::chrono::days(days)).key) << "what is sent late starves nothing";
}

TEST(BudgetTest, WhatIsUnusualTeachesNothing) {
  Budget budget(kPlan);
  const WallTime morning = at("2024-01-05T06:00:00Z");
  Budget other(kPlan);
  for (int i = 0; i < 100; ++i) budget.spend_unusual(Spending::upload, 10'000, morning);
  for (int i = 0; i < 100; ++i) other.spend(Spending::upload, 10'000, morning);
  EXPECT_EQ(budget.used(morning), other.used(morning));
  EXPECT_GT(budget.backlog_room(morning), 0u);
  EXPECT_EQ(other.backlog_room(morning), 0u);
}

}  // namespace
}  // namespace kua::probe
