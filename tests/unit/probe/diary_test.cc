#include "probe/diary/diary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/probe/records.h"
#include "tests/unit/probe/temporary_directory.h"

namespace kua::probe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

WallTime at(const char* text) { return *parse_rfc3339(text); }

Minute online(WallTime begin) {
  return {.begin = begin, .state = LinkState::online, .link_up = true, .gateway = true, .resolver = true,
          .national = true, .international = true};
}
Minute cut(WallTime begin) {
  return {.begin = begin, .state = LinkState::international_cut, .link_up = true, .gateway = true,
          .resolver = true, .national = true};
}
Minute offline(WallTime begin) { return {.begin = begin, .state = LinkState::offline, .link_up = true, .gateway = true}; }

class DiaryTest : public testing::Test {
 protected:
  void note(const Minute& minute, const char* boot = "boot1") { ASSERT_TRUE(diary_.note(minute, boot)); }
  MinuteSummary summary(const char* day) {
    MinuteSummary made = **diary_.summarize(at(day), some_header(1));
    EXPECT_TRUE(diary_.mark_told(at(day), made.revision));
    return made;
  }

  TemporaryDirectory folder_;
  Diary diary_ = *Diary::open(folder_.file("diary.db"));
};

TEST_F(DiaryTest, AMinuteIsOneBitOfItsUtcDay) {
  note(online(at("2024-01-05T00:00:00Z")));
  note(cut(at("2024-01-05T10:31:00Z")));
  note(offline(at("2024-01-05T23:59:00Z")));
  note(online(at("2024-01-06T00:00:00Z")));
  const MinuteSummary day = summary("2024-01-05T12:00:00Z");
  EXPECT_EQ(day.header.time, at("2024-01-05T00:00:00Z"));
  EXPECT_EQ(day.watched.count(), 3u);
  EXPECT_TRUE(day.watched[0] && day.watched[631] && day.watched[1439]);
  EXPECT_TRUE(day.international[0]);
  EXPECT_TRUE(day.national[631]);
  EXPECT_FALSE(day.international[631]);
  EXPECT_TRUE(day.gateway[1439]);
  EXPECT_FALSE(day.resolver[1439]);
}

TEST_F(DiaryTest, AMinuteNobodyLookedAtIsNotWatched) {
  note(online(at("2024-01-05T10:00:00Z")));
  note(online(at("2024-01-05T10:02:00Z")));
  const MinuteSummary day = summary("2024-01-05T00:00:00Z");
  EXPECT_FALSE(day.watched[601]);
  EXPECT_FALSE(day.link_up[601]);
}

TEST_F(DiaryTest, TheLastLookAtAMinuteHolds) {
  note(online(at("2024-01-05T10:00:00Z")));
  note(offline(at("2024-01-05T10:00:00Z")));
  EXPECT_FALSE(summary("2024-01-05T00:00:00Z").national[600]);
}

TEST_F(DiaryTest, RevisionsGrowWhileTheDayIsNotedAndNothingNewIsNoSummary) {
  note(online(at("2024-01-05T10:00:00Z")));
  EXPECT_EQ(summary("2024-01-05T00:00:00Z").revision, 1u);
  EXPECT_FALSE(*diary_.summarize(at("2024-01-05T00:00:00Z"), some_header(1)));
  note(online(at("2024-01-05T10:01:00Z")));
  const MinuteSummary second = summary("2024-01-05T00:00:00Z");
  EXPECT_EQ(second.revision, 2u);
  EXPECT_EQ(second.watched.count(), 2u);
  EXPECT_FALSE(*diary_.summarize(at("2024-01-09T00:00:00Z"), some_header(1)));
}

TEST_F(DiaryTest, ASummaryThatNeverGotToTheSpoolIsMadeAgain) {
  const WallTime day = at("2024-01-05T00:00:00Z");
  note(online(at("2024-01-05T10:00:00Z")));
  EXPECT_EQ((*diary_.summarize(day, some_header(1)))->revision, 1u);
  EXPECT_THAT(*diary_.untold_days(), testing::ElementsAre(day));
  const auto again = *diary_.summarize(day, some_header(1));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->revision, 2u);
  EXPECT_EQ(again->watched.count(), 1u);
  ASSERT_TRUE(diary_.mark_told(day, 1));  // of an earlier one: says nothing
  EXPECT_THAT(*diary_.untold_days(), testing::ElementsAre(day));
  ASSERT_TRUE(diary_.mark_told(day, 2));
  EXPECT_TRUE(diary_.untold_days()->empty());
}

TEST_F(DiaryTest, AnOutageOverMidnightIsTwoUntoldDays) {
  note(offline(at("2024-01-05T23:58:00Z")));
  note(offline(at("2024-01-06T00:01:00Z")));
  EXPECT_THAT(*diary_.untold_days(),
              testing::ElementsAre(at("2024-01-05T00:00:00Z"), at("2024-01-06T00:00:00Z")));
  summary("2024-01-05T00:00:00Z");
  EXPECT_THAT(*diary_.untold_days(), testing::ElementsAre(at("2024-01-06T00:00:00Z")));
}

TEST_F(DiaryTest, AClockThatWasWrongMovesTheMinutesOfItsBootOnly) {
  note(online(at("1970-01-01T00:05:00Z")), "boot1");
  note(offline(at("1970-01-01T00:06:00Z")), "boot1");
  note(online(at("1970-01-01T00:07:00Z")), "boot0");
  ASSERT_TRUE(diary_.shift("boot1", std::chrono::duration_cast<minutes>(at("2024-01-05T10:00:00Z") -
                                                                       at("1970-01-01T00:00:00Z"))));
  const auto moved = *diary_.read(at("2024-01-05T00:00:00Z"), at("2024-01-06T00:00:00Z"));
  ASSERT_EQ(moved.size(), 2u);
  EXPECT_EQ(moved[0].begin, at("2024-01-05T10:05:00Z"));
  EXPECT_EQ(moved[1].state, LinkState::offline);
  EXPECT_EQ(diary_.read(at("1970-01-01T00:00:00Z"), at("1970-01-02T00:00:00Z"))->size(), 1u);
  EXPECT_EQ(summary("2024-01-05T00:00:00Z").watched.count(), 2u);
}

TEST_F(DiaryTest, OldMinutesExpire) {
  note(online(at("2024-01-05T10:00:00Z")));
  note(online(at("2024-02-05T10:00:00Z")));
  ASSERT_TRUE(diary_.expire(at("2024-02-01T00:00:00Z")));
  EXPECT_EQ(diary_.read(at("2024-01-01T00:00:00Z"), at("2025-01-01T00:00:00Z"))->size(), 1u);
}

TEST_F(DiaryTest, ADamagedDiaryIsKeptAndANewOneBegun) {
  const std::string path = folder_.file("other.db");
  std::ofstream(path) << std::string(9'000, 'x');
  auto diary = Diary::open(path);
  ASSERT_TRUE(diary);
  ASSERT_TRUE(diary->notice());
  EXPECT_TRUE(std::filesystem::exists(path + ".damaged"));
  EXPECT_TRUE(diary->note(online(at("2024-01-05T10:00:00Z")), "boot1"));
}

TEST(DiaryRunsTest, EqualMinutesAreOneRunAndGapsAreTold) {
  const WallTime begin = at("2024-01-05T10:00:00Z");
  const std::vector<Minute> noted = {online(begin), online(begin + minutes(1)), offline(begin + minutes(2)),
                                     offline(begin + minutes(3)), online(begin + minutes(30))};
  EXPECT_THAT(runs_of(noted, minutes(1)),
              testing::ElementsAre(DiaryRun{begin, begin + minutes(2), LinkState::online},
                                   DiaryRun{begin + minutes(2), begin + minutes(4), LinkState::offline},
                                   DiaryRun{begin + minutes(4), begin + minutes(30), std::nullopt},
                                   DiaryRun{begin + minutes(30), begin + minutes(31), LinkState::online}));
}

TEST(DiaryRunsTest, ALookEverySecondMinuteLeavesNoGaps) {
  const WallTime begin = at("2024-01-05T10:00:00Z");
  const std::vector<Minute> noted = {online(begin), online(begin + minutes(2)), online(begin + minutes(5))};
  EXPECT_THAT(runs_of(noted, minutes(2)),
              testing::ElementsAre(DiaryRun{begin, begin + minutes(6), LinkState::online}));
}

TEST(DiaryCsvTest, OneRowAMinute) {
  EXPECT_EQ(write_diary_csv({cut(at("2024-01-05T10:00:00Z"))}),
            "time,state,link_up,gateway,resolver,national,international\r\n"
            "2024-01-05T10:00:00Z,international_cut,1,1,1,1,0\r\n");
}

TEST(MinuteOfTest, ReachedSubjectsAreBits) {
  Measurement look;
  LinkCheck gateway;
  gateway.subject = LinkSubject::gateway;
  gateway.reached = true;
  LinkCheck international;
  international.subject = LinkSubject::international;
  international.failure = Failure{FailureCode::generic_timeout_error, Operation::connect};
  look.observations = {gateway, international};
  const Minute minute = minute_of(look, at("2024-01-05T10:00:31Z"), LinkState::offline);
  EXPECT_EQ(minute, (Minute{.begin = at("2024-01-05T10:00:00Z"), .state = LinkState::offline,
                            .link_up = true, .gateway = true}));
}

TEST(MinuteOfTest, WithoutARouteThereIsNoLink) {
  Measurement look;
  LinkCheck national;
  national.subject = LinkSubject::national;
  national.failure = Failure{FailureCode::network_unreachable, Operation::connect};
  look.observations = {national};
  EXPECT_FALSE(minute_of(look, at("2024-01-05T10:00:00Z"), LinkState::offline).link_up);
}

}  // namespace
}  // namespace kua::probe
