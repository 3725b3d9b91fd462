#include "collector/cells/cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace kua::collector {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const WallTime kStart = *parse_rfc3339("2022-01-05T10:00:00Z");

WallTime at(double minute) {
  return kStart + std::chrono::duration_cast<Microseconds>(
                      std::chrono::duration<double, std::ratio<60>>(minute));
}

Verdict verdict(Layer layer, State state) {
  Verdict v;
  v.host = "example.org";
  v.layer = layer;
  v.state = state;
  return v;
}

LayerStates says(State state) {
  return LayerStates::of({verdict(Layer::dns, State::ok), verdict(Layer::tls, state)});
}

Vote vote(std::uint64_t witness, double minute, State state) {
  Vote v;
  v.target = {1};
  v.network = {1};
  v.mechanism = {static_cast<std::uint32_t>(state)};
  v.tier = Tier::key;
  v.probe = witness * 0x1000'0000'01ULL;
  v.cluster = witness * 0x2000'0000'03ULL;
  v.time = at(minute);
  v.states = says(state);
  return v;
}

std::optional<TargetView> look(Cells& cells, double minute) {
  std::optional<TargetView> found;
  cells.visit(at(minute), [&](const TargetView& view) { found = view; });
  return found;
}

// What vote() accuses fails in this way; none: a word that can tell nothing.
const Trouble kCut = {verdict::Stage::handshake, 7};

struct Said {
  std::uint64_t witness;
  double minute;
  State state;
  Trouble trouble = {};
};

struct Case {
  std::string claim;
  std::vector<Said> said;
  double seen_at;
  std::optional<State> state;  // nullopt: there is no cell
  std::optional<double> since = {};
  std::optional<double> last_otherwise = {};
};

using enum State;

const std::vector<Case> kCases = {
    {"one decisive measurement makes a state", {{1, 0, ok}}, 1, ok, 0.0},
    {"insufficient is never ok", {{1, 0, insufficient}}, 1, insufficient},
    {"witnesses who cannot tell do not outvote one who can",
     {{1, 0, insufficient}, {2, 1, insufficient}, {3, 2, ok}},
     3,
     ok,
     2.0},
    {"a tie goes to the weaker claim", {{1, 0, ok}, {2, 1, blocked}}, 2, ok, 0.0},
    {"more than half who say blocked make it blocked",
     {{1, 0, ok}, {2, 1, blocked}, {3, 2, blocked}},
     3,
     blocked,
     1.0,
     0.0},
    {"half blocked and half likely is likely blocked",
     {{1, 0, blocked}, {2, 0, likely_blocked}},
     1,
     likely_blocked,
     0.0},
    {"who says blocked also says at least likely blocked",
     {{1, 0, blocked}, {2, 0, likely_blocked}, {3, 0, ok}},
     1,
     likely_blocked,
     0.0},
    {"a site that most find down is down, whatever one says",
     {{1, 0, down}, {2, 0, down}, {3, 0, blocked}},
     1,
     down,
     0.0},
    {"the last word of a witness counts, not each of its words",
     {{1, 0, blocked}, {1, 5, blocked}, {1, 10, blocked}, {2, 11, ok}, {3, 12, ok}},
     13,
     ok,
     11.0,
     10.0},
    {"the begin is the first contrary word after the last support of the state before",
     {{1, 0, ok}, {2, 1, ok}, {1, 5, blocked}, {2, 6, blocked}},
     7,
     blocked,
     5.0,
     1.0},
    {"from likely to proven is one spell",
     {{1, 0, ok}, {1, 5, likely_blocked}, {1, 10, blocked}},
     11,
     blocked,
     5.0,
     0.0},
    {"a spell of not knowing does not restart the begin",
     {{1, 0, ok}, {1, 5, blocked}, {1, 10, insufficient}, {1, 15, blocked}},
     16,
     blocked,
     5.0,
     0.0},
    {"a word that can no longer tell takes its witness out",
     {{1, 0, blocked}, {1, 5, insufficient}},
     6,
     insufficient,
     5.0},
    {"a failure like the one that was proven leaves the proof standing",
     {{1, 0, ok}, {1, 5, blocked}, {1, 10, insufficient, kCut}, {1, 15, insufficient, kCut}},
     16,
     blocked,
     5.0,
     0.0},
    {"a proof stands longer than a window while failures hold it up",
     {{1, 0, blocked},
      {1, 20, insufficient, kCut},
      {1, 40, insufficient, kCut},
      {1, 54, insufficient, kCut}},
     54,
     blocked,
     0.0},
    {"a proof an hour old is held up no longer, whoever looks",
     {{1, 0, blocked},
      {1, 20, insufficient, kCut},
      {1, 40, insufficient, kCut},
      {1, 54, insufficient, kCut}},
     60,
     insufficient},
    {"a held proof is one witness's word, not more",
     {{1, 0, blocked}, {1, 10, insufficient, kCut}, {2, 11, ok}, {3, 12, ok}},
     13,
     ok,
     11.0,
     0.0},
    {"nobody measured for a window: the cell is gone, not held",
     {{1, 0, blocked}, {1, 10, insufficient, kCut}},
     41,
     std::nullopt},
    {"nobody measured for a window: the cell is gone, not ok", {{1, 0, ok}}, 31, std::nullopt},
    {"nobody measured for a window: the cell is gone, not blocked",
     {{1, 0, blocked}},
     31,
     std::nullopt},
    {"a witness who fell silent no longer counts",
     {{1, 0, blocked}, {2, 0, blocked}, {3, 20, ok}},
     31,
     ok,
     20.0,
     0.0},
    {"a late word enters at its own time and does not change what was said since",
     {{1, 20, ok}, {1, 5, blocked}},
     21,
     ok,
     20.0,
     5.0},
    {"a late word that backs the state moves its begin back",
     {{1, 20, blocked}, {2, 10, blocked}},
     21,
     blocked,
     10.0},
    {"a late word from before the window still narrows the begin",
     {{1, 0, ok}, {1, 40, blocked}, {2, 12, ok}},
     41,
     blocked,
     40.0,
     12.0},
    {"a word from the future is taken as of now", {{1, 0, ok}}, 31, std::nullopt},
};

TEST(Cells, StateOfATarget) {
  for (const Case& row : kCases) {
    Cells cells{CellsOptions{}};
    WallTime now = kStart;
    for (const Said& said : row.said) {
      now = std::max(now, at(said.minute));
      Vote v = vote(said.witness, said.minute, said.state);
      if (said.state >= down || said.trouble == kCut) v.trouble = kCut;
      cells.add(v, now);
    }
    const auto view = look(cells, row.seen_at);
    ASSERT_EQ(view.has_value(), row.state.has_value()) << row.claim;
    if (!view) continue;
    EXPECT_EQ(view->whole.state, *row.state) << row.claim;
    if (row.since) {
      EXPECT_EQ(to_rfc3339(view->whole.since), to_rfc3339(at(*row.since))) << row.claim;
    }
    EXPECT_EQ(view->whole.last_otherwise.has_value(), row.last_otherwise.has_value()) << row.claim;
    if (row.last_otherwise && view->whole.last_otherwise) {
      EXPECT_EQ(to_rfc3339(*view->whole.last_otherwise), to_rfc3339(at(*row.last_otherwise)))
          << row.claim;
    }
  }
}

TEST(Cells, WordFromTheFutureKeepsNothingAlive) {
  Cells cells{CellsOptions{}};
  cells.add(vote(1, 600, State::blocked), at(0));
  EXPECT_TRUE(look(cells, 10));
  EXPECT_FALSE(look(cells, 31));
}

TEST(Cells, WordFromBeforeTheWindowOpensNothing) {
  Cells cells{CellsOptions{}};
  EXPECT_EQ(cells.add(vote(1, 0, State::blocked), at(60)), VoteOutcome::late);
  EXPECT_FALSE(look(cells, 60));
}

TEST(Cells, NoVerdictIsNoVote) {
  Cells cells{CellsOptions{}};
  Vote nothing = vote(1, 0, State::ok);
  nothing.states = LayerStates::of({});
  EXPECT_EQ(cells.add(nothing, at(0)), VoteOutcome::no_states);
  EXPECT_EQ(cells.open(), 0u);
}

TEST(Cells, CountsEveryVerdictAndEveryProbeOnce) {
  Cells cells{CellsOptions{}};
  for (int minute = 0; minute < 10; ++minute) {
    cells.add(vote(1, minute, minute < 4 ? State::ok : State::blocked), at(minute));
  }
  cells.add(vote(2, 10, State::insufficient), at(10));
  const auto view = look(cells, 10);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->whole.counts[static_cast<std::size_t>(State::ok)], 4u);
  EXPECT_EQ(view->whole.counts[static_cast<std::size_t>(State::blocked)], 6u);
  EXPECT_EQ(view->whole.counts[static_cast<std::size_t>(State::insufficient)], 1u);
  EXPECT_DOUBLE_EQ(*view->whole.blocked_ratio(), 0.6);
  EXPECT_EQ(view->probes, 1u) << "a probe that cannot tell is not behind the state";
  EXPECT_EQ(view->clusters, 1u);
  ASSERT_EQ(view->layers.size(), 2u);
  EXPECT_EQ(view->layers[0].facet, Facet::dns);
  EXPECT_EQ(view->layers[0].state, State::ok);
  EXPECT_EQ(view->layers[1].state, State::blocked);
  EXPECT_EQ(view->mechanism.value, static_cast<std::uint32_t>(State::blocked));
}

TEST(Cells, ProbesOfOneClusterAreOneWitness) {
  Cells cells{CellsOptions{}};
  for (std::uint64_t probe = 1; probe <= 9; ++probe) {
    Vote loud = vote(probe, 0, State::blocked);
    loud.cluster = 77;
    cells.add(loud, at(0));
  }
  cells.add(vote(20, 1, State::ok), at(1));
  cells.add(vote(21, 1, State::ok), at(1));
  const auto view = look(cells, 2);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->whole.state, State::ok) << "nine probes behind one address outvote nobody";
  EXPECT_EQ(view->clusters, 3u);
  EXPECT_EQ(view->probes, 11u);
}

TEST(Cells, ProbeWithoutClusterSpeaksButIsNoWitness) {
  Cells cells{CellsOptions{}};
  Vote alone = vote(1, 0, State::ok);
  alone.cluster = 0;
  cells.add(alone, at(0));
  const auto view = look(cells, 1);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->whole.state, State::ok);
  EXPECT_EQ(view->probes, 1u);
  EXPECT_EQ(view->clusters, 0u);
}

TEST(Cells, OnlyClustersThatBackTheStateSupportIt) {
  Cells cells{CellsOptions{}};
  for (std::uint64_t one = 1; one <= 5; ++one) cells.add(vote(one, 0, one <= 3 ? blocked : ok), at(0));
  Vote neighbour = vote(6, 1, blocked);
  neighbour.cluster = vote(1, 0, blocked).cluster;
  cells.add(neighbour, at(1));
  neighbour.cluster = 0;
  cells.add(neighbour, at(1));
  const TargetView seen = look(cells, 2).value();
  ASSERT_EQ(seen.whole.state, blocked);
  EXPECT_EQ(seen.supporting, 3u) << "of " << seen.clusters << " clusters";
}

TEST(Cells, RevisionReplacesWhatWasSaid) {
  Cells cells{CellsOptions{}};
  const Vote accusing = vote(1, 0, State::likely_blocked);
  Vote revised = accusing;
  revised.states = says(State::down);
  cells.add(accusing, at(0));
  cells.revise(accusing, revised, at(5));
  const auto view = look(cells, 5);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->whole.state, State::down);
  EXPECT_EQ(view->whole.counts[static_cast<std::size_t>(State::likely_blocked)], 0u);
  EXPECT_EQ(view->whole.counts[static_cast<std::size_t>(State::down)], 1u);
}

TEST(Cells, TheAgeOfAHeldProofIsTold) {
  Cells cells{CellsOptions{}};
  Vote proof = vote(1, 0, State::blocked);
  proof.trouble = kCut;
  Vote failure = vote(1, 20, State::insufficient);
  failure.trouble = kCut;
  cells.add(proof, at(0));
  cells.add(failure, at(20));
  const auto view = look(cells, 21);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->whole.state, State::blocked);
  EXPECT_EQ(view->proven, at(0));
  EXPECT_EQ(view->newest, at(20));
  EXPECT_EQ(view->probes, 1u);
  EXPECT_EQ(view->clusters, 1u);
  EXPECT_EQ(view->mechanism.value, static_cast<std::uint32_t>(State::blocked));
}

TEST(Cells, AProofTakenBackTakesWhatItHeldUp) {
  Cells cells{CellsOptions{}};
  Vote accusing = vote(1, 0, State::likely_blocked);
  accusing.trouble = kCut;
  Vote failure = vote(1, 5, State::insufficient);
  failure.trouble = kCut;
  Vote taken_back = accusing;
  taken_back.states = says(State::insufficient);
  cells.add(accusing, at(0));
  cells.add(failure, at(5));
  ASSERT_EQ(look(cells, 6)->whole.state, State::likely_blocked);
  cells.revise(accusing, taken_back, at(6));
  const auto view = look(cells, 6);
  EXPECT_EQ(view->whole.state, State::insufficient);
  EXPECT_FALSE(view->proven);
}

TEST(Cells, AFailureThatTurnsOutOkEndsWhatItHeldUp) {
  Cells cells{CellsOptions{}};
  Vote accusing = vote(1, 0, State::blocked);
  accusing.trouble = kCut;
  Vote failure = vote(1, 5, State::insufficient);
  failure.trouble = kCut;
  Vote revised = failure;
  revised.states = says(State::down);
  cells.add(accusing, at(0));
  cells.add(failure, at(5));
  cells.revise(failure, revised, at(6));
  EXPECT_EQ(look(cells, 6)->whole.state, State::down);
}

TEST(Cells, RevisionOfAnOlderWordLeavesTheLastOne) {
  Cells cells{CellsOptions{}};
  const Vote older = vote(1, 0, State::insufficient);
  cells.add(older, at(0));
  cells.add(vote(1, 5, State::ok), at(5));
  Vote revised = older;
  revised.states = says(State::blocked);
  cells.revise(older, revised, at(6));
  const auto view = look(cells, 6);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->whole.state, State::ok);
  EXPECT_EQ(view->whole.counts[static_cast<std::size_t>(State::blocked)], 1u);
}

TEST(Cells, BeyondTheLimitVotesAreFoldedAndCounted) {
  CellsOptions options;
  options.open_max = 3;
  Cells cells{options};
  for (std::uint32_t target = 1; target <= 10; ++target) {
    Vote v = vote(1, 0, State::blocked);
    v.target = {target};
    cells.add(v, at(0));
  }
  EXPECT_EQ(cells.folded(), 7u);
  EXPECT_EQ(cells.open(), 4u);
  cells.visit(at(1), [](const TargetView& view) {
    if (view.target != TargetIndex{}) return;
    EXPECT_EQ(view.whole.state, State::insufficient) << "a mixture of targets has no state";
    EXPECT_EQ(view.whole.counts[static_cast<std::size_t>(State::blocked)], 7u);
  });
}

TEST(Cells, AClaimedTierDeletesNoOtherWitness) {
  Cells cells{CellsOptions{}};
  for (std::uint64_t witness = 1; witness <= 6; ++witness) {
    Vote weekly = vote(witness, 0, blocked);
    weekly.tier = Tier::full;
    weekly.category = {3};
    cells.add(weekly, at(0));
  }
  Vote claim = vote(7, 60, ok);
  claim.tier = Tier::key;
  claim.category = {4};
  cells.add(claim, at(60));
  const TargetView seen = look(cells, 61).value();
  EXPECT_EQ(seen.whole.state, blocked);
  EXPECT_EQ(seen.clusters, 7u);
  EXPECT_EQ(seen.tier, Tier::full);
  EXPECT_EQ(seen.category, CategoryIndex{3});
}

TEST(Cells, AClaimedTierLengthensTheWindowOfATargetOnNoList) {
  Cells cells{CellsOptions{}};
  cells.add(vote(1, 0, blocked), at(0));
  Vote weekly = vote(2, 10, blocked);
  weekly.tier = Tier::full;
  cells.add(weekly, at(10));
  EXPECT_EQ(look(cells, 120)->clusters, 2u);
}

TEST(Cells, TheListsTierHoldsFromTheNextWord) {
  Cells cells{CellsOptions{}};
  Vote weekly = vote(1, 0, blocked);
  weekly.tier = Tier::full;
  cells.add(weekly, at(0));
  Vote listed = vote(2, 60, ok);
  listed.described_by = DescribedBy::list;
  listed.category = {4};
  cells.add(listed, at(60));
  const TargetView seen = look(cells, 61).value();
  EXPECT_EQ(seen.tier, Tier::key);
  EXPECT_EQ(seen.category, CategoryIndex{4});
  EXPECT_EQ(seen.whole.state, ok) << "the other word is older than half an hour";
}

// Whatever the order of arrival, the counts are those of the votes inside the window, and no state
// is ever shown that no measurement of the last hour backs.
TEST(Cells, RandomTrafficKeepsTheBooks) {
  std::mt19937_64 random(20220105);
  for (int world = 0; world < 50; ++world) {
    Cells cells{CellsOptions{}};
    std::vector<Vote> votes;
    std::vector<Vote> ever;  // whatever was said, revisions included
    double now = 0;
    for (int step = 0; step < 400; ++step) {
      now += std::uniform_real_distribution<double>(0, 1)(random);
      const double lag = std::uniform_int_distribution<int>(0, 3)(random) == 0
                             ? std::uniform_real_distribution<double>(0, 60)(random)
                             : 0;
      const auto state = static_cast<State>(std::uniform_int_distribution<int>(0, 5)(random));
      Vote v = vote(1 + random() % 12, std::max(0.0, now - lag), state);
      if (random() % 3 != 0) v.trouble = {verdict::Stage::handshake, 1 + static_cast<std::uint32_t>(random() % 2)};
      if (cells.add(v, at(now)) == VoteOutcome::counted) votes.push_back(v);
      ever.push_back(v);
      if (step % 7 == 0 && !votes.empty()) {
        Vote& before = votes[random() % votes.size()];
        Vote after = before;
        after.states = says(static_cast<State>(random() % kStates));
        cells.revise(before, after, at(now));
        const std::int64_t oldest = slot_number(at(now), minutes(5)) - 5;
        ever.push_back(after);
        if (slot_number(before.time, minutes(5)) >= oldest) before = after;
      }
      const auto view = look(cells, now);
      const std::int64_t oldest = slot_number(at(now), minutes(5)) - 5;
      StateCounts expected{};
      for (const Vote& counted : votes) {
        if (slot_number(counted.time, minutes(5)) < oldest) continue;
        ++expected[static_cast<std::size_t>(*counted.states.at(Facet::whole))];
      }
      if (!view) continue;
      ASSERT_EQ(view->whole.counts, expected) << "world " << world << " step " << step;
      if (view->whole.state != State::insufficient) {
        ASSERT_TRUE(view->proven) << "world " << world << " step " << step;
        ASSERT_GE(*view->proven, at(now) - hours(1)) << "world " << world << " step " << step;
        const bool backed = std::ranges::any_of(ever, [&](const Vote& one) {
          return one.time == *view->proven && *one.states.at(Facet::whole) >= view->whole.state;
        });
        ASSERT_TRUE(backed) << "world " << world << " step " << step;
        ASSERT_LE(view->whole.since, at(now));
        if (view->whole.last_otherwise) {
          ASSERT_LE(*view->whole.last_otherwise, view->whole.since);
        }
      }
      ASSERT_LE(view->clusters, 12u);
      if (view->whole.state != State::insufficient) {
        ASSERT_EQ(view->clusters, view->whole.deciding);
      }
    }
  }
}

}  // namespace
}  // namespace kua::collector
