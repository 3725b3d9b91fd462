// OONI's words for ours and back: failures of every age (df-007, its predecessors, the test
// helper's), resolver engines, networks. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/failure.h"
#include "measurement/observation.h"
#include "measurement/vantage.h"

namespace kua::collector::ooni {

// What was left out, by its reason.
using Counts = std::map<std::string, std::uint64_t>;

// Any text is a failure; one that is in no list is unknown_failure.
[[nodiscard]] FailureCode failure_code(std::string_view text) noexcept;

// nullopt for an engine that we have none for: it is counted, not guessed.
[[nodiscard]] std::optional<ResolverEngine> engine_of(std::string_view word) noexcept;
[[nodiscard]] const char* engine_word(ResolverEngine engine) noexcept;

[[nodiscard]] NetworkType network_type_of(std::string_view word) noexcept;
[[nodiscard]] const char* network_type_word(NetworkType type) noexcept;

// What a chain that we would not trust is called as a failed handshake; nullptr for one that we
// would, or that was not presented.
[[nodiscard]] const char* trust_failure(ChainTrust trust) noexcept;
// Whether a handshake failed for its chain alone, which to us is no failure of the handshake.
[[nodiscard]] bool is_trust_failure(std::string_view failure) noexcept;

}  // namespace kua::collector::ooni
