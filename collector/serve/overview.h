// Everything that is known now, as plain values in a settled order: what the desk may see, and what
// the publication rule (publication/publication.h) reduces to what everybody may see.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/cells/attendance.h"
#include "collector/cells/directory.h"
#include "collector/cells/layer_states.h"
#include "measurement/target.h"
#include "measurement/time.h"
#include "measurement/verdict.h"

namespace kua::collector {

struct LayerOverview {
  Layer layer = Layer::dns;
  State state = State::insufficient;
  WallTime since;
  std::optional<double> blocked_ratio;  // absent: no decisive verdict in the window
};

struct TargetOverview {
  std::string target;  // its id, or "other" for what a bound folded together
  std::string category;
  Tier tier = Tier::full;
  State state = State::insufficient;
  WallTime since;
  std::optional<WallTime> last_otherwise;
  std::string mechanism;  // empty: none named
  std::uint32_t probes = 0;
  std::uint32_t clusters = 0;
  std::uint32_t supporting = 0;  // clusters whose word backs the state
  WallTime newest;
  std::optional<WallTime> proven;  // newest measurement that by itself backs the state
  std::optional<double> blocked_ratio;
  std::vector<LayerOverview> layers;
};

struct NetworkOverview {
  Network network;
  bool is_other = false;  // the networks beyond a bound, taken together
  WallTime last_heard;
  std::uint32_t reporting = 0;
  std::uint32_t expected = 0;
  std::uint32_t clusters = 0;  // distinct among the reporting
  std::array<std::uint32_t, kLinkStates> link_states{};
  std::vector<TargetOverview> targets;  // by target id
};

struct Overview {
  WallTime now;
  std::size_t controls_reporting = 0;
  Microseconds key_window{};              // how long a measurement of a key target counts
  std::vector<NetworkOverview> networks;  // by country, ASN, network type
};

// The state most of a network's reporting probes say their line is in; nullopt when none said
// anything. A tie goes to the one nearer to `online`.
[[nodiscard]] std::optional<LinkState> prevailing_link(const NetworkOverview& network) noexcept;

}  // namespace kua::collector
