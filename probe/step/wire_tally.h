// Bytes on the wire, headers of every layer included: what a volunteer's data plan pays for and what the
// interface's own counters show. TCP is taken from the kernel (TCP_INFO), datagrams are reckoned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "measurement/address.h"

namespace kua::probe {

struct WireTally {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  // Connections that were given up and are not yet counted (probe/step/farewell.h), and who waits for them.
  std::size_t farewells = 0;
  std::function<void()> on_last_farewell{};
};

enum class Direction : std::uint8_t { sent, received };

// One UDP (or ICMP echo) datagram with `payload_bytes` behind its 8-byte header.
void add_datagram(WireTally& tally, Direction direction, Family family, std::size_t payload_bytes);

enum class Closing : std::uint8_t { in_order, by_reset };

// Everything one TCP socket sent and received so far, plus the segments that closing it will cost.
// To be called once, just before the close. A socket that the kernel knows nothing of adds nothing.
void add_tcp_socket(WireTally& tally, int socket, Family family, Closing closing);

}  // namespace kua::probe
