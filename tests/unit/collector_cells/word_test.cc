#include "collector/cells/word.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace kua::collector {
namespace {

using std::chrono::minutes;
using enum State;

constexpr WallTime at(int minute) { return WallTime(minutes(minute)); }
constexpr int kHeldMinutes = 60;

Verdict verdict(Layer layer, State state, std::string rule, std::string host = "example.org") {
  Verdict v;
  v.host = std::move(host);
  v.layer = layer;
  v.state = state;
  v.rule = std::move(rule);
  return v;
}

const std::vector<Verdict> kOpen = {verdict(Layer::dns, ok, ""), verdict(Layer::tls, ok, "tls.completed")};
const std::vector<Verdict> kProven = {verdict(Layer::dns, ok, ""),
                                      verdict(Layer::tls, blocked, "tls.cut_for_name_only")};
const std::vector<Verdict> kLikely = {verdict(Layer::dns, ok, ""),
                                      verdict(Layer::tls, likely_blocked, "tls.fails_here_only")};
const std::vector<Verdict> kDown = {verdict(Layer::tls, down, "tls.fails_for_everybody")};
const std::vector<Verdict> kFails = {verdict(Layer::tls, insufficient, "tls.nothing_to_compare")};
const std::vector<Verdict> kFailsHere = {verdict(Layer::tls, insufficient, "tls.failed_here")};
const std::vector<Verdict> kLineUnproven = {verdict(Layer::tls, insufficient, "gate.line_unproven")};
const std::vector<Verdict> kBadChain = {verdict(Layer::tls, insufficient, "tls.certificate_unjudged")};
const std::vector<Verdict> kNoConnection = {verdict(Layer::tcp, insufficient, "tcp.nothing_to_compare")};
const std::vector<Verdict> kOtherHostFails = {
    verdict(Layer::tls, insufficient, "tls.nothing_to_compare", "login.example.org")};
const std::vector<Verdict> kImpaired = {verdict(Layer::tls, impaired, "tls.completed_on_retry")};

struct Said {
  int minute;
  std::vector<Verdict> verdicts;
};

Word after(const std::vector<Said>& story) {
  Word word;
  word.witness = 1;
  for (const Said& said : story) {
    word.take(LayerStates::of(said.verdicts), Trouble::of(said.verdicts), at(said.minute),
              at(said.minute - kHeldMinutes));
  }
  return word;
}

struct Case {
  std::string claim;
  std::vector<Said> story;
  State state;
  int proven;
};

const std::vector<Case> kCases = {
    {"a failure that cannot tell leaves the proof standing", {{0, kProven}, {5, kFails}}, blocked, 0},
    {"... one after the other", {{0, kProven}, {5, kFails}, {10, kFails}, {15, kFails}}, blocked, 0},
    {"... while the proof is young", {{0, kProven}, {30, kFails}, {60, kFails}}, blocked, 0},
    {"... and no longer, however often it fails", {{0, kProven}, {30, kFails}, {61, kFails}}, insufficient, 61},
    {"what was let go does not come back", {{0, kProven}, {61, kFails}, {62, kFails}}, insufficient, 62},
    {"a new proof begins the time anew", {{0, kProven}, {30, kFails}, {40, kProven}, {90, kFails}}, blocked, 40},
    {"likely_blocked is held as well", {{0, kLikely}, {5, kFails}}, likely_blocked, 0},
    {"down is held as well", {{0, kDown}, {5, kFails}}, down, 0},
    {"the same blocking without its proof leaves the proof standing", {{0, kProven}, {5, kLikely}}, blocked, 0},
    {"an ok takes the place of a proof at once", {{0, kProven}, {5, kOpen}}, ok, 5},
    {"an ok takes the place of a held proof", {{0, kProven}, {5, kFails}, {6, kOpen}}, ok, 6},
    {"after an ok a failure accuses nobody", {{0, kProven}, {5, kOpen}, {6, kFails}}, insufficient, 6},
    {"an ok is not held by failures", {{0, kOpen}, {5, kFails}}, insufficient, 5},
    {"impaired is not held", {{0, kImpaired}, {5, kFails}}, insufficient, 5},
    {"impaired takes the place of a proof", {{0, kProven}, {5, kImpaired}}, impaired, 5},
    {"down for everybody takes the place of a proof", {{0, kProven}, {5, kDown}}, down, 5},
    {"down is not held against likely_blocked", {{0, kDown}, {5, kLikely}}, likely_blocked, 5},
    {"a failure before the handshake is another failure", {{0, kProven}, {5, kNoConnection}}, insufficient, 5},
    {"a strange certificate is no cut", {{0, kProven}, {5, kBadChain}}, insufficient, 5},
    {"a failure of this machine holds nothing", {{0, kProven}, {5, kFailsHere}}, insufficient, 5},
    {"a line that is not known to work holds nothing", {{0, kProven}, {5, kLineUnproven}}, insufficient, 5},
    {"another host's failure holds nothing", {{0, kProven}, {5, kOtherHostFails}}, insufficient, 5},
    {"a failure in another way ends it for good",
     {{0, kProven}, {5, kNoConnection}, {10, kFails}},
     insufficient,
     10},
};

TEST(Word, WhatAWitnessIsHeldTo) {
  for (const Case& row : kCases) {
    const Word word = after(row.story);
    EXPECT_EQ(word.states.at(Facet::whole), row.state) << row.claim;
    EXPECT_EQ(word.proven, at(row.proven)) << row.claim;
    EXPECT_EQ(word.time, at(row.story.back().minute)) << row.claim;
  }
}

TEST(Word, OnlyTheLayerThatFailsIsHeld) {
  const Word word = after({{0, kProven}, {5, kFails}});
  EXPECT_EQ(word.states.at(Facet::tls), blocked);
  EXPECT_EQ(word.states.at(Facet::dns), std::nullopt) << "the old lookup was ok, and ok is not held";
  EXPECT_EQ(word.latest.at(Facet::whole), insufficient);
}

TEST(Word, AnAccusationTakenBackIsNotHeldByItself) {
  Word word = after({{0, kLikely}});
  word.take(LayerStates::of(kFails), Trouble::of(kFails), at(0), at(-kHeldMinutes));
  EXPECT_EQ(word.states.at(Facet::whole), insufficient);
}

TEST(Word, AHeldProofFallsWithItsMeasurement) {
  Word word = after({{0, kProven}, {5, kFails}});
  word.judged_again(LayerStates::of(kDown), Trouble::of(kDown));
  EXPECT_EQ(word.states.at(Facet::whole), down);
  word.judged_again(LayerStates::of(kFails), Trouble::of(kFails));
  EXPECT_EQ(word.states.at(Facet::whole), insufficient);
  EXPECT_FALSE(word.is_held());
}

}  // namespace
}  // namespace kua::collector
