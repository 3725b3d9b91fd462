// Packets: every view lies inside the bytes it was made from, what is built again decodes to the
// same, and a router's work on a packet keeps its checksums.
#include "wire/ip_packet.h"

#include <algorithm>

#include "measurement/check.h"
#include "wire/ip_builder.h"

using namespace kua;
using namespace kua::wire;

namespace {

void lies_inside(BytesView inner, BytesView outer) {
  if (inner.empty()) return;
  KUA_CHECK(inner.data() >= outer.data());
  KUA_CHECK(inner.data() + inner.size() <= outer.data() + outer.size());
}

// What the builder makes of `header` in every field it writes.
IpHeader as_built(IpHeader header) {
  header.more_fragments = false;
  header.fragment_offset = 0;
  if (header.source.family() == Family::ip6) header.identification = 0;
  return header;
}

void rebuilds(const IpPacket& packet, BytesView bytes) {
  const IpHeader expected = as_built(packet.header);
  Bytes again;
  if (packet.header.protocol == kProtocolTcp) {
    const auto tcp = decode_tcp(packet.payload);
    if (!tcp) return;
    lies_inside(tcp->options, bytes);
    lies_inside(tcp->payload, bytes);
    again = encode_tcp(packet.header, *tcp);
    const auto other = decode_tcp(decode_ip(again)->payload);
    KUA_CHECK(other->sequence == tcp->sequence && other->flags == tcp->flags);
    KUA_CHECK(std::ranges::equal(other->options, tcp->options));
    KUA_CHECK(std::ranges::equal(other->payload, tcp->payload));
  } else if (packet.header.protocol == kProtocolUdp) {
    const auto udp = decode_udp(packet.payload);
    if (!udp) return;
    lies_inside(udp->payload, bytes);
    again = encode_udp(packet.header, *udp);
    KUA_CHECK(std::ranges::equal(decode_udp(decode_ip(again)->payload)->payload, udp->payload));
  } else {
    return;
  }
  KUA_CHECK(decode_ip(again)->header == expected);
  KUA_CHECK(checksums_hold(again));
}

void quotes(const IpPacket& packet) {
  const auto icmp = decode_icmp(packet.payload);
  if (!icmp) return;
  lies_inside(icmp->payload, packet.payload);
  const auto quoted = decode_ip(icmp->payload, Extent::cut);
  if (!quoted) return;
  lies_inside(quoted->payload, packet.payload);
  static_cast<void>(decode_tcp(quoted->payload, Extent::cut));
  static_cast<void>(decode_udp(quoted->payload, Extent::cut));
}

void is_routed(BytesView bytes) {
  Bytes packet(bytes.begin(), bytes.end());
  const bool held = checksums_hold(packet);
  if (!decrement_hop_limit(packet)) {
    KUA_CHECK(std::ranges::equal(packet, bytes));
    return;
  }
  if (held) KUA_CHECK(checksums_hold(packet));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  is_routed(bytes);
  const auto cut = decode_ip(bytes, Extent::cut);
  const auto whole = decode_ip(bytes);
  if (whole) KUA_CHECK(cut && cut->header == whole->header);
  if (!cut) return 0;
  lies_inside(cut->payload, bytes);
  quotes(*cut);
  const Bytes error =
      encode_icmp_error(cut->header.destination, 64, IcmpError::time_exceeded, bytes);
  KUA_CHECK(checksums_hold(error));
  if (whole) rebuilds(*whole, bytes);
  return 0;
}
