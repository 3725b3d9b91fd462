#include "tests/lab/forwarder/nat64.h"

#include <algorithm>
#include <array>

#include "measurement/check.h"
#include "wire/ip_builder.h"
#include "wire/ip_packet.h"

namespace kua::lab {
namespace {

constexpr std::array<std::uint8_t, 12> kPrefix = {0, 0x64, 0xff, 0x9b};

std::optional<IpAddress> embedded(const IpAddress& address) {
  if (address.family() != Family::ip6) return std::nullopt;
  if (!std::ranges::equal(address.bytes().first(kPrefix.size()), kPrefix)) return std::nullopt;
  return IpAddress::from_bytes(address.bytes().subspan(kPrefix.size()));
}

wire::IpHeader with_addresses(wire::IpHeader header, const IpAddress& source, const IpAddress& destination) {
  header.source = source;
  header.destination = destination;
  return header;
}

// TCP and UDP keep their bytes, their checksums are computed anew over the other header.
std::optional<wire::Bytes> carry(const wire::IpHeader& header, std::uint8_t protocol,
                                 wire::BytesView payload) {
  if (protocol == wire::kProtocolTcp) {
    const auto segment = wire::decode_tcp(payload);
    if (segment) return wire::encode_tcp(header, *segment);
  } else if (protocol == wire::kProtocolUdp) {
    const auto datagram = wire::decode_udp(payload);
    if (datagram) return wire::encode_udp(header, *datagram);
  }
  return std::nullopt;
}

std::optional<wire::IcmpError> error_of(std::uint8_t type, std::uint8_t code) {
  if (type == wire::kIcmpTimeExceeded) return wire::IcmpError::time_exceeded;
  if (type != wire::kIcmpUnreachable) return std::nullopt;
  if (code == wire::kIcmpCodePortUnreachable) return wire::IcmpError::port_unreachable;
  return wire::IcmpError::admin_prohibited;
}

// An IPv6 header in front of the first bytes of a quoted packet's transport, which is all that its
// receiver needs to find the socket.
wire::Bytes quote_as_ip6(const wire::IpPacket& quoted, const IpAddress& inside) {
  wire::Bytes out;
  wire::put_u32(out, 0x60000000u);
  wire::put_u16(out, static_cast<std::uint16_t>(quoted.payload.size()));
  wire::put_u8(out, quoted.header.protocol == wire::kProtocolIcmp ? wire::kProtocolIcmpV6
                                                                  : quoted.header.protocol);
  wire::put_u8(out, quoted.header.hop_limit);
  wire::put_bytes(out, inside.bytes());
  wire::put_bytes(out, nat64_address(quoted.header.destination).bytes());
  wire::put_bytes(out, quoted.payload);
  return out;
}

std::optional<wire::Bytes> icmp_in(const wire::IpPacket& packet, const wire::IpHeader& header,
                                   const IpAddress& inside) {
  auto message = wire::decode_icmp(packet.payload);
  if (!message) return std::nullopt;
  if (message->type == wire::kIcmpEchoReply) {
    message->type = wire::kIcmpV6EchoReply;
    return wire::encode_icmp(header, *message);
  }
  const auto error = error_of(message->type, message->code);
  const auto quoted = wire::decode_ip(message->payload, wire::Extent::cut);
  if (!error || !quoted) return std::nullopt;
  return wire::encode_icmp_error(header.source, header.hop_limit, *error, quote_as_ip6(*quoted, inside));
}

}  // namespace

IpAddress nat64_address(const IpAddress& ip4) {
  KUA_CHECK(ip4.family() == Family::ip4);
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(kPrefix, bytes.begin());
  std::ranges::copy(ip4.bytes(), bytes.begin() + kPrefix.size());
  return *IpAddress::from_bytes(bytes);
}

std::optional<wire::Bytes> nat64_out(wire::BytesView packet, const IpAddress& inside,
                                     const IpAddress& outside) {
  const auto decoded = wire::decode_ip(packet);
  if (!decoded) return std::nullopt;
  const auto destination = embedded(decoded->header.destination);
  if (!destination) return wire::Bytes(packet.begin(), packet.end());
  if (decoded->header.source != inside || decoded->header.fragment_offset != 0) return std::nullopt;
  const wire::IpHeader header = with_addresses(decoded->header, outside, *destination);
  if (decoded->header.protocol == wire::kProtocolIcmpV6) {
    auto message = wire::decode_icmp(decoded->payload);
    if (!message || message->type != wire::kIcmpV6Echo) return std::nullopt;
    message->type = wire::kIcmpEcho;
    return wire::encode_icmp(header, *message);
  }
  return carry(header, decoded->header.protocol, decoded->payload);
}

std::optional<wire::Bytes> nat64_in(wire::BytesView packet, const IpAddress& inside) {
  const auto decoded = wire::decode_ip(packet);
  if (!decoded || decoded->header.source.family() != Family::ip4) return std::nullopt;
  const wire::IpHeader header =
      with_addresses(decoded->header, nat64_address(decoded->header.source), inside);
  if (decoded->header.protocol == wire::kProtocolIcmp) return icmp_in(*decoded, header, inside);
  return carry(header, decoded->header.protocol, decoded->payload);
}

}  // namespace kua::lab
