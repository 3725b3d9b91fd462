// What control vantages saw of each target lately: per vantage the newest measurement and the one
// before. A control counts while it is younger than three of its own intervals, which are learned
// from its rhythm. Pure and in virtual time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collector/limits.h"
#include "measurement/record.h"
#include "verdict/judge.h"

namespace kua::collector {

struct ControlTiming {
  // Interval to begin with, by Tier, until a vantage has shown its own.
  std::array<Microseconds, 4> interval_first = {std::chrono::minutes(5), std::chrono::hours(24),
                                                std::chrono::hours(24 * 7),
                                                std::chrono::minutes(1)};
  // A check that somebody asked for by hand has no rhythm; it holds for three times this.
  Microseconds interval_min = std::chrono::minutes(1);

  [[nodiscard]] Microseconds first(Tier tier) const noexcept {
    return interval_first[static_cast<std::size_t>(tier)];
  }
  // `mean` after one more gap; gaps around an outage are cut to three times the mean.
  [[nodiscard]] Microseconds learn(Microseconds mean, Microseconds gap) const noexcept;
};

// A control measurement that may be compared with: judged valid by its vantage, made on a line that
// worked. Trouble of a control's own line must not read as a site that is down.
[[nodiscard]] bool is_comparable(const Measurement& control) noexcept;

class ControlBook {
 public:
  struct Options {
    ControlTiming timing;
    std::size_t targets_max = limits::kControlTargetsMax;
    std::size_t vantages_max = limits::kControlVantagesMax;  // per target; quorums need no more
  };

  explicit ControlBook(Options options) : options_(options) {}

  // False when it was of no use: not comparable, older than what is known, or beyond a bound.
  bool add(const Measurement& control);
  // What is fresh for a measurement made at `at`, before or after it. Borrowed until the next add()
  // or expire().
  [[nodiscard]] std::vector<verdict::ControlView> views(const TargetId& target, WallTime at) const;
  // For how long around itself a control of this target counts; zero when there is none.
  [[nodiscard]] Microseconds reach(const TargetId& target) const;
  // Drops what has not been fresh at any time since `now`.
  void expire(WallTime now);
  // Distinct vantages with a measurement of any target that is fresh at `now`.
  [[nodiscard]] std::size_t reporting(WallTime now) const;
  [[nodiscard]] std::size_t targets() const noexcept { return book_.size(); }
  [[nodiscard]] std::uint64_t turned_away() const noexcept { return turned_away_; }

 private:
  struct Page {
    ProbeId vantage = *ProbeId::parse("00000000000000000000000000000000");
    Microseconds interval{};
    std::optional<verdict::ControlFacts> newest;
    std::optional<verdict::ControlFacts> before;
  };
  [[nodiscard]] static bool is_fresh(const Page& page, WallTime control, WallTime at) noexcept;

  Options options_;
  std::uint64_t turned_away_ = 0;
  std::unordered_map<std::string, std::vector<Page>> book_;  // by target
};

}  // namespace kua::collector
