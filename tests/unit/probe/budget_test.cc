#include "probe/schedule/budget.h"

#include <gtest/gtest.h>

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
}

TEST(BudgetTest, ADeliveryAfterAnOutageIsNotTheUsualOne) {
  Budget budget(kPlan);
  const WallTime noon = at("2024-01-05T12:00:00Z");
  budget.spend(Spending::upload, 8'000'000, noon);
  EXPECT_EQ(budget.used(noon), 8'000'000u);
  EXPECT_TRUE(budget.allowance(noon).key);
}

}  // namespace
}  // namespace kua::probe
