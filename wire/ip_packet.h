// IPv4 and IPv6 packets with TCP, UDP, ICMP and ICMPv6 inside, decoded as views of the bytes they
// came in: nothing is copied and nothing is allocated. The bytes may come from anybody; a decoder
// that returns a value has checked every length it used, and checksums are a question of their own.
#pragma once

#include <cstdint>
#include <expected>

#include "measurement/address.h"
#include "wire/bytes.h"

namespace kua::wire {

enum class PacketFault : std::uint8_t {
  truncated,   // shorter than its own length field, or than the header needs
  not_ip,      // version is neither 4 nor 6
  bad_length,  // a length field contradicts itself
  too_many_extensions,
};
[[nodiscard]] const char* to_string(PacketFault fault) noexcept;

// IANA protocol numbers, as IpHeader::protocol holds them.
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpV6 = 58;

struct IpHeader {
  IpAddress source = *IpAddress::parse("0.0.0.0");
  IpAddress destination = *IpAddress::parse("0.0.0.0");
  std::uint8_t protocol = 0;  // of the payload, behind IPv6 extension headers
  std::uint8_t hop_limit = 64;
  std::uint8_t traffic_class = 0;
  std::uint16_t identification = 0;  // IPv4; injectors betray themselves here
  bool dont_fragment = true;         // IPv4
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // bytes; the payload of any but 0 begins inside a segment
  friend bool operator==(const IpHeader&, const IpHeader&) = default;
};

struct IpPacket {
  IpHeader header;
  BytesView payload;  // what header.protocol names, without link-layer padding
};

// Whether bytes may be missing at the end: a capture with a snap length, a packet quoted by ICMP.
enum class Extent : std::uint8_t { whole, cut };

[[nodiscard]] std::expected<IpPacket, PacketFault> decode_ip(
    BytesView packet, Extent extent = Extent::whole) noexcept;

// Bits of TcpSegment::flags.
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;

struct TcpSegment {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  std::uint16_t urgent = 0;
  BytesView options;  // a multiple of four bytes, at most 40
  BytesView payload;
  // Sequence numbers that the segment takes: its payload, one for SYN, one for FIN (RFC 9293 §3.4).
  [[nodiscard]] std::uint32_t sequence_length() const noexcept;
};

struct UdpDatagram {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  BytesView payload;
};

// ICMP and ICMPv6 share this shape. Of an error message `payload` is the quoted packet; decode it
// with Extent::cut.
struct IcmpMessage {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;  // identifier and sequence of an echo; MTU or zero of an error
  BytesView payload;
};

// `payload` of an IpPacket whose fragment_offset is 0. With Extent::cut eight bytes of TCP (the
// ports and the sequence) are enough, as RFC 792 quotes no more; what is missing reads as zero.
[[nodiscard]] std::expected<TcpSegment, PacketFault> decode_tcp(
    BytesView payload, Extent extent = Extent::whole) noexcept;
[[nodiscard]] std::expected<UdpDatagram, PacketFault> decode_udp(
    BytesView payload, Extent extent = Extent::whole) noexcept;
[[nodiscard]] std::expected<IcmpMessage, PacketFault> decode_icmp(BytesView payload) noexcept;

// A view of bytes that die at the end of the expression is no view.
std::expected<IpPacket, PacketFault> decode_ip(Bytes&&, Extent = Extent::whole) = delete;
std::expected<TcpSegment, PacketFault> decode_tcp(Bytes&&, Extent = Extent::whole) = delete;
std::expected<UdpDatagram, PacketFault> decode_udp(Bytes&&, Extent = Extent::whole) = delete;
std::expected<IcmpMessage, PacketFault> decode_icmp(Bytes&&) = delete;

// ICMP error types and codes that the instrument cares about (RFC 792, RFC 1812, RFC 4443).
inline constexpr std::uint8_t kIcmpUnreachable = 3;
inline constexpr std::uint8_t kIcmpTimeExceeded = 11;
inline constexpr std::uint8_t kIcmpEcho = 8;
inline constexpr std::uint8_t kIcmpEchoReply = 0;
inline constexpr std::uint8_t kIcmpCodeAdminProhibited = 13;
inline constexpr std::uint8_t kIcmpCodePortUnreachable = 3;
inline constexpr std::uint8_t kIcmpV6Unreachable = 1;
inline constexpr std::uint8_t kIcmpV6TimeExceeded = 3;
inline constexpr std::uint8_t kIcmpV6Echo = 128;
inline constexpr std::uint8_t kIcmpV6EchoReply = 129;
inline constexpr std::uint8_t kIcmpV6CodeAdminProhibited = 1;
inline constexpr std::uint8_t kIcmpV6CodePortUnreachable = 4;

// True for error messages, whose payload quotes the packet that caused them.
[[nodiscard]] bool icmp_quotes_a_packet(Family family, std::uint8_t type) noexcept;

// The checksum of RFC 1071 over `bytes`; zero over bytes that hold a right one.
[[nodiscard]] std::uint16_t internet_checksum(BytesView bytes) noexcept;
// The same with the pseudo-header of RFC 9293 §3.1 and RFC 8200 §8.1 in front.
[[nodiscard]] std::uint16_t transport_checksum(const IpHeader& header, BytesView payload) noexcept;
// Whether the IPv4 header's and the transport's checksums are right. `packet` is whole and no
// fragment; a UDP checksum of zero over IPv4 means "none" and is right. Unknown protocols pass.
[[nodiscard]] bool checksums_hold(BytesView packet) noexcept;

}  // namespace kua::wire
