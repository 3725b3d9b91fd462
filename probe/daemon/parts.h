// What the loops of the running probe share. Built by hand in main.cc, owned there, borrowed here; all of
// it lives on one thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <vector>

#include "measurement/verdict.h"
#include "platform/log/log.h"
#include "probe/cli/line_look.h"
#include "probe/cli/setup.h"
#include "probe/diary/diary.h"
#include "probe/schedule/budget.h"
#include "probe/schedule/schedule.h"
#include "probe/spool/spool.h"
#include "probe/uplink/uplink.h"
#include "probe/vantage/anchored_clock.h"

namespace kua::probe {

// Who is told what was seen, as it is seen: a log, or a person at a terminal.
class Audience {
 public:
  virtual ~Audience() = default;
  virtual void on_look(const LineLook& look) = 0;
  virtual void on_measurement(const Measurement& measurement, const std::vector<Verdict>& verdicts) = 0;
};

struct Parts {
  boost::asio::any_io_executor executor;
  Setup& setup;
  AnchoredClock& clock;
  const TrustStore& trust;
  Spool& spool;
  Diary& diary;
  Schedule& schedule;
  Budget& budget;
  Uplink* uplink;  // nullptr: nobody to report to, or switched off
  platform::Log& log;
  Audience& audience;
  WallTime started{};
  MonotonicTime began{};

  // A cadence in this probe's time; the lab's runs faster.
  [[nodiscard]] Microseconds scaled_by_lab(Microseconds duration) const {
    return scaled(duration, setup.config.lab.time_scale);
  }
  // The day that bytes are counted for. The lab's begins with the process and is as much shorter.
  [[nodiscard]] WallTime budget_now() const;
};

// The profile that holds now: the configured one, else by the line's type.
[[nodiscard]] ProfileName profile_now(const Setup& setup);
// The budget's plan under it.
[[nodiscard]] Budget::Plan plan_now(const Setup& setup, const Schedule& schedule);
// A header for a record that no experiment makes.
[[nodiscard]] RecordHeader make_header(const Setup& setup, const platform::Clock& clock);
[[nodiscard]] std::vector<Verdict> judge_for_owner(const Measurement& measurement,
                                                   const protocol::TargetList& list);
// Whether the owner still agrees. Reads the file: asked before each look, test, report and record.
[[nodiscard]] bool has_consent(const Parts& parts);
// Commits a record; a failure is logged, and the spool has counted it. After a withdrawal it is dropped.
void keep(Parts& parts, Measurement record);

}  // namespace kua::probe
