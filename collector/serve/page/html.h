// HTML as text: escaping and nothing else. Everything that came from outside goes through escape().
#pragma once

#include <string>
#include <string_view>

namespace kua::collector {

// Safe in text and in attribute values with either kind of quotes.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace kua::collector
