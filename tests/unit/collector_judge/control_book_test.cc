#include "collector/judge/control_book.h"

#include <gtest/gtest.h>

#include "tests/unit/collector_judge/world.h"

namespace kua::collector::test {
namespace {

using verdict::test::well;

const TargetId kTarget = *TargetId::parse("web:https://www.example.com/");

std::vector<std::string> times(const std::vector<verdict::ControlView>& views) {
  std::vector<std::string> result;
  for (const verdict::ControlView& view : views) {
    result.push_back(
        to_rfc3339(view.newest->time()).substr(11, 5) +
        (view.before != nullptr ? " after " + to_rfc3339(view.before->time()).substr(11, 5) : ""));
  }
  return result;
}

TEST(ControlBook, KeepsTheNewestAndTheOneBeforeOfEachVantage) {
  ControlBook book({});
  for (const double minute : {0.0, 5.0, 10.0}) book.add(control(well(), 1, minute));
  book.add(control(well(), 2, 7));
  EXPECT_EQ(times(book.views(kTarget, at(11))),
            (std::vector<std::string>{"10:10 after 10:05", "10:07"}));
  EXPECT_EQ(book.reporting(at(11)), 2u);
}

TEST(ControlBook, AnOlderOneThatComesLateTakesThePlaceBefore) {
  ControlBook book({});
  book.add(control(well(), 1, 10));
  book.add(control(well(), 1, 5));
  EXPECT_EQ(times(book.views(kTarget, at(11))), std::vector<std::string>{"10:10 after 10:05"});
  EXPECT_FALSE(book.add(control(well(), 1, 2)));
}

TEST(ControlBook, FreshIsWithinThreeOfItsOwnIntervals) {
  ControlBook book({});
  for (int minute = 0; minute <= 60; minute += 2) book.add(control(well(), 1, minute));
  EXPECT_EQ(book.views(kTarget, at(65)).size(), 1u);
  EXPECT_EQ(book.views(kTarget, at(67)).size(), 0u) << "it measures every two minutes";
  EXPECT_EQ(book.reporting(at(67)), 0u);
}

TEST(ControlBook, ACheckByHandHoldsForAWhile) {
  ControlTiming lab;
  lab.interval_first.fill(std::chrono::milliseconds(500));
  ControlBook book({.timing = lab});
  book.add(control(well(), 1, 0));
  EXPECT_EQ(book.views(kTarget, at(2.9)).size(), 1u);
  EXPECT_EQ(book.views(kTarget, at(3.1)).size(), 0u);
}

TEST(ControlBook, AnOutageOfTheControlDoesNotStretchItsInterval) {
  ControlBook book({});
  for (int minute = 0; minute <= 60; minute += 5) book.add(control(well(), 1, minute));
  book.add(control(well(), 1, 600));
  EXPECT_LT(book.reach(kTarget), std::chrono::minutes(30));
}

TEST(ControlBook, WhatIsOldIsForgotten) {
  ControlBook book({});
  book.add(control(well(), 1, 0));
  book.expire(at(29));
  EXPECT_EQ(book.targets(), 1u);
  book.expire(at(31));
  EXPECT_EQ(book.targets(), 0u);
}

TEST(ControlBook, VantagesBeyondTheBoundAreTurnedAway) {
  ControlBook book({.timing = {}, .targets_max = 1, .vantages_max = 2});
  for (unsigned vantage = 1; vantage <= 5; ++vantage) book.add(control(well(), vantage, 0));
  EXPECT_EQ(book.views(kTarget, at(1)).size(), 2u);
  EXPECT_EQ(book.turned_away(), 3u);
}

}  // namespace
}  // namespace kua::collector::test
