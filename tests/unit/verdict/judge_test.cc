#include <algorithm>

#include "tests/unit/verdict/case.h"

namespace kua::verdict::test {
namespace {

bool tells(const std::vector<Verdict>& verdicts, const char* host, Layer layer) {
  return std::ranges::any_of(verdicts,
                             [&](const Verdict& v) { return v.host == host && v.layer == layer; });
}

TEST(Judge, AnAnsweredLookupBeforeAnUnexplainedFailureIsNoSuccess) {
  const Story story = resolved().no_connect(kTrue, kSilence);
  const auto verdicts = judge(story.measurement, {}, knowledge());
  EXPECT_FALSE(tells(verdicts, kHost, Layer::dns)) << describe(verdicts);
  EXPECT_EQ(summarize(verdicts), State::insufficient);
}

TEST(Judge, AnExplainedFailureLeavesTheLayersBeforeAsTheyWere) {
  const Story story = resolved().cut(kTrue, kReset).as(StepRole::same_address).shakes(kTrue);
  const auto verdicts = judge(story.measurement, {}, knowledge());
  EXPECT_TRUE(tells(verdicts, kHost, Layer::dns)) << describe(verdicts);
  EXPECT_TRUE(tells(verdicts, kHost, Layer::tcp)) << describe(verdicts);
}

TEST(Judge, OneHostsUnexplainedEndTakesNothingFromAnother) {
  const Story story = Story(resolved().shakes(kTrue).redirects(kTrue, "https://www2.example.net/", 443))
                          .host("www2.example.net", 1).answers(ResolverEngine::system, {kElsewhere})
                          .answers(ResolverEngine::doh, {kElsewhere}).no_connect(kElsewhere, kSilence);
  const auto verdicts = judge(story.measurement, {}, knowledge());
  EXPECT_TRUE(tells(verdicts, kHost, Layer::dns)) << describe(verdicts);
  EXPECT_FALSE(tells(verdicts, "www2.example.net", Layer::dns)) << describe(verdicts);
}

TEST(Judge, EvidenceIsWhatCarriedTheVerdict) {
  const Story story = resolved().cut(kTrue, kReset).as(StepRole::same_address).shakes(kTrue);
  for (const Verdict& v : judge(story.measurement, {}, knowledge())) {
    if (v.layer != Layer::tls) continue;
    // Two lookups, T's connect and handshake, S's connect and handshake.
    EXPECT_EQ(v.evidence, (std::vector<std::uint32_t>{3, 5}));
  }
}

TEST(Judge, LaterHopsOfOneHostAreOneVerdict) {
  Story story = resolved().shakes(kTrue);
  for (std::uint32_t hop = 0; hop < 3; ++hop) story.host(kHost, hop).redirects(kTrue, "/next", 443);
  story.host(kHost, 3).page(kTrue, 200, "Example Domain", 900);
  const auto verdicts = judge(story.measurement, {}, knowledge());
  EXPECT_EQ(std::ranges::count(verdicts, Layer::http, &Verdict::layer), 1) << describe(verdicts);
}

}  // namespace
}  // namespace kua::verdict::test
