// Whether an address may be contacted for a public name: never a private, loopback or reserved one, nor a
// neighbour of this machine under a public address, whatever an answer said. `routable` are the blocks that
// the signed list declares public (the lab's); `own_networks` are those of this machine's interfaces.
#pragma once

#include <optional>
#include <span>

#include "measurement/address.h"

namespace kua::probe {

[[nodiscard]] bool may_contact(const IpAddress& address, std::span<const Prefix> routable,
                               std::span<const Prefix> own_networks);

// What a record says in place of an address of a home network: a public one there would tell whose home it
// is, and to rules both are private. nullopt: the address may be told.
[[nodiscard]] std::optional<IpAddress> stand_in_for(const IpAddress& address,
                                                    std::span<const Prefix> own_networks);

// Private (RFC 1918, RFC 4193), link-local and loopback: addresses of a home network. Narrower than "not
// routable": the shared space of carriers (RFC 6598) lies beyond the home.
[[nodiscard]] bool is_home_address(const IpAddress& address);

}  // namespace kua::probe
