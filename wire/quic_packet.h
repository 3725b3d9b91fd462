// What every QUIC version has in common (RFC 8999): the long header and Version Negotiation. Nothing here
// is encrypted; whatever else a server says is the business of a QUIC library.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "wire/bytes.h"

namespace kua::wire {

// UDP payload of a client's first datagram at least: servers drop a smaller one (RFC 9000 §14.1).
inline constexpr std::size_t kQuicFirstDatagramBytes = 1200;

// Makes random bytes, kQuicFirstDatagramBytes of them, a client's first packet of a version that is reserved
// for this (0x?a?a?a?a, RFC 9000 §15). Its connection ids, of eight bytes, are what lay there.
void make_version_ping(std::span<std::uint8_t> random) noexcept;

// The versions that a Version Negotiation packet offers, if it answers `ping`: its connection ids are the
// ping's, exchanged (RFC 8999 §6). Capped at kQuicVersionsMax. nullopt: some other datagram.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> read_version_negotiation(BytesView datagram,
                                                                                BytesView ping);

}  // namespace kua::wire
