#include "probe/consent/consent.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/probe/temporary_directory.h"

namespace kua::probe {
namespace {

class ConsentTest : public testing::Test {
 protected:
  TemporaryDirectory folder_;
  StateDirectory state_ = *StateDirectory::open(folder_.file("state"));
  Consent given_{.given = *parse_rfc3339("2024-01-05T10:00:00Z")};
};

TEST_F(ConsentTest, NothingIsPermittedWithoutOne) {
  const auto permitted = require_consent(state_, ConsentLevel::basic);
  ASSERT_FALSE(permitted);
  EXPECT_EQ(permitted.error().kind, ErrorKind::permission);
  EXPECT_NE(permitted.error().message.find("kua-probe consent accept"), std::string::npos);
}

TEST_F(ConsentTest, IsKeptAsItWasGiven) {
  given_.level = ConsentLevel::expert;
  given_.manner = ConsentManner::declared;
  ASSERT_TRUE(write_consent(state_, given_));
  EXPECT_EQ(**read_consent(state_), given_);
}

TEST_F(ConsentTest, BasicDoesNotPermitExpert) {
  ASSERT_TRUE(write_consent(state_, given_));
  EXPECT_TRUE(require_consent(state_, ConsentLevel::basic));
  EXPECT_FALSE(require_consent(state_, ConsentLevel::expert));
}

TEST_F(ConsentTest, ExpertPermitsBasic) {
  given_.level = ConsentLevel::expert;
  ASSERT_TRUE(write_consent(state_, given_));
  EXPECT_TRUE(require_consent(state_, ConsentLevel::basic));
  EXPECT_TRUE(require_consent(state_, ConsentLevel::expert));
}

TEST_F(ConsentTest, ConsentToAnotherVersionOfTheTextIsNone) {
  given_.version = kConsentVersion + 1;
  ASSERT_TRUE(write_consent(state_, given_));
  EXPECT_FALSE(require_consent(state_, ConsentLevel::basic));
  given_.version = kConsentVersion - 1;
  ASSERT_TRUE(write_consent(state_, given_));
  EXPECT_FALSE(require_consent(state_, ConsentLevel::basic));
}

TEST_F(ConsentTest, WithdrawnIsWithdrawn) {
  ASSERT_TRUE(write_consent(state_, given_));
  ASSERT_TRUE(withdraw_consent(state_));
  EXPECT_FALSE(require_consent(state_, ConsentLevel::basic));
}

TEST_F(ConsentTest, AFileThatCannotBeUnderstoodCountsAsNone) {
  for (const char* bytes : {"", "{", "[]", R"({"version":1})",
                            R"({"version":"1","level":"basic","manner":"quiz","given":"2024-01-05T10:00:00Z"})",
                            R"({"version":1,"level":"all","manner":"quiz","given":"2024-01-05T10:00:00Z"})"}) {
    ASSERT_TRUE(state_.write(kConsentFile, bytes));
    EXPECT_FALSE(require_consent(state_, ConsentLevel::basic)) << bytes;
  }
}

const ConsentLanguage kLanguages[] = {ConsentLanguage::english, ConsentLanguage::russian,
                                      ConsentLanguage::kazakh};

std::string right_answers(const ConsentText& text) {
  std::string lines;
  for (const QuizQuestion& question : text.quiz) lines += std::to_string(question.right + 1) + "\n";
  return lines;
}

TEST(ConsentQuizTest, RightAnswersAndAYesAreConsentInEveryLanguage) {
  for (const ConsentLanguage language : kLanguages) {
    const ConsentText& text = consent_text(language);
    std::istringstream in(right_answers(text) + std::string(text.yes_words[0]) + "\n");
    std::ostringstream out;
    EXPECT_TRUE(ask_for_consent(in, out, text, ConsentLevel::basic)) << text.code;
    EXPECT_NE(out.str().find(text.basic), std::string::npos);
    EXPECT_EQ(out.str().find(text.expert), std::string::npos);
  }
}

TEST(ConsentQuizTest, AnythingButAYesIsANo) {
  const ConsentText& text = consent_text(ConsentLanguage::english);
  for (const char* last : {"no\n", "\n", "", "yes please\n"}) {
    std::istringstream in(right_answers(text) + last);
    std::ostringstream out;
    EXPECT_FALSE(ask_for_consent(in, out, text, ConsentLevel::basic)) << last;
  }
}

TEST(ConsentQuizTest, AWrongAnswerIsExplainedAndAskedAgain) {
  const ConsentText& text = consent_text(ConsentLanguage::english);
  std::istringstream in("1\n" + right_answers(text) + "yes\n");
  std::ostringstream out;
  EXPECT_TRUE(ask_for_consent(in, out, text, ConsentLevel::basic));
  EXPECT_NE(out.str().find(text.quiz[0].because), std::string::npos);
}

TEST(ConsentQuizTest, ThreeWrongAnswersEndIt) {
  const ConsentText& text = consent_text(ConsentLanguage::english);
  std::istringstream in("1\n3\n1\n" + right_answers(text) + "yes\n");
  std::ostringstream out;
  EXPECT_FALSE(ask_for_consent(in, out, text, ConsentLevel::basic));
}

TEST(ConsentTextTest, EveryTextSaysTheEightThings) {
  for (const ConsentLanguage language : kLanguages) {
    const ConsentText& text = consent_text(language);
    for (char number = '1'; number <= '8'; ++number) {
      const std::string paragraph = std::string(number == '1' ? "" : "\n") + number + ". ";
      EXPECT_NE(text.basic.find(paragraph), std::string::npos) << text.code << ' ' << number;
    }
    EXPECT_NE(text.basic.find("kua-probe consent withdraw"), std::string::npos);
    for (const QuizQuestion& question : text.quiz) EXPECT_LT(question.right, question.answers.size());
  }
}

TEST(ConsentTextTest, TheLanguageFollowsTheLocale) {
  EXPECT_EQ(language_of_locale("ru_RU.UTF-8"), ConsentLanguage::russian);
  EXPECT_EQ(language_of_locale("kk"), ConsentLanguage::kazakh);
  EXPECT_EQ(language_of_locale("rue"), ConsentLanguage::english);
  EXPECT_EQ(language_of_locale("C.UTF-8"), ConsentLanguage::english);
  EXPECT_EQ(language_of_locale(""), ConsentLanguage::english);
}

}  // namespace
}  // namespace kua::probe
