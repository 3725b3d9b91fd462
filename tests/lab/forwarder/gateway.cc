#include "tests/lab/forwarder/gateway.h"

#include <algorithm>

#include "tests/lab/forwarder/forge.h"
#include "tests/lab/forwarder/nat64.h"
#include "tests/lab/forwarder/rewrite.h"
#include "wire/ip_builder.h"

namespace kua::lab {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kFirstHijackPort = 10000;
constexpr std::uint8_t kHopLimit = 64;

std::optional<wire::DnsMessage> question_of(const Sight& sight) {
  const wire::UdpDatagram* datagram = sight.udp();
  if (datagram == nullptr || datagram->destination_port != kDnsPort) return std::nullopt;
  auto query = wire::decode_dns(datagram->payload);
  if (!query || query->header.is_reply || query->questions.empty()) return std::nullopt;
  return std::move(*query);
}

// The box itself answers: nothing is forged about its hop limit.
std::optional<wire::Bytes> answer_with(const Sight& sight, const wire::DnsMessage& query,
                                       std::vector<IpAddress> addresses) {
  auto answer = forge_dns_answer(sight, query, ForgeDns{false, std::move(addresses)},
                                 ForgerMark{kHopLimit, 0});
  if (!answer) return std::nullopt;
  return std::move(answer->packet);
}

}  // namespace

Gateway::Gateway(const HomePlan& home, const Plan& plan)
    : home_(home), plan_(plan), captured_(kFirstHijackPort) {
  for (const std::string& name : plan.line.filter) filter_.emplace_back(name);
}

bool Gateway::is_own(const IpAddress& address) const {
  return address == home_.gateway4 || (home_.gateway6 && address == *home_.gateway6);
}

Gateway::Outward Gateway::outward(wire::Bytes packet) {
  Outward out;
  const auto sight = look_at(packet, Toward::world);
  if (!sight) return out;
  if (is_own(sight->header.destination)) {
    if (auto served = serve_dns(*sight, packet)) return std::move(*served);
    if (auto answer = idle_host_answer(packet)) out.to_probe.push_back(std::move(*answer));
    return out;
  }
  if (!wire::decrement_hop_limit(packet)) {
    const bool four = sight->header.source.family() == Family::ip4;
    if (four || home_.gateway6) {
      out.to_probe.push_back(wire::encode_icmp_error(four ? home_.gateway4 : *home_.gateway6, kHopLimit,
                                                     wire::IcmpError::time_exceeded, packet));
    }
    return out;
  }
  const bool to_collector = std::ranges::find(plan_.collectors, sight->header.destination) !=
                            plan_.collectors.end();
  if (plan_.line.captive && !to_collector) return capture(*sight, packet);
  out.onward = translate_out(std::move(packet));
  return out;
}

std::optional<Gateway::Outward> Gateway::serve_dns(const Sight& sight, wire::Bytes& packet) {
  const auto query = question_of(sight);
  if (!query || filter_.empty() || plan_.line.captive) return std::nullopt;
  Outward out;
  const bool filtered = std::ranges::any_of(filter_, [&](const NamePattern& pattern) {
    return pattern.matches(query->questions.front().name);
  });
  if (filtered) {
    auto answer = answer_with(sight, *query, {*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::")});
    if (answer) out.to_probe.push_back(std::move(*answer));
    return out;
  }
  // Any other name is asked of the provider, in the box's own name for the probe's eyes.
  const auto resolver = std::ranges::find_if(plan_.resolvers, [&](const IpAddress& address) {
    return address.family() == sight.header.destination.family();
  });
  if (resolver == plan_.resolvers.end()) return out;
  replace_address(packet, sight.header.destination, *resolver);
  out.onward = translate_out(std::move(packet));
  return out;
}

Gateway::Outward Gateway::capture(const Sight& sight, const wire::Bytes& packet) {
  Outward out;
  if (const auto query = question_of(sight)) {
    if (auto answer = answer_with(sight, *query, {plan_.portal.address})) {
      out.to_probe.push_back(std::move(*answer));
    }
    return out;
  }
  const wire::TcpSegment* segment = sight.tcp();
  const bool wants_http = segment != nullptr && segment->destination_port == kHttpPort &&
                          sight.header.source.family() == Family::ip4;
  if (wants_http) {
    const bool opens = (segment->flags & wire::kTcpSyn) != 0;
    auto taken = opens ? captured_.take_at_syn(sight, plan_.portal) : captured_.outward(sight);
    if (taken) out.onward = translate_out(std::move(*taken));
    return out;
  }
  if (auto refusal = idle_host_answer(packet)) {
    const bool is_echo = sight.icmp() != nullptr;
    if (!is_echo) out.to_probe.push_back(std::move(*refusal));
  }
  return out;
}

std::optional<wire::Bytes> Gateway::inward(wire::Bytes packet) {
  if (!wire::decrement_hop_limit(packet)) return std::nullopt;
  auto inside = translate_in(std::move(packet));
  if (!inside) return std::nullopt;
  const auto sight = look_at(*inside, Toward::probe);
  if (!sight) return std::nullopt;
  if (auto from_portal = captured_.inward(*sight)) return std::move(from_portal->to_probe);
  const wire::UdpDatagram* datagram = sight->udp();
  if (!filter_.empty() && datagram != nullptr && datagram->source_port == kDnsPort) {
    for (const IpAddress& resolver : plan_.resolvers) {
      if (resolver != sight->header.source) continue;
      const bool four = resolver.family() == Family::ip4;
      if (four || home_.gateway6) replace_address(*inside, resolver, four ? home_.gateway4 : *home_.gateway6);
    }
  }
  return inside;
}

std::optional<wire::Bytes> Gateway::translate_out(wire::Bytes packet) const {
  if (home_.inside4) {
    replace_address(packet, *home_.inside4, home_.public4);
    return packet;
  }
  if (plan_.line.nat64 && home_.inside6 && !packet.empty() && packet[0] >> 4 == 6) {
    return nat64_out(packet, *home_.inside6, home_.public4);
  }
  return packet;
}

std::optional<wire::Bytes> Gateway::translate_in(wire::Bytes packet) const {
  const bool four = !packet.empty() && packet[0] >> 4 == 4;
  if (!four) return packet;
  if (home_.inside4) {
    replace_address(packet, home_.public4, *home_.inside4);
    return packet;
  }
  if (plan_.line.nat64 && home_.inside6) return nat64_in(packet, *home_.inside6);
  return std::nullopt;
}

}  // namespace kua::lab
