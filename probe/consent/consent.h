// The owner's consent: two levels, one version of the text, kept in consent.json. Nothing measures
// without it, and a consent to an older text is none.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "measurement/error.h"
#include "measurement/time.h"
#include "probe/consent/consent_text.h"
#include "probe/state/state_directory.h"

namespace kua::probe {

enum class ConsentLevel : std::uint8_t {
  basic,   // DNS, TCP, TLS, HTTP, QUIC to listed targets
  expert,  // also packet capture of own flows, and path traces
};
[[nodiscard]] const char* to_string(ConsentLevel level) noexcept;
[[nodiscard]] std::optional<ConsentLevel> parse_consent_level(std::string_view text) noexcept;

// How the owner said yes. `declared`: `--yes` on the command line, by somebody who answers for it (a
// packager, the lab).
enum class ConsentManner : std::uint8_t { quiz, declared };

// Grows with every change of the text that says more than the one before: a new kind of test, another
// reader of the data.
inline constexpr int kConsentVersion = 1;

struct Consent {
  int version = kConsentVersion;
  ConsentLevel level = ConsentLevel::basic;
  ConsentManner manner = ConsentManner::quiz;
  WallTime given;
  friend bool operator==(const Consent&, const Consent&) = default;
};

// nullopt: none was given. A file that cannot be understood is an error and counts as none.
[[nodiscard]] Expected<std::optional<Consent>> read_consent(const StateDirectory& state);
[[nodiscard]] Expected<void> write_consent(const StateDirectory& state, const Consent& consent);
[[nodiscard]] Expected<void> withdraw_consent(const StateDirectory& state);

// Whether `wanted` may be done now. Errors: permission, with what the owner can do about it.
[[nodiscard]] Expected<void> require_consent(const StateDirectory& state, ConsentLevel wanted);

// Shows the text and asks the three questions. True when all were answered rightly and the owner then
// said yes; false when they declined, failed a question `kQuizTries` times or the input ended.
[[nodiscard]] bool ask_for_consent(std::istream& in, std::ostream& out, const ConsentText& text,
                                   ConsentLevel level);
inline constexpr int kQuizTries = 3;

}  // namespace kua::probe
