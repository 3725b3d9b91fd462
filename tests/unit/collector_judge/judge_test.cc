#include "collector/judge/judge.h"

#include <gtest/gtest.h>

#include "collector/judge/second_look.h"
#include "tests/unit/collector_judge/world.h"

namespace kua::collector::test {
namespace {

using verdict::test::kReset;
using verdict::test::kTrue;
using verdict::test::resolved;
using verdict::test::well;

Story reset_once() { return resolved().cut(kTrue, kReset); }

constexpr unsigned kProbe = 1;
constexpr unsigned kControl = 90;
constexpr unsigned kOtherControl = 91;

class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() { judge.set_knowledge(known()); }
  void take(const Measurement& measurement) {
    const ReceivedRecord record = received(measurement);
    archive.keep(record);
    judge.on_record(record);
  }

  StillClock clock;
  RememberingSink sink;
  MemoryArchive archive;
  Judge judge{{}, sink, clock};
};

using Revision = std::pair<State, State>;

TEST_F(JudgeTest, AMeasurementIsJudgedAgainstTheControlThatCameBefore) {
  take(control(well(), kControl, 0));
  take(measured(reset_once(), kProbe, 2));
  EXPECT_EQ(sink.judged, std::vector{State::likely_blocked});
}

TEST_F(JudgeTest, AMeasurementWithoutControlIsJudgedWhenOneComes) {
  take(measured(reset_once(), kProbe, 0));
  EXPECT_EQ(sink.judged, std::vector{State::insufficient});
  take(control(well(), kControl, 3));
  EXPECT_EQ(sink.revised, (std::vector{Revision{State::insufficient, State::likely_blocked}}));
}

TEST_F(JudgeTest, AnAccusationFallsWhenTheControlFindsTheSiteDownToo) {
  take(control(well(), kControl, 0));
  take(measured(reset_once(), kProbe, 2));
  EXPECT_EQ(sink.judged, std::vector{State::likely_blocked}) << "the site went down just before";
  take(control(reset_once(), kControl, 5));
  EXPECT_EQ(sink.revised.back(), (Revision{State::likely_blocked, State::insufficient}))
      << "a lone control that failed once says neither up nor down";
  take(control(reset_once(), kControl, 10));
  EXPECT_EQ(sink.revised.back(), (Revision{State::insufficient, State::down}));
  EXPECT_EQ(judge.counters().revised, 2u);
}

TEST_F(JudgeTest, WhatWasImportedIsNoWitnessAndNoControlOfOurs) {
  Measurement imported = control(well(), kControl, 0);
  imported.header.origin = Origin{"ooni", "CC BY-NC-SA 4.0", ""};
  take(imported);
  take(measured(reset_once(), kProbe, 2));
  EXPECT_EQ(sink.judged, std::vector{State::insufficient});
  Measurement theirs = measured(reset_once(), kProbe, 3);
  theirs.header.origin = imported.header.origin;
  take(theirs);
  EXPECT_EQ(sink.judged.size(), 1u);
  EXPECT_EQ(judge.counters().imported, 2u);
}

TEST_F(JudgeTest, AControlOlderThanThreeOfItsIntervalsDoesNotCount) {
  for (int minute = 0; minute <= 50; minute += 5) take(control(well(), kControl, minute));
  take(measured(reset_once(), kProbe, 64));
  take(measured(reset_once(), kProbe, 66));
  EXPECT_EQ(sink.judged, (std::vector{State::likely_blocked, State::insufficient}));
}

TEST_F(JudgeTest, AControlThatComesMuchLaterChangesNothing) {
  take(measured(reset_once(), kProbe, 0));
  take(control(well(), kControl, 60));
  EXPECT_TRUE(sink.revised.empty());
  EXPECT_EQ(judge.open().size(), 0u) << "no control can reach back that far any more";
}

TEST_F(JudgeTest, WhatIsOkStaysOkWhateverAControlSaw) {
  take(measured(well(), kProbe, 0));
  EXPECT_EQ(judge.open().size(), 0u);
  take(control(reset_once(), kControl, 1));
  take(control(reset_once(), kControl, 6));
  EXPECT_EQ(sink.judged, std::vector{State::ok});
  EXPECT_TRUE(sink.revised.empty());
}

TEST_F(JudgeTest, AControlWhoseOwnLineIsInTroubleIsNoControl) {
  Story cut_off = reset_once();
  cut_off.link(LinkState::international_cut);
  take(control(cut_off, kControl, 0));
  take(control(cut_off, kControl, 5));
  take(control(well(), kOtherControl, 5));
  take(measured(reset_once(), kProbe, 6));
  EXPECT_EQ(sink.judged, std::vector{State::likely_blocked});
  EXPECT_EQ(judge.counters().controls_ignored, 2u);
}

TEST_F(JudgeTest, AControlBeyondABoundIsCountedApart) {
  JudgeOptions options;
  options.book.vantages_max = 1;
  Judge small(options, sink, clock);
  small.on_record(received(control(well(), kControl, 0)));
  small.on_record(received(control(well(), kOtherControl, 0)));
  EXPECT_EQ(small.counters().controls, 1u);
  EXPECT_EQ(small.counters().controls_beyond, 1u);
  EXPECT_EQ(small.counters().controls_ignored, 0u) << "nothing is wrong with it";
}

TEST_F(JudgeTest, OnlyTheOperatorsControlsAreBelieved) {
  JudgeOptions options;
  options.controls = std::set{probe_id(kControl)};
  Judge strict(options, sink, clock);
  strict.set_knowledge(known());
  strict.on_record(received(control(reset_once(), kOtherControl, 0)));
  strict.on_record(received(control(reset_once(), kOtherControl, 5)));
  strict.on_record(received(control(well(), kControl, 5)));
  strict.on_record(received(measured(reset_once(), kProbe, 6)));
  EXPECT_EQ(sink.judged, std::vector{State::likely_blocked})
      << "a stranger cannot call a site down";
  EXPECT_EQ(strict.counters().strangers, 2u);
  EXPECT_EQ(sink.contacts, 1) << "controls are no probes of a network";
}

TEST_F(JudgeTest, ALineInTroubleSaysNothingOfTheTarget) {
  Story offline = reset_once();
  offline.link(LinkState::offline);
  take(measured(offline, kProbe, 0));
  EXPECT_FALSE(speaks_of_target(sink.last.begin()->second));
  EXPECT_EQ(judge.open().size(), 0u);
}

TEST_F(JudgeTest, TheWaitForAControlIsBounded) {
  JudgeOptions options;
  options.open.count_max = 10;
  Judge bounded(options, sink, clock);
  for (unsigned probe = 0; probe < 25; ++probe) {
    bounded.on_record(received(measured(reset_once(), probe, 0)));
  }
  EXPECT_EQ(bounded.open().size(), 10u);
  EXPECT_EQ(bounded.open().dropped(), 15u);
}

TEST_F(JudgeTest, AReplayOfTheLogConcludesTheSame) {
  std::vector<ReceivedRecord> log;
  for (int minute = 0; minute < 60; minute += 5) {
    log.push_back(received(control(minute < 30 ? well() : reset_once(), kControl, minute)));
    log.push_back(received(measured(minute < 15 ? well() : reset_once(), kProbe, minute + 1.0)));
  }
  for (const ReceivedRecord& record : log) judge.on_record(record);
  RememberingSink again;
  Judge replayed({}, again, clock);
  replayed.set_knowledge(known());
  for (const ReceivedRecord& record : log) replayed.on_record(record);
  EXPECT_EQ(sink.last, again.last);
  EXPECT_EQ(sink.revised, again.revised);
}

TEST_F(JudgeTest, AnOldRecordIsJudgedAgainWithTheControlsOfItsTime) {
  take(control(well(), kControl, 0));
  const Measurement old = measured(reset_once(), kProbe, 2);
  take(old);
  take(control(well(), kControl, 5));
  for (int minute = 500; minute < 520; minute += 5) take(control(reset_once(), kControl, minute));
  StillClock clock_of_another_day;
  RememberingSink unused;
  Judge restarted({}, unused, clock_of_another_day);
  restarted.set_knowledge(known());
  SecondLook look(archive, restarted);
  const auto found = look.find(old.header.id);
  ASSERT_TRUE(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->verdicts, sink.last[old.header.id]);
  EXPECT_EQ(summarize((*found)->verdicts), State::likely_blocked);
}

TEST_F(JudgeTest, TheVerdictsOfARecentRecordAreAtHand) {
  take(control(well(), kControl, 0));
  const Measurement recent = measured(reset_once(), kProbe, 2);
  take(recent);
  SecondLook look(archive, judge);
  ASSERT_TRUE(look.find(recent.header.id));
  EXPECT_EQ(archive.reads, 1) << "the record itself, and no control";
}

TEST_F(JudgeTest, AskingForARecordThatIsNotThereIsNoError) {
  SecondLook look(archive, judge);
  const auto found = look.find(measured(well(), kProbe, 0).header.id);
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

TEST_F(JudgeTest, AnArchiveThatCannotBeReadIsAnError) {
  archive.failure = Error{ErrorKind::io, "a frame is damaged", "reading the record log"};
  SecondLook look(archive, judge);
  const auto found = look.query({});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::io);
}

TEST_F(JudgeTest, APageOfRecordsIsJudgedAsOne) {
  for (int minute = 0; minute < 30; minute += 5) {
    take(control(minute < 15 ? well() : reset_once(), kControl, minute));
    take(measured(reset_once(), kProbe, minute + 1.0));
  }
  RememberingSink unused;
  Judge restarted({}, unused, clock);
  restarted.set_knowledge(known());
  SecondLook look(archive, restarted);
  RecordQuery query;
  query.role = ProbeRole::probe;
  archive.reads = 0;
  const auto page = look.query(query);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->size(), 6u);
  EXPECT_EQ(archive.reads, 2) << "the page, and the controls of its one target";
  for (const JudgedRecord& record : *page) {
    EXPECT_EQ(summarize(record.verdicts), summarize(sink.last[header_of(record.record).id]))
        << to_rfc3339(header_of(record.record).time);
  }
}

}  // namespace
}  // namespace kua::collector::test
