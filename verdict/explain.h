// Verdicts in plain words, for the owner of a probe: one or two sentences that never say more than the
// state does. What is only likely is not called blocked, and what could not be judged says what was missing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "measurement/verdict.h"

namespace kua::verdict {

enum class Language : std::uint8_t { en = 0, ru = 1, kk = 2, uk = 3 };
// "en", "ru", "kk", "uk", also with a territory behind them ("ru_KZ.UTF-8"); nullopt for others.
[[nodiscard]] std::optional<Language> parse_language(std::string_view text) noexcept;

// Of all verdicts of one measurement.
[[nodiscard]] std::string explain(std::span<const Verdict> verdicts, Language language);

}  // namespace kua::verdict
