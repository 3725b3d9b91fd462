// Observations as lines for people: one a step, in a tree by host, with times and what was seen.
#pragma once

#include <cstdint>
#include <string>

#include "measurement/observation.h"
#include "measurement/verdict.h"
#include "probe/cli/terminal.h"

namespace kua::probe {

// Keeps track of the host and the role of the step before, so that headings come once.
class StepView {
 public:
  explicit StepView(const Terminal& terminal) : terminal_(terminal) {}
  // One or two lines, each ended by a newline; empty for kinds that people need not see.
  [[nodiscard]] std::string line(const Observation& observation);

 private:
  [[nodiscard]] std::string heading(const StepContext& context);
  Terminal terminal_;
  std::string host_;
  StepRole role_ = StepRole::main;
  bool begun_ = false;
};

// "blocked", "ok" … in its colour, padded to the width of the longest.
[[nodiscard]] std::string state_word(const Terminal& terminal, State state);
// "12.3 ms", "1.52 s"
[[nodiscard]] std::string duration_text(Microseconds duration);
// A failure's code in words: "timed out", "connection reset".
[[nodiscard]] std::string failure_text(const Failure& failure);

}  // namespace kua::probe
