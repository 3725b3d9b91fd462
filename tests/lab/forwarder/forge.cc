#include "tests/lab/forwarder/forge.h"

#include <algorithm>

#include "measurement/check.h"
#include "wire/ip_builder.h"

namespace kua::lab {
namespace {

constexpr std::uint8_t kResetFlags = wire::kTcpRst | wire::kTcpAck;
constexpr std::size_t kSegmentBytesMax = 1200;  // fits every path, IPv6's smallest included
constexpr std::uint32_t kForgedTtlSeconds = 300;

wire::IpHeader marked(wire::IpHeader header, ForgerMark mark) {
  header.hop_limit = mark.hop_limit;
  header.identification = mark.identification;
  header.dont_fragment = false;
  return header;
}

Toward back(Toward toward) { return toward == Toward::world ? Toward::probe : Toward::world; }

// A reset that goes the way of the packet seen, in its sender's name.
Injection reset_onward(const Sight& seen, Original original, ForgerMark mark) {
  wire::TcpSegment segment = *seen.tcp();
  if (original == Original::passed) segment.sequence += segment.sequence_length();
  segment.flags = kResetFlags;
  segment.window = 0;
  segment.options = {};
  segment.payload = {};
  return {wire::encode_tcp(marked(seen.header, mark), segment), seen.toward};
}

Injection reset_back(const Sight& seen, ForgerMark mark) {
  const wire::TcpSegment segment = wire::answer_to(*seen.tcp(), kResetFlags);
  const wire::IpHeader header = marked(wire::answer_to(seen.header, mark.hop_limit), mark);
  return {wire::encode_tcp(header, segment), back(seen.toward)};
}

bool opens_a_connection(const wire::TcpSegment& segment) {
  return (segment.flags & wire::kTcpSyn) != 0 && (segment.flags & wire::kTcpAck) == 0;
}

}  // namespace

std::vector<Injection> forge_resets(const Sight& seen, Original original, ForgerMark mark) {
  KUA_CHECK(seen.tcp() != nullptr);
  std::vector<Injection> out{reset_back(seen, mark)};
  // Nobody behind the box knows of a connection whose SYN was swallowed.
  const bool unknown_ahead = opens_a_connection(*seen.tcp()) && original == Original::swallowed;
  if (!unknown_ahead) out.push_back(reset_onward(seen, original, mark));
  return out;
}

Injection forge_refusal(const Sight& seen, ForgerMark mark) {
  KUA_CHECK(seen.tcp() != nullptr);
  return reset_back(seen, mark);
}

std::vector<Injection> forge_ending(const Sight& seen, wire::BytesView payload, ForgerMark mark) {
  KUA_CHECK(seen.tcp() != nullptr);
  std::vector<Injection> out;
  wire::TcpSegment segment = wire::answer_to(*seen.tcp(), wire::kTcpAck);
  segment.window = 0xffff;
  const wire::IpHeader header = marked(wire::answer_to(seen.header, mark.hop_limit), mark);
  do {
    segment.payload = payload.first(std::min(payload.size(), kSegmentBytesMax));
    payload = payload.subspan(segment.payload.size());
    segment.flags = wire::kTcpAck;
    if (!segment.payload.empty()) segment.flags |= wire::kTcpPsh;
    if (payload.empty()) segment.flags |= wire::kTcpFin;
    out.push_back({wire::encode_tcp(header, segment), back(seen.toward)});
    segment.sequence += static_cast<std::uint32_t>(segment.payload.size());
  } while (!payload.empty());
  return out;
}

Injection forge_hang_up(const Sight& seen, Original original, ForgerMark mark) {
  KUA_CHECK(seen.tcp() != nullptr);
  return reset_onward(seen, original, mark);
}

std::optional<Injection> forge_dns_answer(const Sight& seen, const wire::DnsMessage& query,
                                          const ForgeDns& act, ForgerMark mark) {
  const wire::UdpDatagram* datagram = seen.udp();
  KUA_CHECK(datagram != nullptr && !query.questions.empty());
  const wire::DnsQuestion& question = query.questions.front();
  if (question.type != wire::kDnsTypeA && question.type != wire::kDnsTypeAaaa) return std::nullopt;
  const Family family = question.type == wire::kDnsTypeA ? Family::ip4 : Family::ip6;
  wire::DnsMessage reply =
      wire::reply_to(query, act.nxdomain ? wire::kDnsNxDomain : wire::kDnsNoError);
  reply.header.recursion_available = true;
  for (const IpAddress& address : act.addresses) {
    if (address.family() != family) continue;
    wire::DnsRecord record;
    record.name = question.name;
    record.type = question.type;
    record.ttl_seconds = kForgedTtlSeconds;
    record.data = address;
    reply.answers.push_back(std::move(record));
  }
  const auto bytes = wire::encode_dns(reply);
  if (!bytes) return std::nullopt;
  wire::UdpDatagram answer{datagram->destination_port, datagram->source_port, *bytes};
  const wire::IpHeader header = marked(wire::answer_to(seen.header, mark.hop_limit), mark);
  return Injection{wire::encode_udp(header, answer), back(seen.toward)};
}

}  // namespace kua::lab
