// Whether an address may be contacted for a public name: never a private, loopback or reserved one,
// whatever an answer said. `routable` are the blocks that the signed list declares public (the lab's).
#pragma once

#include <span>

#include "measurement/address.h"

namespace kua::probe {

[[nodiscard]] inline bool may_contact(const IpAddress& address, std::span<const Prefix> routable) {
  return is_public(address, routable);
}

// Private (RFC 1918, RFC 4193), link-local and loopback: addresses of a home network. Narrower than "not
// routable": the shared space of carriers (RFC 6598) lies beyond the home.
[[nodiscard]] bool is_home_address(const IpAddress& address);

}  // namespace kua::probe
