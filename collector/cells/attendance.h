// Who is there: which probes were heard lately, from which network, and how their lines are.
// Silence of a network shows here, since its cells merely vanish. Pure and in virtual time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "collector/cells/directory.h"
#include "collector/limits.h"
#include "measurement/time.h"
#include "measurement/vantage.h"

namespace kua::collector {

inline constexpr std::size_t kLinkStates = 6;

struct AttendanceOptions {
  // A probe reports while it was heard within three of its own intervals, which are learned from
  // the gaps between its calls within these bounds.
  Microseconds interval_first = std::chrono::minutes(5);
  Microseconds interval_min = std::chrono::seconds(30);
  Microseconds interval_max = std::chrono::minutes(30);
  Microseconds expected_for = std::chrono::hours(24);
  Microseconds network_kept_for = std::chrono::days(14);
  std::size_t probes_max = limits::kPresenceMax;
};

struct NetworkAttendance {
  NetworkIndex network;
  WallTime last_heard;
  std::uint32_t reporting = 0;
  std::uint32_t expected = 0;
  std::uint32_t clusters = 0;                            // distinct clusters among the reporting
  std::array<std::uint32_t, kLinkStates> link_states{};  // of the reporting, by LinkState
};

class Attendance {
 public:
  explicit Attendance(AttendanceOptions options) : options_(options) {}

  // Any call of the probe. `cluster` 0: none known.
  void heard(std::uint64_t probe, NetworkIndex network, std::uint64_t cluster, WallTime now);
  // What the probe's line was like at `time`; an older word than the last one changes nothing.
  void link_state(std::uint64_t probe, LinkState state, WallTime time);
  // It turned out to be no probe.
  void forget(std::uint64_t probe) { probes_.erase(probe); }
  // Where the probe was last heard from.
  [[nodiscard]] std::optional<NetworkIndex> network_of(std::uint64_t probe) const;

  void expire(WallTime now);
  // Every network heard within `network_kept_for`; in order of index. Calls expire() first.
  [[nodiscard]] std::vector<NetworkAttendance> networks(WallTime now);

  [[nodiscard]] std::size_t size() const noexcept { return probes_.size(); }
  [[nodiscard]] std::uint64_t turned_away() const noexcept { return turned_away_; }
  // What was counted in the replay on start is no news.
  void live() noexcept { turned_away_ = 0; }

 private:
  struct Presence {
    NetworkIndex network;
    LinkState link = LinkState::unknown;
    std::uint64_t cluster = 0;
    WallTime heard;
    WallTime link_time = WallTime::min();
    Microseconds interval{};
  };
  [[nodiscard]] bool is_reporting(const Presence& presence, WallTime now) const noexcept;

  AttendanceOptions options_;
  WallTime now_{};
  std::uint64_t turned_away_ = 0;  // calls of probes beyond probes_max
  std::unordered_map<std::uint64_t, Presence> probes_;
  std::unordered_map<std::uint32_t, WallTime> networks_;  // last heard
};

}  // namespace kua::collector
