// The page's style sheet and its drawings of the states, as text. They stand inside the page, so
// that it is one request and can be saved and cited as it is.
#pragma once

#include <string>
#include <string_view>

namespace kua::collector {

[[nodiscard]] std::string_view style_sheet() noexcept;
// An <svg> of symbols, one a state, by StateWords::css: "s-blocked". Shapes differ, not only
// colours.
[[nodiscard]] std::string_view state_symbols() noexcept;
// A data: URL.
[[nodiscard]] std::string_view icon_url() noexcept;

// Content-Security-Policy that allows the style sheet by its hash, the icon, and nothing else.
[[nodiscard]] const std::string& content_security_policy();

}  // namespace kua::collector
