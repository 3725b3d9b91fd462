// What the rules conclude from a measurement. Verdicts are the collector's; a probe computes one only
// to tell its owner, and never sends it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"

namespace kua {

// Stored values: never re-point one.
enum class State : std::uint8_t {
  insufficient = 0,  // never to be read as ok
  ok = 1,
  impaired = 2,
  down = 3,
  likely_blocked = 4,
  blocked = 5,
};

// Where it showed.
enum class Layer : std::uint8_t { dns = 0, tcp = 1, tls = 2, http = 3, quic = 4, link = 5 };

[[nodiscard]] const char* to_string(State state) noexcept;
[[nodiscard]] const char* to_string(Layer layer) noexcept;
[[nodiscard]] std::optional<State> parse_state(std::string_view text) noexcept;
[[nodiscard]] std::optional<Layer> parse_layer(std::string_view text) noexcept;

struct Verdict {
  std::string host;                 // whose verdict it is: each hop of a redirect has its own
  std::uint32_t hop = 0;            // redirect depth at which the host was met
  Layer layer = Layer::dns;
  std::optional<Family> family;     // where the families differ
  State state = State::insufficient;
  std::string mechanism;            // dotted path, empty when there is none: "tls.reset.sni"
  std::string rule;                 // id of the row that matched; stable for ever
  std::string detail;               // fingerprint's or root's name, byte count, rates; for people
  std::vector<std::uint32_t> evidence;  // indices into Measurement::observations
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// The summary state of several verdicts: the first present of blocked, likely_blocked, down, impaired;
// else ok when every host is ok at the deepest layer judged for it (one family suffices), else
// insufficient: an answered lookup before an unexplained timeout is no success. QUIC verdicts stand
// apart and do not enter. Empty in: insufficient.
[[nodiscard]] State summarize(const std::vector<Verdict>& verdicts) noexcept;

}  // namespace kua
