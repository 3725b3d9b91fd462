#include "tests/lab/forwarder/flow.h"

#include <algorithm>

#include "tests/lab/forwarder/quic_initial.h"
#include "wire/client_hello.h"
#include "wire/http_head.h"

namespace kua::lab {
namespace {

using namespace std::chrono_literals;

// Long enough for any rest between a failure and its retry; a shorter one would forget residual facts.
constexpr Microseconds kFlowIdleMax = 10min;

std::int32_t distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}

bool is_syn(const wire::TcpSegment& segment) {
  return (segment.flags & wire::kTcpSyn) != 0 && (segment.flags & wire::kTcpAck) == 0;
}

void observe_client(Flow& flow, const wire::TcpSegment& segment, wire::BytesView packet) {
  if (is_syn(segment)) {
    flow.client.begin(segment.sequence + 1);
    flow.syn.emplace(packet.begin(), packet.end());
    return;
  }
  if (segment.payload.empty()) return;
  flow.client.add(segment.sequence, segment.payload);
  if (flow.name_bytes != 0) return;
  if (const auto hello = wire::decode_client_hello(flow.client.bytes())) {
    flow.sni = hello->server_name.value_or("");
    flow.name_bytes = hello->stream_bytes;
  } else if (const auto head = wire::decode_http_request(flow.client.bytes())) {
    flow.host = head->host().value_or("");
    flow.name_bytes = head->bytes;
  }
}

}  // namespace

void ClientStream::begin(std::uint32_t initial_sequence) {
  first_ = initial_sequence;
  next_ = initial_sequence;
  bytes_.clear();
  early_.clear();
}

void ClientStream::add(std::uint32_t sequence, wire::BytesView payload) {
  if (!next_) begin(sequence);  // a flow that was there before us: its first segment counts as first
  if (bytes_.size() >= kBytesMax) return;
  if (distance(*next_, sequence) > 0) {
    if (static_cast<std::size_t>(distance(*next_, sequence)) < kBytesMax) {
      early_.insert_or_assign(sequence, wire::Bytes(payload.begin(), payload.end()));
    }
    return;
  }
  const auto known = static_cast<std::size_t>(-distance(*next_, sequence));
  if (known < payload.size()) {
    wire::put_bytes(bytes_, payload.subspan(known));
    *next_ += static_cast<std::uint32_t>(payload.size() - known);
  }
  const auto follows = std::ranges::find_if(early_, [this](const auto& entry) {
    return distance(*next_, entry.first) <= 0;
  });
  if (follows != early_.end()) {
    const auto segment = early_.extract(follows);
    add(segment.key(), segment.mapped());
  }
}

bool ClientStream::within(std::uint32_t sequence, std::size_t length) const {
  const std::int32_t offset = distance(first_, sequence);
  return offset >= 0 && static_cast<std::size_t>(offset) < length;
}

Flow& FlowTable::find_or_make(const Sight& sight, MonotonicTime now) {
  const auto found = flows_.find(sight.key);
  if (found != flows_.end()) {
    Flow& flow = found->second;
    const wire::TcpSegment* segment = sight.tcp();
    const bool reused = segment != nullptr && sight.toward == Toward::world && is_syn(*segment) &&
                        flow.client.begun() && flow.client.first() != segment->sequence + 1;
    if (!reused) {
      flow.last_seen = now;
      return flow;
    }
    flows_.erase(found);
  }
  if (flows_.size() >= kFlowsMax) forget_idle(now);
  const std::uint64_t ordinal = counter_.next(sight.key.remote, sight.key.remote_port);
  Flow& flow = flows_.emplace(sight.key, Flow(ordinal)).first->second;
  flow.last_seen = now;
  return flow;
}

void FlowTable::forget_idle(MonotonicTime now) {
  std::erase_if(flows_, [now](const auto& entry) {
    return now - entry.second.last_seen > kFlowIdleMax;
  });
  if (flows_.size() >= kFlowsMax) flows_.clear();
}

void observe(Flow& flow, const Sight& sight, wire::BytesView packet) {
  if (const wire::TcpSegment* segment = sight.tcp()) {
    if (sight.toward == Toward::world) {
      observe_client(flow, *segment, packet);
      return;
    }
    if ((segment->flags & wire::kTcpSyn) != 0) flow.server_initial_sequence = segment->sequence;
    if (segment->payload.empty()) return;
    // By sequence number, so that a retransmission does not count twice.
    const std::int32_t end = distance(flow.server_initial_sequence + 1, segment->sequence) +
                             static_cast<std::int32_t>(segment->payload.size());
    if (end > 0) flow.server_bytes = std::max<std::uint64_t>(flow.server_bytes, static_cast<std::uint64_t>(end));
  } else if (const wire::UdpDatagram* datagram = sight.udp()) {
    if (sight.toward == Toward::probe) {
      flow.server_bytes += datagram->payload.size();
    } else if (!flow.quic_sni) {
      flow.quic_sni = quic_server_name(datagram->payload, flow.quic_crypto);
    }
  }
}

}  // namespace kua::lab
