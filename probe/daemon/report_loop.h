// Talks to the collector: enrols, says that this probe is alive, sends the minutes of the line and then
// the records, fetches the list. The first request after an outage carries the summary of the whole of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

#include "probe/daemon/bell.h"
#include "probe/daemon/line_watch.h"
#include "probe/daemon/parts.h"
#include "probe/uplink/enrolment_times.h"

namespace kua::probe {

class ReportLoop {
 public:
  // parts.uplink must not be null.
  ReportLoop(Parts& parts, const LineWatch& line);

  [[nodiscard]] boost::asio::awaitable<void> run();
  // Something is worth telling now: a failure, a change of the line.
  void hurry() { bell_.ring(); }
  // The line is back after it was not: what failed meanwhile is forgotten, summaries go first.
  void line_returned();

  // Called when a newer list was taken, and with targets that the collector wants measured.
  std::function<void()> on_list;
  std::function<void(const std::vector<std::string>&)> on_advice;

  struct Facts {
    bool enrolled = false;
    std::optional<WallTime> delivered;   // the last time something was acknowledged
    std::optional<std::string> trouble;  // the last failure, until something succeeds
    std::uint64_t records_accepted = 0;
    std::uint64_t records_rejected = 0;
    bool backlog_waits = false;          // older records wait for what the day's budget leaves
    std::uint64_t wrong_pins = 0;        // another key than the pinned one was presented so often
  };
  [[nodiscard]] const Facts& facts() const noexcept { return facts_; }
  // Puts what reports have cost since the last time into the budget. After each report, and at the end.
  void charge();

 private:
  [[nodiscard]] boost::asio::awaitable<void> report();
  [[nodiscard]] boost::asio::awaitable<bool> enrol_if_due();
  [[nodiscard]] boost::asio::awaitable<void> deliver();
  [[nodiscard]] boost::asio::awaitable<void> fetch_list_if_due();
  void spool_summaries();
  void spool_wrong_pins();
  void trouble(const Error& error);
  [[nodiscard]] Microseconds draw_pause() const;
  [[nodiscard]] bool due(std::optional<MonotonicTime>& last, Microseconds every);

  Parts& parts_;
  const LineWatch& line_;
  Bell bell_;
  Facts facts_;
  std::uint64_t charged_bytes_ = 0;
  std::uint64_t backlog_bytes_ = 0;  // of the report, not charged yet
  bool summaries_now_ = true;  // the first report of a process tells the outage it may have missed
  EnrolmentTimes enrolment_;
  std::optional<MonotonicTime> list_asked_at_;
  std::optional<MonotonicTime> summarized_at_;
  std::optional<MonotonicTime> expired_at_;
};

}  // namespace kua::probe
