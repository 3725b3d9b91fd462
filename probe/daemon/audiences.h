// The two who may be told what a running probe sees: the log, and a person who started it by hand.
#pragma once

#include "probe/cli/terminal.h"
#include "probe/daemon/parts.h"
#include "verdict/explain.h"

namespace kua::probe {

// Nothing but failures of ours goes into the log at `info`: a log is no list of what was tested.
class QuietAudience final : public Audience {
 public:
  explicit QuietAudience(platform::Log& log) : log_(log) {}
  void on_look(const LineLook& look) override;
  void on_measurement(const Measurement& measurement, const std::vector<Verdict>& verdicts) override;

 private:
  platform::Log& log_;
};

// `run --show`: one plain line for each change of the line and for each target.
class PlainAudience final : public Audience {
 public:
  PlainAudience(Terminal terminal, verdict::Language language) : terminal_(terminal), language_(language) {}
  void on_look(const LineLook& look) override;
  void on_measurement(const Measurement& measurement, const std::vector<Verdict>& verdicts) override;

 private:
  Terminal terminal_;
  verdict::Language language_;
  std::optional<LinkState> state_;
};

}  // namespace kua::probe
