// Told what the judge concluded, in order, on the collector's one state thread; must not block.
#pragma once

#include <vector>

#include "collector/ingest/received.h"
#include "measurement/verdict.h"

namespace kua::collector {

class JudgementSink {
 public:
  virtual ~JudgementSink() = default;
  // Any record, judged or not, right before its own event: the probe is alive.
  virtual void on_contact(const RecordHeader& header, const ReceivedFacts& facts) = 0;
  // A measurement of a probe. `verdicts` is empty when none was possible: trouble of the line or of
  // the instrument says nothing of the target.
  virtual void on_judged(const Measurement& measurement, const ReceivedFacts& facts,
                         const std::vector<Verdict>& verdicts) = 0;
  // The same again after a control came that it had lacked.
  virtual void on_revised(const Measurement& measurement, const ReceivedFacts& facts,
                          const std::vector<Verdict>& before,
                          const std::vector<Verdict>& after) = 0;
  // What a `link_state` measurement concludes about the probe's line.
  virtual void on_link(const Measurement& measurement, const ReceivedFacts& facts,
                       LinkState state) = 0;
  // A control's first record: from now on it is no probe of the network it stands in.
  virtual void on_control(const ProbeId& control) = 0;
  // A call of a probe that is not stored; those of controls are not told.
  virtual void on_heartbeat(const ProbeId& probe, LinkState state, const ReceivedFacts& facts) = 0;
};

}  // namespace kua::collector
