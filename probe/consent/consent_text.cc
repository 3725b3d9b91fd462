#include "probe/consent/consent_text.h"

namespace kua::probe {

const ConsentText& consent_text(ConsentLanguage language) noexcept {
  switch (language) {
    case ConsentLanguage::english: return internal::kConsentEnglish;
    case ConsentLanguage::russian: return internal::kConsentRussian;
    case ConsentLanguage::kazakh: return internal::kConsentKazakh;
  }
  return internal::kConsentEnglish;
}

ConsentLanguage language_of_locale(std::string_view locale) noexcept {
  const std::string_view code = locale.substr(0, 2);
  const bool ends = locale.size() == 2 || (locale.size() > 2 && (locale[2] == '_' || locale[2] == '.'));
  if (ends && code == "ru") return ConsentLanguage::russian;
  if (ends && code == "kk") return ConsentLanguage::kazakh;
  return ConsentLanguage::english;
}

}  // namespace kua::probe
