#include "probe/daemon/target_loop.h"

#include <gtest/gtest.h>

#include "tests/unit/probe/records.h"

namespace kua::probe {
namespace {

Measurement seen(std::initializer_list<StepRole> roles) {
  Measurement measurement = some_measurement(1, Tier::core);
  measurement.observations.clear();
  for (const StepRole role : roles) {
    Lookup lookup;
    lookup.role = role;
    measurement.observations.emplace_back(lookup);
  }
  return measurement;
}

struct Case {
  const char* what;
  Measurement measurement;
  State state;
  FollowUpGrant grant;
  bool followed_up;
};

// What counts against the thirty extra tests an hour.
TEST(Outcomes, OnlyALookAtADoubtIsAnExtraTest) {
  const Case cases[] = {
      {"every core test asks trusted resolvers", seen({StepRole::main, StepRole::trusted}), State::ok,
       FollowUpGrant::immediate, false},
      {"a failure that was looked into", seen({StepRole::main, StepRole::retry}), State::blocked,
       FollowUpGrant::immediate, true},
      {"a doubt that came to nothing", seen({StepRole::main, StepRole::retry}), State::ok, FollowUpGrant::immediate,
       true},
      {"a failed name, for which only trusted resolvers are asked", seen({StepRole::main, StepRole::trusted}),
       State::blocked, FollowUpGrant::all, true},
      {"a failure without leave to look", seen({StepRole::main, StepRole::trusted}), State::insufficient,
       FollowUpGrant::none, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(outcome_of(c.measurement, c.state, c.grant).followed_up, c.followed_up) << c.what;
  }
}

}  // namespace
}  // namespace kua::probe
