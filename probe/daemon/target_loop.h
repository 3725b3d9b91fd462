// Measures what the schedule hands out, a few targets at a time, while the line is fit and the budget
// allows. A failure that shows nothing of the far end is checked against the line before it is kept.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "probe/daemon/bell.h"
#include "probe/daemon/line_watch.h"
#include "probe/daemon/parts.h"

namespace kua::probe {

class TargetLoop {
 public:
  TargetLoop(Parts& parts, LineWatch& line);

  [[nodiscard]] boost::asio::awaitable<void> run();
  void wake() { bell_.ring(); }
  // The list or the profile may have changed: takes the targets that hold now.
  void reload();

  // Called after each record. A failure is worth telling at once.
  enum class Told { at_once, in_its_turn };
  std::function<void(Told told)> on_record;

 private:
  [[nodiscard]] bool reload_is_due() const;
  [[nodiscard]] boost::asio::awaitable<void> measure(Assignment assignment);
  [[nodiscard]] boost::asio::awaitable<void> doubt_the_line(Measurement& measurement);
  void spend(const Measurement& measurement, const Outcome& outcome);

  Parts& parts_;
  LineWatch& line_;
  Bell bell_;
  WallTime reloaded_;
  ListStanding standing_ = ListStanding::link_only;  // when reloaded
};

// What a measurement says to the schedule. Pure. `grant`: what it was allowed to look into.
[[nodiscard]] Outcome outcome_of(const Measurement& measurement, State state, FollowUpGrant grant);
// Whether anything in it came back from beyond the home network.
[[nodiscard]] bool shows_far_end(const Measurement& measurement);

}  // namespace kua::probe
