// Which target is measured when. Pure: instants and a seed come in, assignments go out, so that a day
// can be played in a millisecond. Intervals are half the mean plus an exponential draw, the order among
// what is due is random: nothing here may become a beacon.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "measurement/address.h"
#include "measurement/target.h"
#include "measurement/time.h"
#include "probe/schedule/budget.h"
#include "probe/schedule/profile.h"

namespace kua::probe {

// What may follow if the measurement fails.
enum class FollowUpGrant : std::uint8_t { none, immediate, all };

enum class Occasion : std::uint8_t {
  cadence,  // its time had come
  retest,   // it failed: once more, after the rest, with every follow-up
  advice,   // the collector asked
};

struct Assignment {
  Target target;
  Occasion occasion = Occasion::cadence;
  FollowUpGrant follow_up = FollowUpGrant::none;
};

struct Outcome {
  TargetId target;
  bool failed = false;
  bool followed_up = false;
  std::vector<IpAddress> addresses;         // contacted under the target's own name
  std::vector<IpAddress> failed_addresses;  // among them: given rest before the next comparison
};

class Schedule {
 public:
  struct Options {
    Profile profile;
    double time_scale = 1.0;
    std::uint64_t seed = 0;
    std::vector<std::string> categories_off;
    // Within which time every key and core target of the first list is measured once; absent: within
    // their own intervals, which nobody who watches the line can tell from any other time.
    std::optional<Microseconds> first_round;
  };
  Schedule(Options options, MonotonicTime now);

  // Replaces the targets; those that stay keep their times. Controls and switched-off categories are
  // left out, as is what passes kTargetsMax.
  void set_targets(std::span<const Target> targets, MonotonicTime now);
  void set_profile(const Profile& profile) { options_.profile = profile; }

  // Something that may begin now, or nullopt. It counts as running until finished().
  [[nodiscard]] std::optional<Assignment> next(MonotonicTime now, const Allowance& allowance);
  void finished(const Outcome& outcome, MonotonicTime now);

  // When next() may have something that it has not now. nullopt: only after a finished().
  [[nodiscard]] std::optional<MonotonicTime> wake_at(MonotonicTime now) const;

  // The line was gone and is back: what became due meanwhile is spread out instead of begun at once.
  void spread_overdue(MonotonicTime now);
  // Targets the collector wants measured again. Those that are not on the list are ignored and counted.
  void advise(std::span<const std::string> target_ids, MonotonicTime now);

  [[nodiscard]] std::size_t target_count() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t target_count(Tier tier) const noexcept;
  [[nodiscard]] std::size_t running() const noexcept { return running_; }
  [[nodiscard]] std::uint64_t ignored_advice() const noexcept { return ignored_advice_; }
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }  // beyond kTargetsMax, of the last list
  // Measurements of a tier in a day, for Budget::Plan.
  [[nodiscard]] double per_day(Tier tier) const;

 private:
  struct Entry {
    Target target;
    MonotonicTime due;
    Occasion occasion = Occasion::cadence;
    bool running = false;
    bool failing = false;
    std::optional<MonotonicTime> measured{};
    std::optional<MonotonicTime> followed_up{};
    std::optional<MonotonicTime> retested{};
    std::vector<IpAddress> addresses{};  // empty: not known yet
  };

  [[nodiscard]] Microseconds scaled(Microseconds duration) const;
  [[nodiscard]] Microseconds mean_of(Tier tier) const;
  [[nodiscard]] Microseconds draw_interval(Tier tier, double stretch);
  [[nodiscard]] Microseconds draw_uniform(Microseconds below);
  [[nodiscard]] Microseconds draw_first(Tier tier);
  [[nodiscard]] bool chosen_today(const Entry& entry, MonotonicTime now) const;
  [[nodiscard]] bool may_begin(const Entry& entry, MonotonicTime now, const Allowance& allowance) const;
  [[nodiscard]] bool address_is_free(const Entry& entry, MonotonicTime now) const;
  [[nodiscard]] FollowUpGrant grant(const Entry& entry, MonotonicTime now, const Allowance& allowance);
  void plan_next(Entry& entry, const Outcome& outcome, MonotonicTime now);
  void forget_old(MonotonicTime now);
  Entry* find(const TargetId& id);

  Options options_;
  std::mt19937_64 random_;
  MonotonicTime began_;
  std::vector<Entry> entries_;
  std::map<IpAddress, MonotonicTime> resting_until_;
  std::deque<MonotonicTime> extra_tests_;  // follow-ups and advised tests of the last hour
  std::size_t running_ = 0;
  double core_stretch_ = 1.0;
  std::uint64_t ignored_advice_ = 0;
  std::size_t left_out_ = 0;
};

// How long to wait for the look at the line that belongs to the next period: periods are counted from
// the epoch, and the instant within one is drawn, so that a fleet does not look in step.
// `draw` is uniform in [0, 1).
[[nodiscard]] Microseconds until_next_look(WallTime now, Microseconds period, double draw);

}  // namespace kua::probe
