// Numbers with units as people write them: "5min", "64KiB". Private to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/time.h"

namespace kua::platform::internal {

// ms, s, min, h, d; a fraction of up to six digits is allowed ("1.5s"). nullopt for anything else,
// and for what does not fit.
[[nodiscard]] std::optional<Microseconds> parse_duration(std::string_view text);
// B, kB, MB, GB, KiB, MiB, GiB; whole numbers.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

// The shortest exact form that the parsers above take.
[[nodiscard]] std::string to_text(Microseconds duration);
[[nodiscard]] std::string bytes_to_text(std::uint64_t bytes);

}  // namespace kua::platform::internal
