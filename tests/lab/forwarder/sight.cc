#include "tests/lab/forwarder/sight.h"

namespace kua::lab {
namespace {

void set_ports(Sight& sight, std::uint16_t source, std::uint16_t destination) {
  const bool outward = sight.toward == Toward::world;
  sight.key.probe_port = outward ? source : destination;
  sight.key.remote_port = outward ? destination : source;
}

void decode_transport(Sight& sight, wire::BytesView payload) {
  switch (sight.header.protocol) {
    case wire::kProtocolTcp:
      if (const auto segment = wire::decode_tcp(payload)) {
        set_ports(sight, segment->source_port, segment->destination_port);
        sight.transport = *segment;
      }
      return;
    case wire::kProtocolUdp:
      if (const auto datagram = wire::decode_udp(payload)) {
        set_ports(sight, datagram->source_port, datagram->destination_port);
        sight.transport = *datagram;
      }
      return;
    case wire::kProtocolIcmp:
    case wire::kProtocolIcmpV6:
      if (const auto message = wire::decode_icmp(payload)) sight.transport = *message;
      return;
    default: return;
  }
}

}  // namespace

Protocol Sight::protocol() const {
  if (tcp() != nullptr) return Protocol::tcp;
  if (udp() != nullptr) return Protocol::udp;
  return icmp() != nullptr ? Protocol::icmp : Protocol::all;
}

std::optional<Sight> look_at(wire::BytesView packet, Toward toward) {
  const auto decoded = wire::decode_ip(packet);
  if (!decoded) return std::nullopt;
  const wire::IpHeader& header = decoded->header;
  const bool outward = toward == Toward::world;
  Sight sight{header,
              OtherTransport{},
              toward,
              FlowKey{outward ? header.source : header.destination,
                      outward ? header.destination : header.source, 0, 0, header.protocol}};
  if (header.fragment_offset == 0 && !header.more_fragments) decode_transport(sight, decoded->payload);
  return sight;
}

}  // namespace kua::lab
