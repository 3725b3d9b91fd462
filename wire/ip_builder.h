// Builds whole IP packets with right lengths and checksums: what the lab's forwarder injects and
// what a path trace sends. Fragments, IPv4 options and IPv6 extension headers are not built.
#pragma once

#include <cstdint>
#include <span>

#include "wire/bytes.h"
#include "wire/ip_packet.h"

namespace kua::wire {

// The protocol of `header` is overwritten by the call's own, its fragment fields are ignored, and
// both addresses are of one family. A packet that would pass 65,535 bytes is a mistake of the
// caller.
[[nodiscard]] Bytes encode_tcp(IpHeader header, const TcpSegment& segment);
[[nodiscard]] Bytes encode_udp(IpHeader header, const UdpDatagram& datagram);
[[nodiscard]] Bytes encode_icmp(IpHeader header, const IcmpMessage& message);  // v4 or v6 by family

// What a router says about a packet it does not pass on.
enum class IcmpError : std::uint8_t { time_exceeded, admin_prohibited, port_unreachable };

// An ICMP or ICMPv6 error from `router` to the sender of `offending`, which it quotes as far as the
// standard allows (RFC 1812 §4.3.2.3: 576 bytes in all, RFC 4443 §2.4: 1,280). `offending` decodes
// and is of the router's family.
[[nodiscard]] Bytes encode_icmp_error(const IpAddress& router, std::uint8_t hop_limit,
                                      IcmpError error, BytesView offending);

// The way back: addresses swapped, identification zero, hop limit as given.
[[nodiscard]] IpHeader answer_to(const IpHeader& seen, std::uint8_t hop_limit);
// A segment that the sender of `seen` accepts as the peer's next one: ports swapped, sequence = its
// acknowledgement, acknowledgement = what it sent. Without an ACK in `seen` (a SYN) the sequence is
// 0. No options, no payload; `flags` as given.
[[nodiscard]] TcpSegment answer_to(const TcpSegment& seen, std::uint8_t flags);

// What a router does to a packet it passes on: one off the hop limit, the IPv4 checksum mended (RFC
// 1624). False, and nothing changed, when the packet must die here (limit 0 or 1) or is no IP
// packet.
[[nodiscard]] bool decrement_hop_limit(std::span<std::uint8_t> packet) noexcept;

}  // namespace kua::wire
