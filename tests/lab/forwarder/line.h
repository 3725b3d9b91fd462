// The probe's own line between its gateway and hop 1: slow, lossy, or not there. It does the same to
// all traffic, and so may never lead to a verdict on a target.
#pragma once

#include <map>
#include <optional>

#include "tests/lab/forwarder/pipe.h"
#include "tests/lab/forwarder/plan.h"
#include "tests/lab/forwarder/sight.h"

namespace kua::lab {

class Line {
 public:
  // Borrows the plan, which outlives it.
  explicit Line(const Plan& plan);
  void start(MonotonicTime now) { started_ = now; }
  // When the packet comes out at the other side; nullopt: never.
  [[nodiscard]] std::optional<MonotonicTime> carry(wire::BytesView packet, Toward toward,
                                                   MonotonicTime now);

 private:
  [[nodiscard]] bool is_down(MonotonicTime now) const;
  [[nodiscard]] Chance& chance_of(const Sight& sight);

  const Plan& plan_;
  std::optional<MonotonicTime> started_;
  Pipe to_world_;
  Pipe to_probe_;
  std::map<FlowKey, Chance> chances_;
  FlowCounter counter_;
};

}  // namespace kua::lab
