#include "collector/rejudge/control_shelf.h"

#include <gtest/gtest.h>

#include "tests/unit/collector_judge/world.h"

namespace kua::collector::test {
namespace {

using verdict::test::kReset;
using verdict::test::kTrue;
using verdict::test::resolved;
using verdict::test::well;

constexpr unsigned kProbe = 1;
constexpr unsigned kControl = 90;

Story reset_once() { return resolved().cut(kTrue, kReset); }

State judged(const ControlShelf& shelf, const Measurement& measurement) {
  const auto views = shelf.views(measurement);
  return summarize(verdict::judge(measurement, views, known()->view()));
}

TEST(ControlShelf, ControlsSpeakForTheirTimeWhateverOrderTheyComeIn) {
  ControlShelf shelf({});
  for (const int minute : {50, 0, 30, 10, 40, 20}) (void)shelf.add(control(well(), kControl, minute));
  shelf.close();
  EXPECT_EQ(judged(shelf, measured(reset_once(), kProbe, 42)), State::likely_blocked);
  EXPECT_EQ(judged(shelf, measured(reset_once(), kProbe, 900)), State::insufficient)
      << "no control of that time";
}

TEST(ControlShelf, TheNewestControlThatIsFreshDecidesAsItDoesForTheCollector) {
  ControlShelf shelf({});
  (void)shelf.add(control(well(), kControl, 0));
  (void)shelf.add(control(reset_once(), kControl, 5));
  (void)shelf.add(control(reset_once(), kControl, 10));
  shelf.close();
  EXPECT_EQ(judged(shelf, measured(reset_once(), kProbe, 2)), State::down)
      << "the site went down just before; the collector says so once both have come";
}

TEST(ControlShelf, TheSameControlRecordFromTwoFilesHasNotFailedTwice) {
  ControlShelf shelf({});
  (void)shelf.add(control(reset_once(), kControl, 1));
  (void)shelf.add(control(reset_once(), kControl, 1));
  shelf.close();
  EXPECT_EQ(shelf.size(), 1u);
  EXPECT_EQ(judged(shelf, measured(reset_once(), kProbe, 2)), State::insufficient);
}

TEST(ControlShelf, LanesNeverMix) {
  const Origin ooni{"ooni", "CC BY-NC-SA 4.0", "20220105"};
  Measurement theirs = control(well(), kControl, 1);
  theirs.header.origin = ooni;
  ControlShelf shelf({});
  (void)shelf.add(theirs);
  shelf.close();
  Measurement imported = measured(reset_once(), kProbe, 1);
  EXPECT_EQ(judged(shelf, imported), State::insufficient) << "ours takes no word of theirs";
  imported.header.origin = ooni;
  EXPECT_EQ(judged(shelf, imported), State::likely_blocked);
}

TEST(ControlShelf, TheControlThatCameWithAnImportedMeasurementGoesBeforeNewerOnes) {
  Measurement own = control(reset_once(), kControl, 1);
  own.header.origin = Origin{"ooni", "x", "a"};
  Measurement newer = control(well(), kControl, 3);
  newer.header.origin = Origin{"ooni", "x", "b"};
  ControlShelf shelf({});
  (void)shelf.add(own);
  (void)shelf.add(newer);
  shelf.close();
  Measurement imported = measured(reset_once(), kProbe, 1);
  imported.header.origin = Origin{"ooni", "x", "a"};
  EXPECT_EQ(judged(shelf, imported), State::insufficient) << "failed there too, once";
  imported.header.origin->id = "c";
  EXPECT_EQ(judged(shelf, imported), State::likely_blocked);
}

TEST(ControlShelf, BoundsAreKeptAndSaid) {
  ControlShelf shelf({.timing = {}, .controls_max = 3, .vantages_max = 2});
  EXPECT_EQ(shelf.add(control(well(), 1, 0)), ControlShelf::Added::taken);
  EXPECT_EQ(shelf.add(control(well(), 2, 0)), ControlShelf::Added::taken);
  EXPECT_EQ(shelf.add(control(well(), 3, 0)), ControlShelf::Added::beyond);
  Measurement offline = control(well(), 1, 1);
  offline.link_state = LinkState::offline;
  EXPECT_EQ(shelf.add(offline), ControlShelf::Added::unusable);
  EXPECT_EQ(shelf.add(control(well(), 2, 1)), ControlShelf::Added::taken);
  EXPECT_EQ(shelf.add(control(well(), 2, 2)), ControlShelf::Added::full);
}

}  // namespace
}  // namespace kua::collector::test
