#include "verdict/explain.h"

#include <set>

#include "tests/unit/verdict/case.h"
#include "verdict/dns_rules.h"
#include "verdict/explain_texts.h"
#include "verdict/gate.h"
#include "verdict/http_rules.h"
#include "verdict/tcp_rules.h"
#include "verdict/tls_rules.h"

namespace kua::verdict::test {
namespace {

using enum StepRole;

std::string told(const Story& story, const Controls& controls, Language language = Language::en) {
  return explain(judge(story.measurement, controls.views(), knowledge()), language);
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Explain, SaysWhatWasFound) {
  EXPECT_EQ(told(well(), {}), "www.example.com opens.");
  EXPECT_EQ(told(resolved().cut(kTrue, kReset).as(same_address).shakes(kTrue), {}),
            "www.example.com is blocked: connections are cut as soon as its name shows, and other names pass.");
  EXPECT_EQ(told(resolved().no_connect(kTrue, kReset), {well()}),
            "www.example.com does not open from here and does from elsewhere. This looks like blocking, but it "
            "is not proven.");
  EXPECT_EQ(told(resolved().no_connect(kTrue, kSilence), {}),
            "www.example.com did not open. Whether the site, the line or the network is the cause cannot be "
            "told: a look from elsewhere or a repetition is missing.");
  EXPECT_EQ(told(well().link(LinkState::offline), {}), "Nothing was judged: the line is down.");
  EXPECT_EQ(told(well().link(LinkState::offline), {}, Language::ru), "Вывода нет: линия не работает.");
  EXPECT_EQ(told(well().link(LinkState::offline), {}, Language::uk), "Висновку немає: лінія не працює.");
  EXPECT_EQ(explain({}, Language::en), "Nothing was judged: no step was taken.");
}

TEST(Explain, NamesTheHostThatIsBlockedAndHowItWasReached) {
  const Story story = Story(resolved().shakes(kTrue).redirects(kTrue, "https://www2.example.net/", 443))
                          .host("www2.example.net", 1).answers(ResolverEngine::system, {kElsewhere})
                          .answers(ResolverEngine::doh, {kElsewhere}).cut(kElsewhere, kReset)
                          .as(same_address).shakes(kElsewhere);
  const std::string text = told(story, {});
  EXPECT_TRUE(text.starts_with("www2.example.net is blocked")) << text;
  EXPECT_TRUE(text.ends_with("It was reached by a redirect from www.example.com.")) << text;
}

TEST(Explain, TellsTheOpenFamily) {
  const Story story = resolved().answers(ResolverEngine::system, {kTrue6}, QueryType::aaaa)
                          .answers(ResolverEngine::doh, {kTrue6}, QueryType::aaaa).cut(kTrue, kReset)
                          .as(same_address).shakes(kTrue).as(main).shakes(kTrue6);
  EXPECT_TRUE(told(story, {}).ends_with("Over IPv6 it opens.")) << told(story, {});
}

// Each rule has a sentence, and a sentence never says more than the rule's state.
TEST(Explain, EveryRuleHasASentenceOfItsStrength) {
  const auto look = [](const auto& rules) {
    for (const auto& rule : rules) {
      const RuleMessage* known = find_message(rule.id);
      ASSERT_NE(known, nullptr) << rule.id;
      const auto index = static_cast<std::size_t>(known->message);
      const std::string en = texts_en()[index];
      const std::string ru = texts_ru()[index];
      const std::string kk = texts_kk()[index];
      const std::string uk = texts_uk()[index];
      const bool claims = has(en, "is blocked") || has(en, "false certificate");
      const bool hedges = has(en, "not proven") && has(ru, "не доказано") && has(kk, "дәлелденген жоқ") && has(uk, "не доведено");
      EXPECT_EQ(claims, rule.state == State::blocked) << rule.id << ": " << en;
      EXPECT_EQ(hedges, rule.state == State::likely_blocked) << rule.id << ": " << en;
      EXPECT_EQ(has(ru, "заблокирован") || has(ru, "ложного сертификата"), rule.state == State::blocked)
          << rule.id << ": " << ru;
      EXPECT_EQ(has(kk, "бұғатталған") || has(kk, "жалған сертификат"), rule.state == State::blocked)
          << rule.id << ": " << kk;
      EXPECT_EQ(has(uk, "заблоковано") || has(uk, "підробленого сертифіката"), rule.state == State::blocked)
          << rule.id << ": " << uk;
    }
  };
  look(dns_rules());
  look(tcp_rules());
  look(tls_rules());
  look(http_rules());
  for (const auto& rule : gate_rules()) EXPECT_NE(find_message(rule.id), nullptr) << rule.id;
  for (const auto& rule : resolver_rules()) EXPECT_NE(find_message(rule.id), nullptr) << rule.id;
  for (const LinkState state : {LinkState::unknown, LinkState::online, LinkState::captive,
                                LinkState::dns_broken, LinkState::international_cut, LinkState::offline}) {
    EXPECT_NE(find_message(std::string("link.") + to_string(state)), nullptr) << to_string(state);
  }
  EXPECT_NE(find_message("link.offline_but_clear_text"), nullptr);
}

TEST(Explain, LanguagesSayTheSameThings) {
  for (std::size_t i = 0; i < kMessages; ++i) {
    for (const Texts* texts : {&texts_ru(), &texts_kk(), &texts_uk()}) {
      ASSERT_NE((*texts)[i], nullptr) << i;
      for (const char* mark : {"{host}", "{first}"}) {
        EXPECT_EQ(has((*texts)[i], mark), has(texts_en()[i], mark)) << (*texts)[i];
      }
    }
  }
  EXPECT_EQ(parse_language("ru_KZ.UTF-8"), Language::ru);
  EXPECT_EQ(parse_language("kk"), Language::kk);
  EXPECT_EQ(parse_language("uk_UA.UTF-8"), Language::uk);
  EXPECT_EQ(parse_language("de"), std::nullopt);
}

}  // namespace
}  // namespace kua::verdict::test
