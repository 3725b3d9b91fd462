// Looks at the line once a period, and at once when a measurement failed: the minutes go into the diary,
// changes into the spool. While the line is not fit, nothing else is measured.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <vector>

#include "probe/daemon/bell.h"
#include "probe/daemon/parts.h"

namespace kua::probe {

class LineWatch {
 public:
  explicit LineWatch(Parts& parts);

  // Until consent is withdrawn; sees that within half a minute.
  [[nodiscard]] boost::asio::awaitable<void> run();

  [[nodiscard]] LinkState state() const noexcept { return state_; }
  [[nodiscard]] WallTime since() const noexcept { return since_; }
  // Whether targets may be measured now. False before the first look.
  [[nodiscard]] bool fit() const noexcept { return looked_ && may_measure(parts_.setup, state_); }

  // Waits for a look that begins after this call, and begins it now.
  [[nodiscard]] boost::asio::awaitable<LinkState> look_again();

  // Called after a look that changed the state or the fitness of the line, with whether it is fit.
  std::function<void()> on_change;

 private:
  [[nodiscard]] boost::asio::awaitable<void> look();
  [[nodiscard]] boost::asio::awaitable<void> rest(Microseconds left);
  void note(LineLook look);
  void follow_clock();
  [[nodiscard]] bool worth_a_record(const LineLook& look, MonotonicTime now);

  Parts& parts_;
  Bell bell_;
  boost::asio::steady_timer looks_;  // never expires; cancelled after each look: wakes those who wait for one
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  LineMemory memory_;
  bool looked_ = false;
  LinkState state_ = LinkState::unknown;
  WallTime since_;
  bool was_fit_ = false;
  std::optional<MonotonicTime> recorded_at_;
  std::optional<Microseconds> clock_offset_;  // wall less monotonic, at the look before
};

}  // namespace kua::probe
