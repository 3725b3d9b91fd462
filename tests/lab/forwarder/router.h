// The whole path as one pure machine: packets go in at an end with an instant, and come out at ends, now
// or when time has passed. Four hops with addresses of their own, the censor on them, the line in front.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "tests/lab/forwarder/censor.h"
#include "tests/lab/forwarder/gateway.h"
#include "tests/lab/forwarder/line.h"
#include "tests/lab/forwarder/plan.h"

namespace kua::lab {

enum class EndKind : std::uint8_t { home, tunnel, control, world };

struct End {
  EndKind kind = EndKind::world;
  std::size_t home = 0;  // which home, for home and tunnel
  friend bool operator==(const End&, const End&) = default;
};

struct Delivery {
  End end;
  wire::Bytes packet;
};

class Router {
 public:
  // Borrows the plan, which outlives it.
  explicit Router(const Plan& plan);

  void start(MonotonicTime now);  // the run begins: rules and outages count from here
  void accept(End from, wire::Bytes packet, MonotonicTime now);
  // When run_due has something to do next.
  [[nodiscard]] std::optional<MonotonicTime> next_due() const;
  void run_due(MonotonicTime now);
  // What has come out since the last call, in order.
  [[nodiscard]] std::vector<Delivery> take_deliveries();

 private:
  // A packet between two stations. Outward it visits hops 1 to 4 and then the world, inward 4 to 1, the
  // line, and home.
  struct Transit {
    wire::Bytes packet;
    Toward toward = Toward::world;
    std::size_t home = 0;
    int hop = 1;
  };
  struct Waiting {
    MonotonicTime due;
    std::uint64_t order = 0;
    Transit transit;
  };
  struct Later {
    bool operator()(const Waiting& left, const Waiting& right) const {
      return left.due != right.due ? left.due > right.due : left.order > right.order;
    }
  };

  void from_home(std::size_t home, wire::Bytes packet, MonotonicTime now);
  void from_world(wire::Bytes packet, MonotonicTime now);
  void from_control(wire::Bytes packet);
  void travel(Transit transit, MonotonicTime now);
  // One hop; nullopt when the packet ended or waits there.
  [[nodiscard]] std::optional<Transit> visit(Transit transit, MonotonicTime now);
  void send_from_hop(int hop, Toward toward, std::size_t home, wire::Bytes packet, MonotonicTime now);
  void wait(Transit transit, MonotonicTime due);
  void cross_line_inward(Transit transit, MonotonicTime now);
  void deliver_world(wire::Bytes packet);
  void deliver_home(std::size_t home, wire::Bytes packet);
  void deliver(End end, wire::Bytes packet) { deliveries_.push_back({end, std::move(packet)}); }
  [[nodiscard]] bool is_collector(const IpAddress& address) const;

  const Plan& plan_;
  std::vector<std::unique_ptr<Gateway>> gateways_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::array<std::unique_ptr<Censor>, kHops> censors_;  // empty where a hop has no rule
  std::priority_queue<Waiting, std::vector<Waiting>, Later> waiting_;
  std::uint64_t order_ = 0;
  bool started_ = false;
  std::vector<Delivery> deliveries_;
};

}  // namespace kua::lab
