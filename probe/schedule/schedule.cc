#include "probe/schedule/schedule.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "measurement/check.h"
#include "probe/limits.h"

namespace kua::probe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A target that keeps failing is followed up again after this; a fresh failure at once.
constexpr Microseconds kFollowUpAgain = minutes(30);
constexpr Microseconds kRetestAgain = hours(6);
constexpr Microseconds kRetestJitter = seconds(60);
constexpr Microseconds kAdviceJitter = seconds(30);

// splitmix64 (Steele, Lea, Flood 2014): mixes seed, target and day into a fair coin.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

bool off(const std::vector<std::string>& categories, const Target& target) {
  return std::ranges::find(categories, target.category) != categories.end();
}

}  // namespace

Schedule::Schedule(Options options, MonotonicTime now)
    : options_(std::move(options)), random_(options_.seed), began_(now) {}

Microseconds Schedule::scaled(Microseconds duration) const {
  return Microseconds(
      static_cast<std::int64_t>(static_cast<double>(duration.count()) / options_.time_scale));
}

Microseconds Schedule::mean_of(Tier tier) const {
  switch (tier) {
    case Tier::key: return scaled(options_.profile.key_mean);
    case Tier::core: return scaled(options_.profile.core_mean);
    case Tier::full:
    case Tier::control: return scaled(options_.profile.full_mean);
  }
  return scaled(options_.profile.full_mean);
}

Microseconds Schedule::draw_interval(Tier tier, double stretch) {
  const double half = static_cast<double>(mean_of(tier).count()) * stretch / 2;
  const double drawn = std::exponential_distribution<double>(1.0)(random_) * half;
  return Microseconds(static_cast<std::int64_t>(half + drawn));
}

Microseconds Schedule::draw_uniform(Microseconds below) {
  return Microseconds(
      std::uniform_int_distribution<std::int64_t>(0, std::max<std::int64_t>(below.count(), 1) - 1)(random_));
}

void Schedule::set_targets(std::span<const Target> targets, MonotonicTime now) {
  std::unordered_map<TargetId, Entry> known;
  for (Entry& entry : entries_) known.emplace(entry.target.id, std::move(entry));
  entries_.clear();
  left_out_ = 0;
  for (const Target& target : targets) {
    if (target.tier == Tier::control || off(options_.categories_off, target)) continue;
    if (entries_.size() == kTargetsMax) {
      ++left_out_;
      continue;
    }
    if (const auto found = known.find(target.id); found != known.end()) {
      Entry entry = std::move(found->second);
      known.erase(found);
      entry.target = target;
      entries_.push_back(std::move(entry));
      continue;
    }
    entries_.push_back(Entry{.target = target, .due = now + draw_first(target.tier)});
  }
  if (!entries_.empty()) options_.first_round.reset();
  running_ = static_cast<std::size_t>(std::ranges::count_if(entries_, &Entry::running));
}

// Anywhere in the interval: neither a burst at the start nor a fixed order.
Microseconds Schedule::draw_first(Tier tier) {
  const bool in_first_round = options_.first_round && (tier == Tier::key || tier == Tier::core);
  if (in_first_round) return draw_uniform(scaled(*options_.first_round));
  return draw_uniform(tier == Tier::key ? mean_of(tier) / 2 : mean_of(tier));
}

std::size_t Schedule::target_count(Tier tier) const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      entries_, [tier](const Entry& entry) { return entry.target.tier == tier; }));
}

double Schedule::per_day(Tier tier) const {
  const double day = std::chrono::duration<double, std::micro>(hours(24)).count();
  const double each = day / static_cast<double>(mean_of(tier).count());
  const std::uint32_t one_in = tier == Tier::key ? options_.profile.key_one_in : 1;
  return static_cast<double>((target_count(tier) + one_in - 1) / one_in) * each;
}

Schedule::Entry* Schedule::find(const TargetId& id) {
  const auto found =
      std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.target.id == id; });
  return found == entries_.end() ? nullptr : &*found;
}

// Which key targets a thrifty profile looks at changes by the day, so that every target is somebody's.
// Exactly its share of them: those whose hash of seed, name and day ranks first.
bool Schedule::chosen_today(const Entry& entry, MonotonicTime now) const {
  const std::uint32_t one_in = options_.profile.key_one_in;
  if (entry.target.tier != Tier::key || one_in <= 1) return true;
  const auto day = static_cast<std::uint64_t>((now - began_) / scaled(hours(24)));
  const auto lot = [&](const Entry& of) {
    return mix(options_.seed ^ mix(std::hash<std::string>()(of.target.id.text())) ^ mix(day));
  };
  std::size_t keys = 0;
  std::size_t before = 0;
  for (const Entry& other : entries_) {
    if (other.target.tier != Tier::key) continue;
    ++keys;
    if (lot(other) < lot(entry)) ++before;
  }
  return before < (keys + one_in - 1) / one_in;
}

// Two measurements of one address at a time would disturb each other, and so would one that comes
// before the address has rested. Targets whose addresses are not known yet run one after another.
bool Schedule::address_is_free(const Entry& entry, MonotonicTime now) const {
  const auto shared = [](const Entry& a, const Entry& b) {
    return std::ranges::find_first_of(a.addresses, b.addresses) != a.addresses.end();
  };
  for (const Entry& other : entries_) {
    if (!other.running) continue;
    if (entry.addresses.empty() && other.addresses.empty()) return false;
    if (shared(entry, other)) return false;
  }
  return std::ranges::none_of(entry.addresses, [&](const IpAddress& address) {
    const auto rest = resting_until_.find(address);
    return rest != resting_until_.end() && rest->second > now;
  });
}

bool Schedule::may_begin(const Entry& entry, MonotonicTime now, const Allowance& allowance) const {
  if (entry.running || entry.due > now) return false;
  switch (entry.target.tier) {
    case Tier::key:
      if (!allowance.key) return false;
      break;
    case Tier::core:
      if (!allowance.core) return false;
      break;
    case Tier::full:
    case Tier::control:
      if (!allowance.full) return false;
      break;
  }
  return address_is_free(entry, now);
}

FollowUpGrant Schedule::grant(const Entry& entry, MonotonicTime now, const Allowance& allowance) {
  if (!allowance.follow_up) return FollowUpGrant::none;
  if (extra_tests_.size() + running_ >= static_cast<std::size_t>(kFollowUpsPerHourMax)) {
    return FollowUpGrant::none;
  }
  if (entry.occasion == Occasion::retest) return FollowUpGrant::all;
  const bool lately = entry.followed_up && now - *entry.followed_up < scaled(kFollowUpAgain);
  return entry.failing && lately ? FollowUpGrant::none : FollowUpGrant::immediate;
}

void Schedule::forget_old(MonotonicTime now) {
  while (!extra_tests_.empty() && now - extra_tests_.front() >= scaled(hours(1))) {
    extra_tests_.pop_front();
  }
  std::erase_if(resting_until_, [now](const auto& rest) { return rest.second <= now; });
}

std::optional<Assignment> Schedule::next(MonotonicTime now, const Allowance& allowance) {
  forget_old(now);
  core_stretch_ = allowance.core_stretch;
  if (running_ >= static_cast<std::size_t>(kMeasurementsAtOnceMax)) return std::nullopt;
  // The smallest tier goes first; within it every due target has the same chance (reservoir sampling).
  Entry* chosen = nullptr;
  std::uint64_t seen = 0;
  for (Entry& entry : entries_) {
    if (entry.due > now || entry.running) continue;
    if (chosen != nullptr && entry.target.tier > chosen->target.tier) continue;
    if (entry.occasion == Occasion::cadence && !chosen_today(entry, now)) {
      entry.due = now + draw_interval(entry.target.tier, 1.0);
      continue;
    }
    if (!may_begin(entry, now, allowance)) continue;
    if (chosen != nullptr && entry.target.tier < chosen->target.tier) seen = 0;
    ++seen;
    if (std::uniform_int_distribution<std::uint64_t>(1, seen)(random_) == 1) chosen = &entry;
  }
  if (chosen == nullptr) return std::nullopt;
  const FollowUpGrant follow_up = grant(*chosen, now, allowance);
  chosen->running = true;
  ++running_;
  if (chosen->occasion == Occasion::advice) extra_tests_.push_back(now);
  return Assignment{chosen->target, chosen->occasion, follow_up};
}

void Schedule::plan_next(Entry& entry, const Outcome& outcome, MonotonicTime now) {
  const double stretch = entry.target.tier == Tier::core ? core_stretch_ : 1.0;
  entry.due = now + draw_interval(entry.target.tier, stretch);
  const Occasion was = entry.occasion;
  entry.occasion = Occasion::cadence;
  if (!outcome.failed) return;
  const MonotonicTime rested = now + scaled(kRestAfterFailure);
  entry.due = std::max(entry.due, rested);
  const bool retested_lately = entry.retested && now - *entry.retested < scaled(kRetestAgain);
  if (was != Occasion::retest && !retested_lately) {
    entry.occasion = Occasion::retest;
    entry.due = rested + draw_uniform(scaled(kRetestJitter));
  }
}

void Schedule::finished(const Outcome& outcome, MonotonicTime now) {
  Entry* entry = find(outcome.target);
  if (entry == nullptr || !entry->running) return;  // the list changed meanwhile
  entry->running = false;
  KUA_CHECK(running_ > 0);
  --running_;
  entry->measured = now;
  if (entry->occasion == Occasion::retest) entry->retested = now;
  if (outcome.followed_up) {
    entry->followed_up = now;
    extra_tests_.push_back(now);
  }
  entry->failing = outcome.failed;
  if (!outcome.addresses.empty()) {
    entry->addresses = outcome.addresses;
    entry->addresses.resize(std::min(entry->addresses.size(), kTargetAddressesKept),
                            outcome.addresses.front());
  }
  for (const IpAddress& address : outcome.failed_addresses) {
    resting_until_[address] = now + scaled(kRestAfterFailure);
  }
  plan_next(*entry, outcome, now);
}

std::optional<MonotonicTime> Schedule::wake_at(MonotonicTime now) const {
  if (running_ >= static_cast<std::size_t>(kMeasurementsAtOnceMax)) return std::nullopt;
  std::optional<MonotonicTime> earliest;
  for (const Entry& entry : entries_) {
    if (entry.running) continue;
    // What is overdue waits for an address or for the budget: look again in a while.
    const MonotonicTime when = std::max(entry.due, now + scaled(seconds(5)));
    if (!earliest || when < *earliest) earliest = when;
  }
  return earliest;
}

void Schedule::spread_overdue(MonotonicTime now) {
  for (Entry& entry : entries_) {
    if (entry.running || entry.due > now) continue;
    // Key targets within a fifth of their mean: a restoration window may be short.
    const Microseconds spread = mean_of(entry.target.tier) / (entry.target.tier == Tier::key ? 5 : 2);
    entry.due = now + draw_uniform(spread);
  }
}

void Schedule::advise(std::span<const std::string> target_ids, MonotonicTime now) {
  std::size_t taken = 0;
  for (const std::string& text : target_ids) {
    const auto id = TargetId::parse(text);
    Entry* entry = id ? find(*id) : nullptr;
    if (entry == nullptr || ++taken > kAdviceTargetsMax) {
      ++ignored_advice_;
      continue;
    }
    const bool rested = !entry->measured || now - *entry->measured >= scaled(kRestAfterFailure);
    if (entry->running || entry->occasion == Occasion::retest || !rested) continue;
    entry->occasion = Occasion::advice;
    entry->due = std::min(entry->due, now + draw_uniform(scaled(kAdviceJitter)));
  }
}

Microseconds until_next_look(WallTime now, Microseconds period, double draw) {
  const Microseconds into = now.time_since_epoch() % period;
  // Not in the first and last tenth: a slow clock must not put a look into the neighbour's minute.
  const auto offset = Microseconds(static_cast<std::int64_t>(
      static_cast<double>(period.count()) * (0.1 + 0.8 * draw)));
  return period - into + offset;
}

}  // namespace kua::probe
