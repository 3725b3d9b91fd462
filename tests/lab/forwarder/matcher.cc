#include "tests/lab/forwarder/matcher.h"

#include <algorithm>

#include "wire/http_head.h"

namespace kua::lab {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::size_t kDnsTcpLengthBytes = 2;  // RFC 1035 §4.2.2

std::optional<wire::DnsMessage> query_in(const Sight& sight) {
  if (sight.key.remote_port != kDnsPort) return std::nullopt;
  wire::BytesView payload;
  if (const wire::UdpDatagram* datagram = sight.udp()) {
    payload = datagram->payload;
  } else if (const wire::TcpSegment* segment = sight.tcp();
             segment != nullptr && segment->payload.size() > kDnsTcpLengthBytes) {
    payload = segment->payload.subspan(kDnsTcpLengthBytes);
  }
  if (payload.empty()) return std::nullopt;
  auto message = wire::decode_dns(payload);
  if (!message || message->header.is_reply || message->questions.empty()) return std::nullopt;
  return std::move(*message);
}

template <typename Seen>
bool fails(const std::optional<NamePattern>& wanted, const Seen& seen) {
  return wanted && !(seen && wanted->matches(*seen));
}

bool contains(wire::BytesView payload, std::string_view needle) {
  return wire::as_text(payload).find(needle) != std::string_view::npos;
}

bool matches_far_end(const Match& match, const Sight& sight) {
  if (match.address && !match.address->contains(sight.key.remote)) return false;
  if (match.port && (sight.key.remote_port != *match.port || sight.icmp() != nullptr)) return false;
  return !match.protocol || *match.protocol == Protocol::all || *match.protocol == sight.protocol();
}

}  // namespace

NamesSeen names_in(const Sight& sight, const Flow& flow) {
  NamesSeen names;
  if (sight.toward == Toward::probe) return names;
  names.query = query_in(sight);
  if (names.query) names.qname = names.query->questions.front().name;
  if (const wire::TcpSegment* segment = sight.tcp(); segment != nullptr && !segment->payload.empty()) {
    const bool carries_first_name = flow.client.within(segment->sequence, flow.name_bytes);
    if (carries_first_name) {
      names.sni = flow.sni;
      names.host = flow.host;
    } else if (const auto later = wire::decode_http_request(segment->payload)) {
      names.host = later->host();  // a further request on a kept-alive connection
    }
  } else if (sight.udp() != nullptr) {
    names.quic_sni = flow.quic_sni;
  }
  return names;
}

bool matches(const Match& match, const Sight& sight, const NamesSeen& names) {
  if (!matches_far_end(match, sight)) return false;
  if (fails(match.qname, names.qname) || fails(match.sni, names.sni) ||
      fails(match.host, names.host) || fails(match.quic_sni, names.quic_sni)) {
    return false;
  }
  if (match.contains) {
    const wire::TcpSegment* segment = sight.tcp();
    if (segment == nullptr || sight.toward == Toward::probe) return false;
    return contains(segment->payload, *match.contains);
  }
  return true;
}

bool applies_to(const Act& act, const Sight& sight, const NamesSeen& names) {
  const wire::TcpSegment* segment = sight.tcp();
  const bool outward = sight.toward == Toward::world;
  const bool client_data = outward && segment != nullptr && !segment->payload.empty();
  if (std::holds_alternative<ForgeDns>(act)) return names.query && sight.udp() != nullptr;
  if (std::holds_alternative<Fin>(act) || std::holds_alternative<Alert>(act) ||
      std::holds_alternative<BlockPage>(act)) {
    return client_data;
  }
  if (std::holds_alternative<Mitm>(act)) {
    return client_data || (outward && segment != nullptr && (segment->flags & wire::kTcpSyn) != 0);
  }
  if (std::holds_alternative<Refuse>(act) || std::holds_alternative<IcmpProhibited>(act)) return outward;
  return true;
}

}  // namespace kua::lab
