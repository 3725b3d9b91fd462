// What a stateful box remembers of one flow: the client's first bytes in order, the names they carried,
// how much the server sent, and which rule holds it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "measurement/time.h"
#include "tests/lab/forwarder/chance.h"
#include "tests/lab/forwarder/pipe.h"
#include "tests/lab/forwarder/rule.h"
#include "tests/lab/forwarder/sight.h"

namespace kua::lab {

// The beginning of what a TCP client sent, put together from segments in any order. Keeps at most
// kBytesMax: names stand at the front.
class ClientStream {
 public:
  static constexpr std::size_t kBytesMax = 36 * 1024;  // a ClientHello of any size wire/ decodes

  void begin(std::uint32_t initial_sequence);
  void add(std::uint32_t sequence, wire::BytesView payload);
  [[nodiscard]] bool begun() const { return next_.has_value(); }
  [[nodiscard]] wire::BytesView bytes() const { return bytes_; }
  [[nodiscard]] std::uint32_t first() const { return first_; }  // sequence number of bytes()[0]
  // Whether a segment that begins at `sequence` lies within the first `length` bytes.
  [[nodiscard]] bool within(std::uint32_t sequence, std::size_t length) const;

 private:
  std::uint32_t first_ = 0;
  std::optional<std::uint32_t> next_;
  wire::Bytes bytes_;
  std::map<std::uint32_t, wire::Bytes> early_;  // segments that came before their turn
};

struct Flow {
  explicit Flow(std::uint64_t ordinal_in) : ordinal(ordinal_in) {}

  std::uint64_t ordinal;  // how many flows went to this address and port before
  ClientStream client;
  std::optional<std::string> sni;
  std::optional<std::string> host;  // of the first request
  std::size_t name_bytes = 0;       // of the stream, up to the end of what carried the name
  std::optional<std::string> quic_sni;
  std::map<std::uint64_t, wire::Bytes> quic_crypto;  // CRYPTO data of client Initials by offset
  std::optional<wire::Bytes> syn;                    // the client's, for a connection taken over
  std::uint32_t server_initial_sequence = 0;
  std::uint64_t server_bytes = 0;

  const Rule* held_by = nullptr;  // the rule whose act lasts for the flow
  bool dead = false;              // nothing of it passes any more
  std::map<std::size_t, bool> drawn;  // by rule number: whether its probability chose this flow
  std::optional<Chance> chance;       // losses of `held_by`
  std::optional<Pipe> pipe_to_probe;
  std::optional<Pipe> pipe_to_world;
  MonotonicTime last_seen{};
};

class FlowTable {
 public:
  // The flow of a packet, made when it is not there. A SYN with another initial sequence number begins
  // a new flow under the same ports.
  Flow& find_or_make(const Sight& sight, MonotonicTime now);

 private:
  static constexpr std::size_t kFlowsMax = 65536;
  void forget_idle(MonotonicTime now);

  std::map<FlowKey, Flow> flows_;
  FlowCounter counter_;
};

// Takes what a packet adds to its flow: stream bytes, names, counts.
void observe(Flow& flow, const Sight& sight, wire::BytesView packet);

}  // namespace kua::lab
