// What a volunteer is told before anything is measured, in three languages. The texts say the same; a
// change in one is a change in all, and of kConsentVersion.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace kua::probe {

enum class ConsentLanguage { english, russian, kazakh };

struct QuizQuestion {
  std::string_view question;
  std::array<std::string_view, 3> answers;
  std::size_t right = 0;       // index into `answers`
  std::string_view because;    // said after a wrong answer
};

struct ConsentText {
  std::string_view code;       // "en"
  std::string_view title;
  std::string_view basic;      // numbered paragraphs
  std::string_view expert;     // what the second level adds
  std::string_view before_quiz;
  std::array<QuizQuestion, 3> quiz;
  std::string_view answer_prompt;   // "Your answer (1-3): "
  std::string_view wrong;           // "Not quite."
  std::string_view final_question;  // "… (yes/no): "
  std::array<std::string_view, 2> yes_words;
  std::string_view declined;
  std::string_view accepted;
};

[[nodiscard]] const ConsentText& consent_text(ConsentLanguage language) noexcept;
// "ru", "kk_KZ.UTF-8" …; English for every other language and for an empty text.
[[nodiscard]] ConsentLanguage language_of_locale(std::string_view locale) noexcept;

namespace internal {
extern const ConsentText kConsentEnglish;
extern const ConsentText kConsentRussian;
extern const ConsentText kConsentKazakh;
}  // namespace internal

}  // namespace kua::probe
