// The box on one hop that looks into packets. A state machine without I/O and without a clock: it is
// handed a packet and an instant, and says what becomes of the packet and what it adds of its own.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tests/lab/forwarder/flow.h"
#include "tests/lab/forwarder/forge.h"
#include "tests/lab/forwarder/hijack.h"
#include "tests/lab/forwarder/rule.h"

namespace kua::lab {

class Censor {
 public:
  struct Decision {
    enum class Fate { pass, swallow } fate = Fate::pass;
    std::optional<MonotonicTime> release;  // of a packet that passes, but not at once
    std::vector<Injection> injected;       // to be sent before the packet
  };

  // `rules` are those of this hop, in the order of the file; `routers` are the hop's own addresses, one
  // a family, from which it sends ICMP.
  Censor(std::vector<Rule> rules, std::vector<IpAddress> routers, std::uint16_t first_hijack_port);
  // Flows point at rules.
  Censor(const Censor&) = delete;
  Censor& operator=(const Censor&) = delete;

  // The run begins: `from` and `until` count from here. Before it they count as at 0.
  void start(MonotonicTime now) { started_ = now; }

  // May rewrite `packet`, of a connection that was taken over.
  [[nodiscard]] Decision inspect(wire::Bytes& packet, Toward toward, MonotonicTime now);

 private:
  struct Residual {
    const Rule* rule;
    MonotonicTime until;
  };
  [[nodiscard]] bool active(const Rule& rule, MonotonicTime now) const;
  [[nodiscard]] static bool chosen(Flow& flow, const Rule& rule, const Sight& sight);
  [[nodiscard]] const Rule* find_rule(Flow& flow, const Sight& sight, const NamesSeen& names,
                                      MonotonicTime now) const;
  [[nodiscard]] const Rule* residual_rule(const Sight& sight, MonotonicTime now);
  [[nodiscard]] Decision apply(const Rule& rule, Flow& flow, const Sight& sight,
                               const NamesSeen& names);
  [[nodiscard]] Decision apply_residual(const Rule& rule, const Sight& sight);
  [[nodiscard]] Decision hold(Flow& flow, const Sight& sight, std::size_t bytes, MonotonicTime now);
  [[nodiscard]] Decision take_over(const Mitm& act, Flow& flow, const Sight& sight, Original original);
  [[nodiscard]] ForgerMark mark();
  [[nodiscard]] Decision prohibit(const Sight& sight, wire::BytesView packet) const;

  std::vector<Rule> rules_;
  std::vector<IpAddress> routers_;
  std::optional<MonotonicTime> started_;
  FlowTable flows_;
  std::map<std::pair<IpAddress, IpAddress>, Residual> residual_;  // by probe and far end
  HijackTable hijacks_;
  Chance identifications_;
  wire::BytesView packet_;  // the one under inspection
};

}  // namespace kua::lab
