// Stateless translation between IPv6 and IPv4 (RFC 7915) for one home whose IPv6 address stands for one
// public IPv4 address; IPv4 addresses appear under 64:ff9b::/96 (RFC 6052).
#pragma once

#include <optional>

#include "measurement/address.h"
#include "wire/bytes.h"

namespace kua::lab {

// What is not addressed to 64:ff9b::/96 passes as it is; nullopt for what cannot be translated.
[[nodiscard]] std::optional<wire::Bytes> nat64_out(wire::BytesView packet, const IpAddress& inside,
                                                   const IpAddress& outside);
[[nodiscard]] std::optional<wire::Bytes> nat64_in(wire::BytesView packet, const IpAddress& inside);

// The address under 64:ff9b::/96 that stands for an IPv4 address.
[[nodiscard]] IpAddress nat64_address(const IpAddress& ip4);

}  // namespace kua::lab
