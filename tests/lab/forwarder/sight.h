// One packet as a box on the path sees it: decoded once, with the probe's end and the far end told
// apart, so that rules need not think about directions.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <variant>

#include "measurement/address.h"
#include "tests/lab/forwarder/rule.h"
#include "wire/bytes.h"
#include "wire/ip_packet.h"

namespace kua::lab {

enum class Toward : std::uint8_t { world, probe };

struct FlowKey {
  IpAddress probe;
  IpAddress remote;
  std::uint16_t probe_port = 0;
  std::uint16_t remote_port = 0;
  std::uint8_t protocol = 0;  // IANA number
  friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

struct OtherTransport {};

// Borrows the packet it was made from.
struct Sight {
  wire::IpHeader header;
  std::variant<OtherTransport, wire::TcpSegment, wire::UdpDatagram, wire::IcmpMessage> transport;
  Toward toward = Toward::world;
  FlowKey key;

  [[nodiscard]] const wire::TcpSegment* tcp() const { return std::get_if<wire::TcpSegment>(&transport); }
  [[nodiscard]] const wire::UdpDatagram* udp() const { return std::get_if<wire::UdpDatagram>(&transport); }
  [[nodiscard]] const wire::IcmpMessage* icmp() const { return std::get_if<wire::IcmpMessage>(&transport); }
  [[nodiscard]] Protocol protocol() const;  // `all` for what is none of the three
};

// nullopt for what is no IP packet. A later fragment, and a transport that cannot be decoded, are seen
// as OtherTransport without ports.
[[nodiscard]] std::optional<Sight> look_at(wire::BytesView packet, Toward toward);

}  // namespace kua::lab
