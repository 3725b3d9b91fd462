// The words of the page: what states, lines, mechanisms, categories and places are called for
// people. States keep the vocabulary of docs/vocabulary.md; a colour never stands without its word.
#pragma once

#include <string>
#include <string_view>

#include "collector/cells/directory.h"
#include "measurement/time.h"
#include "measurement/vantage.h"
#include "measurement/verdict.h"

namespace kua::collector {

struct StateWords {
  std::string_view css;      // class and symbol id: "blocked"
  std::string_view word;     // "Blocked"
  std::string_view meaning;  // one or two sentences for the legend
};
[[nodiscard]] StateWords words_of(State state) noexcept;

[[nodiscard]] std::string_view link_word(LinkState state) noexcept;  // "No connections abroad"
[[nodiscard]] std::string_view network_type_word(NetworkType type) noexcept;   // "fixed line"
[[nodiscard]] std::string_view category_word(std::string_view code) noexcept;  // "News"
// "connection reset when the name is shown"; empty for a mechanism without words of its own.
[[nodiscard]] std::string_view mechanism_phrase(std::string_view mechanism) noexcept;
// English short name of an ISO 3166-1 country, "Unknown country" for ZZ, the code where we know
// none.
[[nodiscard]] std::string country_name(const CountryCode& country);
// What a reader calls a target: "www.example.com/news", "Telegram".
[[nodiscard]] std::string target_name(std::string_view target_id);

// "10:55 UTC" on the day of `now`, else "5 Jan 2022, 10:55 UTC".
[[nodiscard]] std::string clock_words(WallTime time, WallTime now);
[[nodiscard]] std::string date_words(WallTime time);  // "5 January 2022, 10:55 UTC"
// "just now", "24 min ago", "3 h ago", "2 days ago".
[[nodiscard]] std::string ago_words(WallTime time, WallTime now);
[[nodiscard]] std::string duration_words(Microseconds duration);  // "30 minutes", "26 hours"

}  // namespace kua::collector
