#include "probe/step/contact_guard.h"

#include <algorithm>
#include <array>

namespace kua::probe {

bool is_home_address(const IpAddress& address) {
  static const std::array kBlocks = {
      *Prefix::parse("10.0.0.0/8"),     *Prefix::parse("172.16.0.0/12"), *Prefix::parse("192.168.0.0/16"),
      *Prefix::parse("169.254.0.0/16"), *Prefix::parse("127.0.0.0/8"),   *Prefix::parse("fc00::/7"),
      *Prefix::parse("fe80::/10"),      *Prefix::parse("::1/128")};
  return std::ranges::any_of(kBlocks, [&](const Prefix& block) { return block.contains(address); });
}

}  // namespace kua::probe
