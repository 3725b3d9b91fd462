#include "wire/ip_packet.h"

#include <algorithm>

#include "wire/limits.h"

namespace kua::wire {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kTcpHeaderBytes = 20;
constexpr std::size_t kUdpHeaderBytes = 8;

// Protocol numbers of IPv6 extension headers that have the usual (next, length) shape.
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint8_t kAuthentication = 51;

std::expected<IpPacket, PacketFault> decode_ipv4(BytesView packet, Extent extent) noexcept {
  ByteReader reader(packet);
  const std::size_t header_bytes = (reader.u8() & 0x0fu) * 4u;
  IpPacket out;
  out.header.traffic_class = reader.u8();
  const std::size_t total_bytes = reader.u16();
  out.header.identification = reader.u16();
  const std::uint16_t fragment = reader.u16();
  out.header.hop_limit = reader.u8();
  out.header.protocol = reader.u8();
  reader.skip(2);  // header checksum: see checksums_hold
  const BytesView source = reader.take(4);
  const BytesView destination = reader.take(4);
  if (reader.failed()) return std::unexpected(PacketFault::truncated);
  if (header_bytes < kIpv4HeaderBytes || total_bytes < header_bytes) {
    return std::unexpected(PacketFault::bad_length);
  }
  if (packet.size() < header_bytes || (extent == Extent::whole && packet.size() < total_bytes)) {
    return std::unexpected(PacketFault::truncated);
  }
  out.header.source = *IpAddress::from_bytes(source);
  out.header.destination = *IpAddress::from_bytes(destination);
  out.header.dont_fragment = (fragment & 0x4000) != 0;
  out.header.more_fragments = (fragment & 0x2000) != 0;
  out.header.fragment_offset = static_cast<std::uint16_t>((fragment & 0x1fff) * 8);
  out.payload = packet.first(std::min(packet.size(), total_bytes)).subspan(header_bytes);
  return out;
}

// Walks extension headers up to the first protocol that is none of them. A non-first fragment ends
// the walk: what follows it is the middle of something.
std::expected<void, PacketFault> skip_extensions(IpPacket& packet) noexcept {
  for (std::size_t count = 0; packet.header.fragment_offset == 0; ++count) {
    const std::uint8_t kind = packet.header.protocol;
    const bool usual = kind == kHopByHop || kind == kRouting || kind == kDestinationOptions;
    if (!usual && kind != kFragment && kind != kAuthentication) return {};
    if (count == kIpv6ExtensionHeadersMax) return std::unexpected(PacketFault::too_many_extensions);
    ByteReader reader(packet.payload);
    const std::uint8_t next = reader.u8();
    const std::size_t length = reader.u8();
    if (kind == kFragment) {
      const std::uint16_t fragment = reader.u16();
      reader.skip(4);
      if (reader.failed()) return std::unexpected(PacketFault::truncated);
      packet.header.fragment_offset = fragment & 0xfff8;
      packet.header.more_fragments = (fragment & 1) != 0;
    } else {
      // RFC 4302 §2.2 counts AH in words of four octets minus two, the others in eight minus one.
      const std::size_t bytes = kind == kAuthentication ? (length + 2) * 4 : (length + 1) * 8;
      reader.skip(bytes - 2);
      if (reader.failed()) return std::unexpected(PacketFault::truncated);
    }
    packet.header.protocol = next;
    packet.payload = reader.rest();
  }
  return {};
}

std::expected<IpPacket, PacketFault> decode_ipv6(BytesView packet, Extent extent) noexcept {
  ByteReader reader(packet);
  const std::uint32_t first = reader.u32();
  const std::size_t payload_bytes = reader.u16();
  IpPacket out;
  out.header.protocol = reader.u8();
  out.header.hop_limit = reader.u8();
  const BytesView source = reader.take(16);
  const BytesView destination = reader.take(16);
  if (reader.failed()) return std::unexpected(PacketFault::truncated);
  if (extent == Extent::whole && reader.remaining() < payload_bytes) {
    return std::unexpected(PacketFault::truncated);
  }
  out.header.traffic_class = static_cast<std::uint8_t>(first >> 20);
  out.header.source = *IpAddress::from_bytes(source);
  out.header.destination = *IpAddress::from_bytes(destination);
  out.header.dont_fragment = true;  // no router fragments IPv6
  out.payload = reader.rest().first(std::min(reader.remaining(), payload_bytes));
  if (const auto walked = skip_extensions(out); !walked) return std::unexpected(walked.error());
  return out;
}

// One's complement sum of 16-bit words, not yet folded; an odd last byte is padded with zero.
std::uint64_t sum_words(BytesView bytes, std::uint64_t sum) noexcept {
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2)
    sum += static_cast<std::uint64_t>(bytes[at] << 8 | bytes[at + 1]);
  if (at < bytes.size()) sum += static_cast<std::uint64_t>(bytes[at] << 8);
  return sum;
}

std::uint16_t fold(std::uint64_t sum) noexcept {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

const char* to_string(PacketFault fault) noexcept {
  switch (fault) {
    case PacketFault::truncated:
      return "truncated";
    case PacketFault::not_ip:
      return "not_ip";
    case PacketFault::bad_length:
      return "bad_length";
    case PacketFault::too_many_extensions:
      return "too_many_extensions";
  }
  return "truncated";
}

std::expected<IpPacket, PacketFault> decode_ip(BytesView packet, Extent extent) noexcept {
  if (packet.empty()) return std::unexpected(PacketFault::truncated);
  switch (packet[0] >> 4) {
    case 4:
      return decode_ipv4(packet, extent);
    case 6:
      return decode_ipv6(packet, extent);
    default:
      return std::unexpected(PacketFault::not_ip);
  }
}

std::uint32_t TcpSegment::sequence_length() const noexcept {
  return static_cast<std::uint32_t>(payload.size()) + ((flags & kTcpSyn) != 0 ? 1u : 0u) +
         ((flags & kTcpFin) != 0 ? 1u : 0u);
}

std::expected<TcpSegment, PacketFault> decode_tcp(BytesView payload, Extent extent) noexcept {
  ByteReader reader(payload);
  TcpSegment out;
  out.source_port = reader.u16();
  out.destination_port = reader.u16();
  out.sequence = reader.u32();
  if (reader.failed()) return std::unexpected(PacketFault::truncated);
  if (payload.size() < kTcpHeaderBytes && extent == Extent::cut) return out;
  out.acknowledgement = reader.u32();
  const std::size_t header_bytes = static_cast<std::size_t>(reader.u8() >> 4) * 4;
  out.flags = reader.u8();
  out.window = reader.u16();
  reader.skip(2);  // checksum: see checksums_hold
  out.urgent = reader.u16();
  if (reader.failed()) return std::unexpected(PacketFault::truncated);
  if (header_bytes < kTcpHeaderBytes) return std::unexpected(PacketFault::bad_length);
  if (payload.size() < header_bytes) {
    if (extent == Extent::cut) return out;
    return std::unexpected(PacketFault::truncated);
  }
  out.options = reader.take(header_bytes - kTcpHeaderBytes);
  out.payload = reader.rest();
  return out;
}

std::expected<UdpDatagram, PacketFault> decode_udp(BytesView payload, Extent extent) noexcept {
  ByteReader reader(payload);
  UdpDatagram out;
  out.source_port = reader.u16();
  out.destination_port = reader.u16();
  const std::size_t length = reader.u16();
  reader.skip(2);  // checksum: see checksums_hold
  if (reader.failed()) return std::unexpected(PacketFault::truncated);
  if (length < kUdpHeaderBytes) return std::unexpected(PacketFault::bad_length);
  const std::size_t body = length - kUdpHeaderBytes;
  if (extent == Extent::whole && reader.remaining() < body)
    return std::unexpected(PacketFault::truncated);
  out.payload = reader.rest().first(std::min(reader.remaining(), body));
  return out;
}

std::expected<IcmpMessage, PacketFault> decode_icmp(BytesView payload) noexcept {
  ByteReader reader(payload);
  IcmpMessage out;
  out.type = reader.u8();
  out.code = reader.u8();
  reader.skip(2);  // checksum: see checksums_hold
  out.rest = reader.u32();
  if (reader.failed()) return std::unexpected(PacketFault::truncated);
  out.payload = reader.rest();
  return out;
}

bool icmp_quotes_a_packet(Family family, std::uint8_t type) noexcept {
  if (family == Family::ip6) return type < 128;                            // RFC 4443 §2.1
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;  // RFC 792
}

std::uint16_t internet_checksum(BytesView bytes) noexcept { return fold(sum_words(bytes, 0)); }

std::uint16_t transport_checksum(const IpHeader& header, BytesView payload) noexcept {
  std::uint64_t sum = sum_words(header.source.bytes(), 0);
  sum = sum_words(header.destination.bytes(), sum);
  sum += header.protocol;
  sum += payload.size() & 0xffff;
  sum += payload.size() >> 16;
  return fold(sum_words(payload, sum));
}

bool checksums_hold(BytesView packet) noexcept {
  const auto ip = decode_ip(packet);
  if (!ip) return false;
  const bool four = ip->header.source.family() == Family::ip4;
  if (four && internet_checksum(packet.first((packet[0] & 0x0fu) * 4u)) != 0) return false;
  switch (ip->header.protocol) {
    case kProtocolTcp:
      return transport_checksum(ip->header, ip->payload) == 0;
    case kProtocolUdp: {
      const auto udp = decode_udp(ip->payload);
      if (!udp) return false;
      const BytesView datagram = ip->payload.first(kUdpHeaderBytes + udp->payload.size());
      const bool absent = datagram[6] == 0 && datagram[7] == 0;
      return absent ? four : transport_checksum(ip->header, datagram) == 0;
    }
    case kProtocolIcmp:
      return internet_checksum(ip->payload) == 0;
    case kProtocolIcmpV6:
      return transport_checksum(ip->header, ip->payload) == 0;
    default:
      return true;
  }
}

}  // namespace kua::wire
