#include "collector/cells/trouble.h"

#include <functional>
#include <string>
#include <tuple>

#include "measurement/check.h"

namespace kua::collector {

using verdict::Stage;

Trouble Trouble::of(const std::vector<Verdict>& verdicts) {
  const Verdict* worst = nullptr;
  for (const Verdict& verdict : verdicts) {
    if (verdict::stage_of(verdict) == Stage::none) continue;
    if (worst == nullptr || verdict.state > worst->state ||
        (verdict.state == worst->state &&
         std::tie(verdict.host, verdict.layer) < std::tie(worst->host, worst->layer))) {
      worst = &verdict;
    }
  }
  if (worst == nullptr) return {};
  return {verdict::stage_of(*worst),
          static_cast<std::uint32_t>(std::hash<std::string>()(worst->host))};
}

Facet facet_of(Stage stage) noexcept {
  switch (stage) {
    case Stage::lookup:
      return Facet::dns;
    case Stage::connect:
      return Facet::tcp;
    case Stage::handshake:
    case Stage::chain:
      return Facet::tls;
    case Stage::request:
      return Facet::http;
    case Stage::none:
      break;
  }
  KUA_CHECK(false);
}

}  // namespace kua::collector
