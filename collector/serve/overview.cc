#include "collector/serve/overview.h"

namespace kua::collector {

std::optional<LinkState> prevailing_link(const NetworkOverview& network) noexcept {
  // In the enum's order, which goes from working to dead.
  std::optional<LinkState> prevailing;
  std::uint32_t most = 0;
  for (std::size_t state = 1; state < kLinkStates; ++state) {
    if (network.link_states[state] <= most) continue;
    most = network.link_states[state];
    prevailing = static_cast<LinkState>(state);
  }
  return prevailing;
}

}  // namespace kua::collector
