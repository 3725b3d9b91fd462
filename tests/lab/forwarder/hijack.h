// Takes TCP connections over: the probe goes on talking to what it believes to be the far end, while a
// helper in the world answers. Used for forged certificates (in the middle of a connection, once the
// ClientHello is known) and for a captive portal (from the SYN on).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tests/lab/forwarder/flow.h"
#include "tests/lab/forwarder/sight.h"

namespace kua::lab {

class HijackTable {
 public:
  // `first_port` and the ports above it are the client ports that helpers see; each taker needs a range
  // of its own.
  explicit HijackTable(std::uint16_t first_port) : next_port_(first_port) {}

  // Takes over at a SYN, which is to be sent on as returned.
  [[nodiscard]] wire::Bytes take_at_syn(const Sight& syn, const Endpoint& helper);
  // Takes over an established connection: returns the SYN for the helper. What the client has sent so
  // far is kept, and sent to the helper when it has answered. nullopt if the flow's SYN was not seen.
  [[nodiscard]] std::optional<wire::Bytes> take_established(const Sight& seen, const Flow& flow,
                                                            const Endpoint& helper);

  [[nodiscard]] bool has(const FlowKey& key) const { return by_flow_.contains(key); }
  // A packet of the probe on a taken connection, as it goes on to the helper; nullopt while the helper
  // has not answered yet.
  [[nodiscard]] std::optional<wire::Bytes> outward(const Sight& seen) const;

  struct FromHelper {
    std::optional<wire::Bytes> to_probe;
    std::vector<wire::Bytes> to_helper;
  };
  // nullopt when the packet comes from no helper of ours.
  [[nodiscard]] std::optional<FromHelper> inward(const Sight& seen);

 private:
  struct Hijack {
    FlowKey original;
    Endpoint helper;
    std::uint16_t port = 0;
    bool answered = false;
    std::uint32_t shift = 0;  // true server's sequence numbers minus the helper's
    std::uint32_t server_initial_sequence = 0;
    std::uint32_t client_first = 0;
    wire::Bytes client_bytes;
  };
  Hijack& add(const FlowKey& original, const Endpoint& helper);
  [[nodiscard]] std::vector<wire::Bytes> greet(const Hijack& hijack, const wire::TcpSegment& syn_ack) const;

  std::uint16_t next_port_;
  std::map<FlowKey, Hijack> by_flow_;
  std::map<std::uint16_t, FlowKey> by_port_;
};

}  // namespace kua::lab
