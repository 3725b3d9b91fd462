// The publication rule: the one place that decides what may leave the collector for everybody.
// Public page, public API and public metrics are made from a PublicOverview and from nothing else,
// so that no door can say more than another.
//
// The rule (DESIGN, "Publication rule"; k is min_clusters, 5 by default):
// - A target on a network is shown in full from k distinct clusters behind its state, with the
// number
//   of witnesses as a band and times by the five minutes.
// - From three fifths of k (three of five) it is a state by the hour: as it stood at the full hour,
//   without number, mechanism or time.
// - Below that nothing is said, not even that somebody measures there.
// - What is said of a network's lines follows the same rule over the clusters heard from it.
// - Nothing is summed up: no figure of a network or country that could be taken apart by
// subtraction.
// - A target gains the full view at a full hour only, so that a volunteer's first minute cannot be
// read
//   off the page. After a start nothing is shown until the next full hour: what stood at the last one
//   is not known.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "collector/serve/overview.h"

namespace kua::collector {

struct PublicationRule {
  std::uint32_t min_clusters = 5;  // k; at least 1
  // A collector that one person runs for their own line: pages must say so.
  [[nodiscard]] bool is_local() const noexcept { return min_clusters < 5; }
  [[nodiscard]] std::uint32_t hourly_clusters() const noexcept {
    return (min_clusters * 3 + 4) / 5;
  }
};

// How many witnesses, as far as it may be told. Below five, which only a local instance shows, the
// number itself.
struct Band {
  std::uint32_t low = 0;
  std::optional<std::uint32_t> high;  // absent: and more
  [[nodiscard]] static Band of(std::uint32_t witnesses) noexcept;
  [[nodiscard]] std::string text() const;  // "3", "5–9", "50+"
  friend bool operator==(const Band&, const Band&) = default;
};

struct PublicTarget {
  std::string target;
  std::string category;
  State state = State::insufficient;
  // Absent: a state by the hour.
  struct Detail {
    Band witnesses;
    // Both rounded down to five minutes, exact on a local instance.
    WallTime since;
    std::optional<WallTime> proven;  // newest measurement that by itself backs the state
    std::string mechanism;
    friend bool operator==(const Detail&, const Detail&) = default;
  };
  std::optional<Detail> detail;
  friend bool operator==(const PublicTarget&, const PublicTarget&) = default;
};

struct PublicNetwork {
  Network network;
  bool is_other = false;
  std::optional<LinkState> link;       // what most of its lines are like; absent: not said
  std::optional<WallTime> last_heard;  // local instances only
  std::vector<PublicTarget> targets;   // may be empty on a local instance: known, but silent
  friend bool operator==(const PublicNetwork&, const PublicNetwork&) = default;
};

struct PublicOverview {
  WallTime now;
  WallTime hour;  // what "by the hour" refers to
  PublicationRule rule;
  Microseconds key_window{};
  std::vector<PublicNetwork> networks;
};

// Keeps what stood at the last full hour. One for all public doors.
class Publisher {
 public:
  explicit Publisher(PublicationRule rule) : rule_(rule) {}

  // Call it at least once a minute, so that what is held for the hour is taken at its begin.
  [[nodiscard]] PublicOverview publish(const Overview& overview);
  [[nodiscard]] const PublicationRule& rule() const noexcept { return rule_; }

 private:
  enum class Disclosure : std::uint8_t { nothing, by_hour, full };
  struct Held {
    std::string category;
    State state = State::insufficient;
    Disclosure disclosure = Disclosure::nothing;
  };
  struct HeldNetwork {
    std::optional<LinkState> link;
    std::map<std::string, Held> targets;
  };
  [[nodiscard]] Disclosure disclosure(std::uint32_t clusters, std::uint32_t probes) const noexcept;
  void hold(const Overview& overview, WallTime hour);
  [[nodiscard]] std::optional<PublicTarget> show(const TargetOverview& target,
                                                 const Held* held) const;
  [[nodiscard]] PublicNetwork show_network(const Network& network,
                                           const NetworkOverview* now) const;

  PublicationRule rule_;
  std::optional<WallTime> hour_;
  std::map<Network, HeldNetwork> held_;
};

}  // namespace kua::collector
