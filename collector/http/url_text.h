// Percent-encoding and query strings (RFC 3986 §2.1, application/x-www-form-urlencoded).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kua::collector {

enum class PlusSign : unsigned char { itself, space };

// nullopt for a broken escape or a NUL.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, PlusSign plus);

inline constexpr std::size_t kQueryKeysMax = 64;
// "a=1&b=2"; a repeated key keeps its last value. nullopt for broken escapes and too many keys.
[[nodiscard]] std::optional<std::map<std::string, std::string>> read_query(std::string_view text);

}  // namespace kua::collector
