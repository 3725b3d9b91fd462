// What address translators and routers do to packets in passing.
#pragma once

#include <optional>

#include "measurement/address.h"
#include "wire/bytes.h"

namespace kua::lab {

// Puts `to` in place of `from` wherever it is source or destination, also in a packet quoted by an ICMP
// error, and mends the checksums. Both are of one family; a packet of the other family is left alone.
void replace_address(wire::Bytes& packet, const IpAddress& from, const IpAddress& to);

// Puts `to` in place of port `from` of a TCP or UDP packet's source or destination.
enum class PortSide : std::uint8_t { source, destination };
void replace_port(wire::Bytes& packet, PortSide side, std::uint16_t to);

// What a host that owns the destination and runs no service answers: an echo reply, a reset, port
// unreachable. nullopt where a host stays silent.
[[nodiscard]] std::optional<wire::Bytes> idle_host_answer(wire::BytesView packet);

}  // namespace kua::lab
