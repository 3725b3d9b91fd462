#include "tests/lab/forwarder/rewrite.h"

#include <algorithm>

#include "wire/ip_builder.h"
#include "wire/ip_packet.h"

namespace kua::lab {
namespace {

constexpr std::size_t kIpv4SourceAt = 12;
constexpr std::size_t kIpv6SourceAt = 8;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kIcmpHeaderBytes = 8;
constexpr std::uint8_t kHopLimit = 64;

// Replaces in one IP header; `packet` may be cut behind it. Returns the header's length, 0 if it is not
// of the family or not whole.
std::size_t replace_in_header(std::span<std::uint8_t> packet, const IpAddress& from,
                              const IpAddress& to) {
  const bool four = from.family() == Family::ip4;
  if (packet.empty() || packet[0] >> 4 != (four ? 4 : 6)) return 0;
  const std::size_t header_bytes = four ? std::size_t{packet[0] & 0xfu} * 4 : kIpv6HeaderBytes;
  const std::size_t width = from.bytes().size();
  if (packet.size() < header_bytes || header_bytes < 20) return 0;
  for (std::size_t side = 0; side < 2; ++side) {
    const auto place = packet.subspan((four ? kIpv4SourceAt : kIpv6SourceAt) + side * width, width);
    if (std::ranges::equal(place, from.bytes())) std::ranges::copy(to.bytes(), place.begin());
  }
  if (four) {
    wire::set_u16(packet, 10, 0);
    wire::set_u16(packet, 10, wire::internet_checksum(packet.first(header_bytes)));
  }
  return header_bytes;
}

// Computes the transport's checksum anew where the packet is whole and no fragment.
void mend_checksum(std::span<std::uint8_t> packet) {
  const auto decoded = wire::decode_ip(packet);
  if (!decoded || decoded->header.fragment_offset != 0 || decoded->header.more_fragments) return;
  const std::size_t begin = static_cast<std::size_t>(decoded->payload.data() - packet.data());
  const auto payload = packet.subspan(begin, decoded->payload.size());
  std::size_t at = 0;
  switch (decoded->header.protocol) {
    case wire::kProtocolTcp: at = 16; break;
    case wire::kProtocolUdp: at = 6; break;
    case wire::kProtocolIcmp:
    case wire::kProtocolIcmpV6: at = 2; break;
    default: return;
  }
  if (payload.size() < at + 2) return;
  wire::set_u16(payload, at, 0);
  std::uint16_t checksum = decoded->header.protocol == wire::kProtocolIcmp
                               ? wire::internet_checksum(payload)
                               : wire::transport_checksum(decoded->header, payload);
  if (decoded->header.protocol == wire::kProtocolUdp && checksum == 0) checksum = 0xffff;
  wire::set_u16(payload, at, checksum);
}

}  // namespace

void replace_address(wire::Bytes& packet, const IpAddress& from, const IpAddress& to) {
  if (from.family() != to.family()) return;
  const std::size_t header_bytes = replace_in_header(packet, from, to);
  if (header_bytes == 0) return;
  const auto decoded = wire::decode_ip(packet);
  if (!decoded) return;
  const bool is_icmp = decoded->header.protocol == wire::kProtocolIcmp ||
                       decoded->header.protocol == wire::kProtocolIcmpV6;
  if (is_icmp && decoded->payload.size() > kIcmpHeaderBytes &&
      wire::icmp_quotes_a_packet(from.family(), decoded->payload[0])) {
    const std::size_t quote =
        static_cast<std::size_t>(decoded->payload.data() - packet.data()) + kIcmpHeaderBytes;
    replace_in_header(std::span(packet).subspan(quote), from, to);
  }
  mend_checksum(packet);
}

void replace_port(wire::Bytes& packet, PortSide side, std::uint16_t to) {
  const auto decoded = wire::decode_ip(packet);
  if (!decoded || decoded->payload.size() < 4 ||
      (decoded->header.protocol != wire::kProtocolTcp && decoded->header.protocol != wire::kProtocolUdp)) {
    return;
  }
  const std::size_t begin = static_cast<std::size_t>(decoded->payload.data() - packet.data());
  wire::set_u16(packet, begin + (side == PortSide::source ? 0 : 2), to);
  mend_checksum(packet);
}

std::optional<wire::Bytes> idle_host_answer(wire::BytesView packet) {
  const auto decoded = wire::decode_ip(packet);
  if (!decoded || decoded->header.fragment_offset != 0) return std::nullopt;
  const wire::IpHeader header = wire::answer_to(decoded->header, kHopLimit);
  if (decoded->header.protocol == wire::kProtocolTcp) {
    const auto segment = wire::decode_tcp(decoded->payload);
    if (!segment || (segment->flags & wire::kTcpRst) != 0) return std::nullopt;
    return wire::encode_tcp(header, wire::answer_to(*segment, wire::kTcpRst | wire::kTcpAck));
  }
  if (decoded->header.protocol == wire::kProtocolUdp) {
    return wire::encode_icmp_error(decoded->header.destination, kHopLimit,
                                   wire::IcmpError::port_unreachable, packet);
  }
  auto message = wire::decode_icmp(decoded->payload);
  if (!message) return std::nullopt;
  const bool four = decoded->header.source.family() == Family::ip4;
  if (message->type != (four ? wire::kIcmpEcho : wire::kIcmpV6Echo)) return std::nullopt;
  message->type = four ? wire::kIcmpEchoReply : wire::kIcmpV6EchoReply;
  return wire::encode_icmp(header, *message);
}

}  // namespace kua::lab
