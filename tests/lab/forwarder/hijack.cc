#include "tests/lab/forwarder/hijack.h"

#include <algorithm>

#include "measurement/check.h"
#include "wire/ip_builder.h"

namespace kua::lab {
namespace {

constexpr std::size_t kSegmentBytesMax = 1200;
constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionPad = 1;
constexpr std::uint8_t kOptionSegmentSize = 2;
constexpr std::uint8_t kOptionWindowScale = 3;

// The options of a SYN that keep their meaning when the connection changes hands: sizes do, timestamps
// and selective acknowledgements belong to one pair of sequence spaces.
wire::Bytes portable_options(wire::BytesView options) {
  wire::Bytes out;
  std::size_t at = 0;
  while (at < options.size() && options[at] != kOptionEnd) {
    if (options[at] == kOptionPad) {
      ++at;
      continue;
    }
    if (at + 1 >= options.size() || options[at + 1] < 2 || at + options[at + 1] > options.size()) break;
    const std::size_t length = options[at + 1];
    if (options[at] == kOptionSegmentSize || options[at] == kOptionWindowScale) {
      wire::put_bytes(out, options.subspan(at, length));
    }
    at += length;
  }
  while (out.size() % 4 != 0) out.push_back(kOptionPad);
  return out;
}

wire::IpHeader between(const IpAddress& source, const IpAddress& destination, std::uint8_t hop_limit) {
  wire::IpHeader header;
  header.source = source;
  header.destination = destination;
  header.hop_limit = hop_limit;
  return header;
}

}  // namespace

HijackTable::Hijack& HijackTable::add(const FlowKey& original, const Endpoint& helper) {
  if (const auto old = by_flow_.find(original); old != by_flow_.end()) {
    by_port_.erase(old->second.port);
    by_flow_.erase(old);
  }
  Hijack hijack{original, helper, next_port_++, false, 0, 0, 0, {}};
  by_port_.insert_or_assign(hijack.port, original);
  return by_flow_.emplace(original, std::move(hijack)).first->second;
}

wire::Bytes HijackTable::take_at_syn(const Sight& syn, const Endpoint& helper) {
  add(syn.key, helper).answered = true;
  return *outward(syn);
}

std::optional<wire::Bytes> HijackTable::take_established(const Sight& seen, const Flow& flow,
                                                         const Endpoint& helper) {
  if (!flow.syn) return std::nullopt;
  const auto syn = look_at(*flow.syn, Toward::world);
  if (!syn || syn->tcp() == nullptr) return std::nullopt;
  Hijack& hijack = add(seen.key, helper);
  hijack.server_initial_sequence = flow.server_initial_sequence;
  hijack.client_first = flow.client.first();
  hijack.client_bytes.assign(flow.client.bytes().begin(), flow.client.bytes().end());
  const wire::Bytes options = portable_options(syn->tcp()->options);
  wire::TcpSegment segment = *syn->tcp();
  segment.source_port = hijack.port;
  segment.destination_port = helper.port;
  segment.options = options;
  segment.payload = {};
  return wire::encode_tcp(between(seen.key.probe, helper.address, seen.header.hop_limit), segment);
}

std::optional<wire::Bytes> HijackTable::outward(const Sight& seen) const {
  const auto found = by_flow_.find(seen.key);
  if (found == by_flow_.end() || !found->second.answered || seen.tcp() == nullptr) return std::nullopt;
  const Hijack& hijack = found->second;
  wire::IpHeader header = seen.header;
  header.destination = hijack.helper.address;
  wire::TcpSegment segment = *seen.tcp();
  segment.source_port = hijack.port;
  segment.destination_port = hijack.helper.port;
  if ((segment.flags & wire::kTcpAck) != 0) segment.acknowledgement -= hijack.shift;
  if (hijack.shift != 0) segment.options = {};  // what they say holds for the true server's numbers
  return wire::encode_tcp(header, segment);
}

std::optional<HijackTable::FromHelper> HijackTable::inward(const Sight& seen) {
  const wire::TcpSegment* segment = seen.tcp();
  if (segment == nullptr) return std::nullopt;
  const auto key = by_port_.find(seen.key.probe_port);
  if (key == by_port_.end()) return std::nullopt;
  Hijack& hijack = by_flow_.at(key->second);
  if (hijack.helper.address != seen.key.remote || hijack.helper.port != seen.key.remote_port ||
      hijack.original.probe != seen.key.probe) {
    return std::nullopt;
  }
  FromHelper out;
  if (!hijack.answered) {
    if ((segment->flags & wire::kTcpSyn) == 0) return out;
    hijack.answered = true;
    hijack.shift = hijack.server_initial_sequence - segment->sequence;
    out.to_helper = greet(hijack, *segment);
    return out;
  }
  wire::IpHeader header = seen.header;
  header.source = hijack.original.remote;
  wire::TcpSegment onward = *segment;
  onward.source_port = hijack.original.remote_port;
  onward.destination_port = hijack.original.probe_port;
  onward.sequence += hijack.shift;
  out.to_probe = wire::encode_tcp(header, onward);
  return out;
}

std::vector<wire::Bytes> HijackTable::greet(const Hijack& hijack, const wire::TcpSegment& syn_ack) const {
  std::vector<wire::Bytes> out;
  wire::TcpSegment segment;
  segment.source_port = hijack.port;
  segment.destination_port = hijack.helper.port;
  segment.sequence = hijack.client_first;
  segment.acknowledgement = syn_ack.sequence + 1;
  segment.flags = wire::kTcpAck;
  segment.window = 512;
  constexpr std::uint8_t kHopLimit = 64;
  const wire::IpHeader header = between(hijack.original.probe, hijack.helper.address, kHopLimit);
  out.push_back(wire::encode_tcp(header, segment));
  wire::BytesView rest = hijack.client_bytes;
  while (!rest.empty()) {
    segment.payload = rest.first(std::min(rest.size(), kSegmentBytesMax));
    segment.flags = wire::kTcpAck | wire::kTcpPsh;
    out.push_back(wire::encode_tcp(header, segment));
    segment.sequence += static_cast<std::uint32_t>(segment.payload.size());
    rest = rest.subspan(segment.payload.size());
  }
  return out;
}

}  // namespace kua::lab
