#include "wire/ip_builder.h"

#include <algorithm>

#include "measurement/check.h"

namespace kua::wire {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kIcmpHeaderBytes = 8;
constexpr std::size_t kTcpHeaderBytes = 20;
constexpr std::size_t kTcpOptionsBytesMax = 40;
constexpr std::size_t kIcmpErrorBytesMax = 576;     // RFC 1812 §4.3.2.3
constexpr std::size_t kIcmpV6ErrorBytesMax = 1280;  // RFC 4443 §2.4

Bytes ip_header(const IpHeader& header, std::size_t payload_bytes) {
  KUA_CHECK(header.source.family() == header.destination.family());
  Bytes out;
  if (header.source.family() == Family::ip6) {
    KUA_CHECK(payload_bytes <= 0xffff);
    out.reserve(kIpv6HeaderBytes + payload_bytes);
    put_u32(out, 0x60000000u | static_cast<std::uint32_t>(header.traffic_class) << 20);
    put_u16(out, static_cast<std::uint16_t>(payload_bytes));
    put_u8(out, header.protocol);
    put_u8(out, header.hop_limit);
    put_bytes(out, header.source.bytes());
    put_bytes(out, header.destination.bytes());
    return out;
  }
  const std::size_t total_bytes = kIpv4HeaderBytes + payload_bytes;
  KUA_CHECK(total_bytes <= 0xffff);
  out.reserve(total_bytes);
  put_u8(out, 0x45);
  put_u8(out, header.traffic_class);
  put_u16(out, static_cast<std::uint16_t>(total_bytes));
  put_u16(out, header.identification);
  put_u16(out, header.dont_fragment ? 0x4000 : 0);
  put_u8(out, header.hop_limit);
  put_u8(out, header.protocol);
  put_u16(out, 0);
  put_bytes(out, header.source.bytes());
  put_bytes(out, header.destination.bytes());
  set_u16(out, 10, internet_checksum(out));
  return out;
}

// Appends `payload` to its header and writes the checksum into it at `checksum_at`.
Bytes join(const IpHeader& header, Bytes payload, std::size_t checksum_at) {
  std::uint16_t checksum = header.protocol == kProtocolIcmp ? internet_checksum(payload)
                                                            : transport_checksum(header, payload);
  // RFC 768: a computed zero is sent as ones, since zero means that there is no checksum.
  if (header.protocol == kProtocolUdp && checksum == 0) checksum = 0xffff;
  set_u16(payload, checksum_at, checksum);
  Bytes out = ip_header(header, payload.size());
  put_bytes(out, payload);
  return out;
}

struct IcmpTypeAndCode {
  std::uint8_t type;
  std::uint8_t code;
};

IcmpTypeAndCode type_and_code(IcmpError error, Family family) {
  const bool four = family == Family::ip4;
  switch (error) {
    case IcmpError::time_exceeded:
      return {four ? kIcmpTimeExceeded : kIcmpV6TimeExceeded, 0};
    case IcmpError::admin_prohibited:
      return four ? IcmpTypeAndCode{kIcmpUnreachable, kIcmpCodeAdminProhibited}
                  : IcmpTypeAndCode{kIcmpV6Unreachable, kIcmpV6CodeAdminProhibited};
    case IcmpError::port_unreachable:
      return four ? IcmpTypeAndCode{kIcmpUnreachable, kIcmpCodePortUnreachable}
                  : IcmpTypeAndCode{kIcmpV6Unreachable, kIcmpV6CodePortUnreachable};
  }
  KUA_CHECK(false);
}

}  // namespace

Bytes encode_tcp(IpHeader header, const TcpSegment& segment) {
  KUA_CHECK(segment.options.size() % 4 == 0 && segment.options.size() <= kTcpOptionsBytesMax);
  header.protocol = kProtocolTcp;
  Bytes out;
  out.reserve(kTcpHeaderBytes + segment.options.size() + segment.payload.size());
  put_u16(out, segment.source_port);
  put_u16(out, segment.destination_port);
  put_u32(out, segment.sequence);
  put_u32(out, segment.acknowledgement);
  put_u8(out, static_cast<std::uint8_t>((kTcpHeaderBytes + segment.options.size()) / 4 << 4));
  put_u8(out, segment.flags);
  put_u16(out, segment.window);
  put_u16(out, 0);
  put_u16(out, segment.urgent);
  put_bytes(out, segment.options);
  put_bytes(out, segment.payload);
  return join(header, std::move(out), 16);
}

Bytes encode_udp(IpHeader header, const UdpDatagram& datagram) {
  KUA_CHECK(datagram.payload.size() <= 0xffff - 8);
  header.protocol = kProtocolUdp;
  Bytes out;
  out.reserve(8 + datagram.payload.size());
  put_u16(out, datagram.source_port);
  put_u16(out, datagram.destination_port);
  put_u16(out, static_cast<std::uint16_t>(8 + datagram.payload.size()));
  put_u16(out, 0);
  put_bytes(out, datagram.payload);
  return join(header, std::move(out), 6);
}

Bytes encode_icmp(IpHeader header, const IcmpMessage& message) {
  header.protocol = header.source.family() == Family::ip4 ? kProtocolIcmp : kProtocolIcmpV6;
  Bytes out;
  out.reserve(kIcmpHeaderBytes + message.payload.size());
  put_u8(out, message.type);
  put_u8(out, message.code);
  put_u16(out, 0);
  put_u32(out, message.rest);
  put_bytes(out, message.payload);
  return join(header, std::move(out), 2);
}

Bytes encode_icmp_error(const IpAddress& router, std::uint8_t hop_limit, IcmpError error,
                        BytesView offending) {
  const auto packet = decode_ip(offending, Extent::cut);
  KUA_CHECK(packet && packet->header.source.family() == router.family());
  const bool four = router.family() == Family::ip4;
  const std::size_t quoted_max = four ? kIcmpErrorBytesMax - kIpv4HeaderBytes - kIcmpHeaderBytes
                                      : kIcmpV6ErrorBytesMax - kIpv6HeaderBytes - kIcmpHeaderBytes;
  const auto [type, code] = type_and_code(error, router.family());
  IpHeader header;
  header.source = router;
  header.destination = packet->header.source;
  header.hop_limit = hop_limit;
  header.dont_fragment = false;
  IcmpMessage message;
  message.type = type;
  message.code = code;
  message.payload = offending.first(std::min(offending.size(), quoted_max));
  return encode_icmp(header, message);
}

IpHeader answer_to(const IpHeader& seen, std::uint8_t hop_limit) {
  IpHeader out;
  out.source = seen.destination;
  out.destination = seen.source;
  out.protocol = seen.protocol;
  out.hop_limit = hop_limit;
  return out;
}

TcpSegment answer_to(const TcpSegment& seen, std::uint8_t flags) {
  TcpSegment out;
  out.source_port = seen.destination_port;
  out.destination_port = seen.source_port;
  out.sequence = (seen.flags & kTcpAck) != 0 ? seen.acknowledgement : 0;
  out.acknowledgement = seen.sequence + seen.sequence_length();
  out.flags = flags;
  return out;
}

bool decrement_hop_limit(std::span<std::uint8_t> packet) noexcept {
  if (packet.empty()) return false;
  if (packet[0] >> 4 == 6) {
    if (packet.size() < kIpv6HeaderBytes || packet[7] <= 1) return false;
    --packet[7];
    return true;
  }
  if (packet[0] >> 4 != 4 || packet.size() < kIpv4HeaderBytes || packet[8] <= 1) return false;
  const std::uint16_t before = static_cast<std::uint16_t>(packet[8] << 8 | packet[9]);
  --packet[8];
  const std::uint16_t after = static_cast<std::uint16_t>(packet[8] << 8 | packet[9]);
  const std::uint16_t checksum = static_cast<std::uint16_t>(packet[10] << 8 | packet[11]);
  // RFC 1624 equation 3: HC' = ~(~HC + ~m + m').
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
  sum += static_cast<std::uint16_t>(~before);
  sum += after;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  set_u16(packet, 10, static_cast<std::uint16_t>(~sum));
  return true;
}

}  // namespace kua::wire
