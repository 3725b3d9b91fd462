// Bytes on the wire, per UTC day, against the profile's figure. Pure: instants come in. What is spent is
// counted whatever it was for; what may still begin follows from it: beyond 80 % the full tier stops and
// core slows, and what link state, uploads and key targets will need until midnight is never given to
// the others, nor what core will need to the full tier.
#pragma once

#include <array>
#include <cstdint>

#include "measurement/time.h"

namespace kua::probe {

enum class Spending : std::uint8_t { link = 0, upload = 1, key = 2, core = 3, full = 4, follow_up = 5 };
inline constexpr std::size_t kSpendings = 6;

// What may begin now. Link state always may: it never ends.
struct Allowance {
  bool key = true;
  bool core = true;
  bool full = true;
  bool follow_up = true;
  double core_stretch = 1.0;  // intervals of the core tier are to be multiplied by this, ≥ 1
  friend bool operator==(const Allowance&, const Allowance&) = default;
};

class Budget {
 public:
  // How often the things happen in a day that room is kept for.
  struct Plan {
    std::uint64_t bytes_per_day = 0;
    double link_per_day = 0;
    double uploads_per_day = 0;
    double keys_per_day = 0;
    double cores_per_day = 0;
    friend bool operator==(const Plan&, const Plan&) = default;
  };
  explicit Budget(Plan plan) noexcept : plan_(plan) {}

  void set_plan(Plan plan) noexcept { plan_ = plan; }
  // One thing done, with its bytes in both directions. A sum beyond kSpentAtOnceMax is counted and no more.
  void spend(Spending on, std::uint64_t bytes, WallTime now);
  // The same for what says nothing of the cost of one to come.
  void spend_unusual(Spending on, std::uint64_t bytes, WallTime now);
  [[nodiscard]] Allowance allowance(WallTime now) const;
  // For records of the past that wait to be sent: what is left beside all that is planned until midnight.
  [[nodiscard]] std::uint64_t backlog_room(WallTime now) const;

  [[nodiscard]] std::uint64_t used(WallTime now) const;
  [[nodiscard]] std::uint64_t used_on(Spending on, WallTime now) const;
  [[nodiscard]] std::uint64_t sums_refused() const noexcept { return sums_refused_; }  // of this process
  [[nodiscard]] std::uint64_t bytes_per_day() const noexcept { return plan_.bytes_per_day; }

  // What has to outlive the process: a restart is no new day.
  struct Day {
    std::int64_t day = 0;  // since 1970-01-01
    std::array<std::uint64_t, kSpendings> bytes{};
    friend bool operator==(const Day&, const Day&) = default;
  };
  [[nodiscard]] const Day& day() const noexcept { return today_; }
  void restore(const Day& day) noexcept { today_ = day; }

 private:
  [[nodiscard]] double reserve(Spending on, double rest_of_day) const;
  [[nodiscard]] double left_beside_line(WallTime now) const;
  [[nodiscard]] double left_beside_keys(WallTime now) const;

  Plan plan_;
  Day today_;
  std::uint64_t sums_refused_ = 0;
  // What one of each cost lately (an exponential mean), from DESIGN's figures until known better.
  std::array<double, kSpendings> cost_ = {1'000, 1'300, 4'500, 40'000, 40'000, 60'000};
};

}  // namespace kua::probe
