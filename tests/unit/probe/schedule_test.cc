#include "probe/schedule/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <queue>
#include <set>

#include "probe/limits.h"

namespace kua::probe {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

MonotonicTime boot_plus(Microseconds duration) { return MonotonicTime(duration); }

std::vector<Target> some_targets(int key, int core, int full) {
  std::vector<Target> targets;
  const auto add = [&](const char* name, int count, Tier tier) {
    for (int i = 0; i < count; ++i) {
      const std::string host = std::string(name) + std::to_string(i) + ".example";
      targets.push_back(Target{.id = *TargetId::parse("web:https://" + host + "/"),
                               .url = "https://" + host + "/",
                               .endpoints = {},
                               .category = "NEWS",
                               .tier = tier,
                               .country = std::nullopt});
    }
  };
  add("key", key, Tier::key);
  add("core", core, Tier::core);
  add("full", full, Tier::full);
  return targets;
}

IpAddress address(std::uint8_t last) {
  const std::array<std::uint8_t, 4> bytes = {203, 0, 113, last};
  return *IpAddress::from_bytes(bytes);
}

Schedule make_schedule(ProfileName profile, std::uint64_t seed = 7) {
  return Schedule({.profile = profile_of(profile), .seed = seed, .categories_off = {}, .first_round = {}},
                  boot_plus({}));
}

// The first assignment that comes up at or after `now`, with the time at which it did.
std::pair<Assignment, MonotonicTime> wait_for(Schedule& schedule, MonotonicTime now,
                                              const Allowance& allowance = {}) {
  for (int i = 0; i < 1'000'000; ++i) {
    if (auto assignment = schedule.next(now, allowance)) return {*assignment, now};
    const auto wake = schedule.wake_at(now);
    if (!wake) break;
    now = std::max(*wake, now + seconds(1));
  }
  throw std::runtime_error("nothing ever became due");
}

Outcome success(const Assignment& assignment, std::vector<IpAddress> addresses = {}) {
  return {.target = assignment.target.id, .addresses = std::move(addresses), .failed_addresses = {}};
}
Outcome failure(const Assignment& assignment, const IpAddress& at) {
  return {.target = assignment.target.id, .failed = true, .addresses = {at}, .failed_addresses = {at}};
}

TEST(ScheduleTest, IntervalsAreHalfTheMeanAndAnExponentialDraw) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(1, 0, 0), boot_plus({}));
  auto [assignment, now] = wait_for(schedule, boot_plus({}));
  double sum = 0;
  double sum_of_squares = 0;
  constexpr int kDraws = 3000;
  for (int i = 0; i < kDraws; ++i) {
    schedule.finished(success(assignment), now);
    const auto [next, when] = wait_for(schedule, now);
    const double interval = std::chrono::duration<double>(when - now).count();
    EXPECT_GE(interval, 150.0 - 1);  // the floor
    sum += interval;
    sum_of_squares += interval * interval;
    now = when;
  }
  const double mean = sum / kDraws;
  EXPECT_NEAR(mean, 300.0, 15.0);
  // An exponential draw of mean 150 s has that standard deviation; a fixed interval would have none.
  EXPECT_NEAR(std::sqrt(sum_of_squares / kDraws - mean * mean), 150.0, 20.0);
}

TEST(ScheduleTest, OrderDiffersFromSeedToSeed) {
  std::set<std::string> firsts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Schedule schedule = make_schedule(ProfileName::home, seed);
    schedule.set_targets(some_targets(12, 0, 0), boot_plus({}));
    firsts.insert(wait_for(schedule, boot_plus({})).first.target.id.text());
  }
  EXPECT_GT(firsts.size(), 5u);
}

TEST(ScheduleTest, OneMeasurementOfAnAddressAtATime) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(2, 0, 0), boot_plus({}));
  // Both targets turn out to live at one address.
  auto [first, now] = wait_for(schedule, boot_plus({}));
  EXPECT_FALSE(schedule.next(now + hours(1), {}));  // addresses unknown: one after another
  schedule.finished(success(first, {address(1)}), now);
  auto [second, later] = wait_for(schedule, now);
  schedule.finished(success(second, {address(1)}), later);
  auto [third, third_time] = wait_for(schedule, later);
  EXPECT_FALSE(schedule.next(third_time + hours(1), {}));
  schedule.finished(success(third, {address(1)}), third_time);
  EXPECT_TRUE(schedule.next(third_time + hours(1), {}));
}

TEST(ScheduleTest, NeverMoreAtOnceThanTheLimit) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(20, 0, 0), boot_plus({}));
  std::uint8_t last = 0;
  MonotonicTime now = boot_plus({});
  for (int i = 0; i < 40; ++i) {
    auto [assignment, when] = wait_for(schedule, now);
    now = when;
    schedule.finished(success(assignment, {address(++last)}), now);
  }
  now += hours(2);
  int started = 0;
  while (schedule.next(now, {})) ++started;
  EXPECT_EQ(started, kMeasurementsAtOnceMax);
  EXPECT_FALSE(schedule.wake_at(now));
}

TEST(ScheduleTest, AnAddressRestsAfterAFailure) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(2, 0, 0), boot_plus({}));
  MonotonicTime now = boot_plus({});
  for (int i = 0; i < 4; ++i) {  // learn that both live at one address
    auto [assignment, when] = wait_for(schedule, now);
    now = when;
    schedule.finished(success(assignment, {address(1)}), now);
  }
  auto [failing, failed_at] = wait_for(schedule, now);
  schedule.finished(failure(failing, address(1)), failed_at);
  const auto [next, when] = wait_for(schedule, failed_at);
  EXPECT_GE(when - failed_at, kRestAfterFailure);
}

TEST(ScheduleTest, AFailureIsRetestedOnceWithEveryFollowUp) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(1, 0, 0), boot_plus({}));
  auto [first, now] = wait_for(schedule, boot_plus({}));
  EXPECT_EQ(first.follow_up, FollowUpGrant::immediate);
  schedule.finished(failure(first, address(1)), now);
  auto [second, later] = wait_for(schedule, now);
  EXPECT_EQ(second.occasion, Occasion::retest);
  EXPECT_EQ(second.follow_up, FollowUpGrant::all);
  EXPECT_GE(later - now, seconds(120));
  EXPECT_LE(later - now, seconds(185));
  schedule.finished(failure(second, address(1)), later);
  EXPECT_EQ(wait_for(schedule, later).first.occasion, Occasion::cadence);
}

TEST(ScheduleTest, FollowUpsPassNeitherThirtyAnHourNorTheirBudget) {
  Schedule schedule = make_schedule(ProfileName::wide);
  schedule.set_targets(some_targets(12, 200, 0), boot_plus({}));
  MonotonicTime now = boot_plus({});
  std::deque<MonotonicTime> followed;
  std::uint8_t last = 0;
  for (int i = 0; i < 2000; ++i) {
    auto [assignment, when] = wait_for(schedule, now);
    now = when;
    Outcome outcome = failure(assignment, address(++last));
    outcome.followed_up = assignment.follow_up != FollowUpGrant::none;
    if (outcome.followed_up) followed.push_back(now);
    while (!followed.empty() && now - followed.front() >= hours(1)) followed.pop_front();
    ASSERT_LE(followed.size(), static_cast<std::size_t>(kFollowUpsPerHourMax));
    schedule.finished(outcome, now);
  }
  Allowance poor;
  poor.follow_up = false;
  EXPECT_EQ(wait_for(schedule, now + days(1), poor).first.follow_up, FollowUpGrant::none);
}

TEST(ScheduleTest, LowMeasuresHalfTheKeyTargetsADayAndAnotherHalfTheNext) {
  Schedule schedule = make_schedule(ProfileName::low);
  schedule.set_targets(some_targets(40, 0, 0), boot_plus({}));
  std::map<int, std::set<std::string>> by_day;
  MonotonicTime now = boot_plus({});
  while (now < boot_plus(days(10))) {
    auto [assignment, when] = wait_for(schedule, now);
    now = when;
    by_day[static_cast<int>(now.time_since_epoch() / days(1))].insert(assignment.target.id.text());
    schedule.finished(success(assignment), now);
  }
  std::set<std::string> all;
  for (int day = 0; day < 10; ++day) {
    EXPECT_EQ(by_day[day].size(), 20u);
    all.insert(by_day[day].begin(), by_day[day].end());
  }
  EXPECT_EQ(all.size(), 40u);
}

TEST(ScheduleTest, WhatBecameDueInAnOutageIsSpreadOut) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(12, 100, 0), boot_plus({}));
  const MonotonicTime back = boot_plus(days(5));
  schedule.spread_overdue(back);
  EXPECT_FALSE(schedule.next(back - seconds(1), {}));
  std::uint8_t last = 0;
  int key = 0;
  int core = 0;
  for (MonotonicTime now = back; now < back + minutes(2);) {
    const auto assignment = schedule.next(now, {});
    if (!assignment) {
      now += seconds(1);
      continue;
    }
    (assignment->target.tier == Tier::key ? key : core) += 1;
    schedule.finished(success(*assignment, {address(++last)}), now);
  }
  EXPECT_EQ(key, 12);  // the window may be short
  EXPECT_LT(core, 5);
}

TEST(ScheduleTest, WhatAListHasTooMuchIsCounted) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(1, 1, static_cast<int>(kTargetsMax)), boot_plus({}));
  EXPECT_EQ(schedule.target_count(), kTargetsMax);
  EXPECT_EQ(schedule.left_out(), 2u);
  schedule.set_targets(some_targets(1, 1, 1), boot_plus({}));
  EXPECT_EQ(schedule.left_out(), 0u);
}

TEST(ScheduleTest, AdviceCountsOnlyForListedTargets) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(1, 1, 0), boot_plus({}));
  const std::vector<std::string> advice = {"web:https://core0.example/", "web:https://evil.example/",
                                           "not an id"};
  schedule.advise(advice, boot_plus(seconds(1)));
  EXPECT_EQ(schedule.ignored_advice(), 2u);
  bool advised = false;
  for (MonotonicTime now = boot_plus(seconds(1)); now < boot_plus(seconds(40)); now += seconds(1)) {
    if (auto assignment = schedule.next(now, {})) {
      advised |= assignment->occasion == Occasion::advice;
      schedule.finished(success(*assignment), now);
    }
  }
  EXPECT_TRUE(advised);
}

TEST(ScheduleTest, AnAllowanceHoldsTiersBack) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(0, 5, 5), boot_plus({}));
  Allowance nothing{.key = false, .core = false, .full = false, .follow_up = false};
  EXPECT_FALSE(schedule.next(boot_plus(days(100)), nothing));
  Allowance only_full = nothing;
  only_full.full = true;
  const auto assignment = schedule.next(boot_plus(days(100)), only_full);
  ASSERT_TRUE(assignment);
  EXPECT_EQ(assignment->target.tier, Tier::full);
}

TEST(ScheduleTest, ANewListKeepsTheTimesOfWhatStays) {
  Schedule schedule = make_schedule(ProfileName::home);
  schedule.set_targets(some_targets(2, 0, 0), boot_plus({}));
  auto [running, now] = wait_for(schedule, boot_plus({}));
  schedule.set_targets(some_targets(4, 0, 0), now);
  EXPECT_EQ(schedule.running(), 1u);
  schedule.set_targets({}, now);
  EXPECT_EQ(schedule.running(), 0u);
  schedule.finished(success(running), now);  // of a target that is no longer there: ignored
  EXPECT_EQ(schedule.target_count(), 0u);
}

TEST(ScheduleTest, ControlsAndSwitchedOffCategoriesAreNoTargets) {
  Schedule schedule({.profile = profile_of(ProfileName::home), .categories_off = {"POLR"}, .first_round = {}}, boot_plus({}));
  auto targets = some_targets(1, 1, 1);
  targets[1].category = "POLR";
  targets[2].tier = Tier::control;
  schedule.set_targets(targets, boot_plus({}));
  EXPECT_EQ(schedule.target_count(), 1u);
}

TEST(ScheduleTest, AFirstRoundReachesEveryKeyAndCoreTargetSoon) {
  Schedule schedule({.profile = profile_of(ProfileName::home),
                     .seed = 7,
                     .categories_off = {},
                     .first_round = minutes(2)},
                    boot_plus({}));
  schedule.set_targets(some_targets(5, 20, 20), boot_plus({}));
  std::map<Tier, std::set<std::string>> seen;
  std::uint8_t last = 0;
  for (MonotonicTime now = boot_plus({}); now < boot_plus(minutes(3)); now += seconds(1)) {
    while (const auto assignment = schedule.next(now, {})) {
      seen[assignment->target.tier].insert(assignment->target.id.text());
      schedule.finished(success(*assignment, {address(++last)}), now);
    }
  }
  EXPECT_EQ(seen[Tier::key].size(), 5u);
  EXPECT_EQ(seen[Tier::core].size(), 20u);
  EXPECT_LT(seen[Tier::full].size(), 3u);
}

TEST(ScheduleTest, ALookFallsIntoTheNextPeriod) {
  const WallTime now = *parse_rfc3339("2024-01-05T10:20:31Z");
  EXPECT_EQ(now + until_next_look(now, minutes(1), 0.0), *parse_rfc3339("2024-01-05T10:21:06Z"));
  EXPECT_EQ(now + until_next_look(now, minutes(2), 0.5), *parse_rfc3339("2024-01-05T10:23:00Z"));
}

// --- a simulated day ---

struct Day {
  const char* claim;
  ProfileName profile;
  double failing_share;  // of the measurements
  friend std::ostream& operator<<(std::ostream& out, const Day& day) { return out << day.claim; }
};

class SimulatedDay : public testing::TestWithParam<Day> {};

// Costs are DESIGN's figures; tests/e2e/budget_day.py measures a day at an interface's own counters.
constexpr std::uint64_t kLinkBytes = 1'000;
constexpr std::uint64_t kUploadBytes = 1'300;
constexpr std::uint64_t kKeyBytes = 4'500;
constexpr std::uint64_t kBodyBytes = 40'000;

TEST_P(SimulatedDay, StaysUnderTheProfilesBytesAndKeepsKeyAndLinkToTheLast) {
  const Profile& profile = profile_of(GetParam().profile);
  Schedule schedule({.profile = profile, .seed = 11, .categories_off = {}, .first_round = {}}, boot_plus({}));
  const WallTime midnight = *parse_rfc3339("2024-01-05T00:00:00Z");
  schedule.set_targets(some_targets(12, 100, 1'500), boot_plus({}));
  const double looks = 86'400e6 / static_cast<double>(profile.link_period.count());
  const double uploads = 86'400e6 / static_cast<double>(profile.upload_mean.count());
  Budget budget({.bytes_per_day = profile.bytes_per_day,
                 .link_per_day = looks,
                 .uploads_per_day = uploads,
                 .keys_per_day = schedule.per_day(Tier::key),
                 .cores_per_day = schedule.per_day(Tier::core)});
  std::mt19937_64 random(3);
  std::bernoulli_distribution fails(GetParam().failing_share);
  std::map<Tier, int> counts;
  std::array<int, 24> key_by_hour{};
  std::uint8_t last = 0;
  for (Microseconds since = seconds(0); since < days(1); since += seconds(1)) {
    const WallTime wall = midnight + since;
    const MonotonicTime now = boot_plus(since);
    if (since % profile.link_period == seconds(0)) budget.spend(Spending::link, kLinkBytes, wall);
    if (since % profile.upload_mean == seconds(0)) budget.spend(Spending::upload, kUploadBytes, wall);
    while (const auto assignment = schedule.next(now, budget.allowance(wall))) {
      const Tier tier = assignment->target.tier;
      ++counts[tier];
      if (tier == Tier::key) ++key_by_hour[static_cast<std::size_t>(since / hours(1))];
      const Spending on = tier == Tier::key    ? Spending::key
                          : tier == Tier::core ? Spending::core
                                               : Spending::full;
      budget.spend(on, tier == Tier::key ? kKeyBytes : kBodyBytes, wall);
      Outcome outcome = success(*assignment, {address(++last)});
      outcome.failed = fails(random);
      outcome.followed_up = outcome.failed && assignment->follow_up != FollowUpGrant::none;
      if (outcome.followed_up) budget.spend(Spending::follow_up, 120'000, wall);
      schedule.finished(outcome, now);
    }
  }
  const WallTime end = midnight + days(1) - seconds(1);
  EXPECT_LE(budget.used(end), profile.bytes_per_day);
  EXPECT_GT(counts[Tier::key], 0);
  const double planned = schedule.per_day(Tier::key);
  EXPECT_GT(counts[Tier::key], planned * 0.8) << "key targets were starved";
  for (const int in_hour : key_by_hour) EXPECT_GT(in_hour, planned / 24 * 0.3);
  RecordProperty("bytes", std::to_string(budget.used(end)));
  std::printf("%-45s %5.1f of %2.0f MB; key %d core %d full %d\n", GetParam().claim,
              static_cast<double>(budget.used(end)) / 1e6,
              static_cast<double>(profile.bytes_per_day) / 1e6, counts[Tier::key], counts[Tier::core],
              counts[Tier::full]);
}

INSTANTIATE_TEST_SUITE_P(
    Profiles, SimulatedDay,
    testing::Values(Day{"low, quiet", ProfileName::low, 0.01}, Day{"mobile, quiet", ProfileName::mobile, 0.01},
                    Day{"home, quiet", ProfileName::home, 0.01}, Day{"wide, quiet", ProfileName::wide, 0.01},
                    Day{"low, half of everything fails", ProfileName::low, 0.5},
                    Day{"home, half of everything fails", ProfileName::home, 0.5},
                    Day{"wide, everything fails", ProfileName::wide, 1.0},
                    Day{"home, everything fails", ProfileName::home, 1.0}));

}  // namespace
}  // namespace kua::probe
