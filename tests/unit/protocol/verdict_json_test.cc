#include "protocol/verdict_json.h"

#include <gtest/gtest.h>

namespace kua::protocol {
namespace {

TEST(VerdictJson, ComesBack) {
  Verdict full;
  full.host = "example.org";
  full.hop = 1;
  full.layer = Layer::tls;
  full.family = Family::ip6;
  full.state = State::blocked;
  full.mechanism = "tls.reset.sni";
  full.rule = "tls.reset_for_name_only";
  full.detail = "a \"root\"";
  full.evidence = {2, 5};
  const std::vector<Verdict> verdicts = {full, Verdict()};
  const auto back = read_verdicts(write_verdicts(verdicts));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, verdicts);
  EXPECT_EQ(write_verdicts({}), "[]");
  EXPECT_EQ(read_verdicts("[]"), std::vector<Verdict>());
}

TEST(VerdictJson, WhatIsNoVerdictIsRefused) {
  for (const char* text :
       {"", "{}", "[1]", "[{}]", R"([{"hop":0,"layer":"tls","state":"guilty","rule":"x"}])"}) {
    EXPECT_EQ(read_verdicts(text).error().kind, ErrorKind::invalid_input) << text;
  }
  EXPECT_EQ(
      read_verdicts(R"([{"hop":0,"layer":"tls","state":"guilty","rule":"x"}])").error().message,
      "[0].state: not a word of its set");
}

}  // namespace
}  // namespace kua::protocol
