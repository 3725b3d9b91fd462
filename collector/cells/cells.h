// Cells: what is known right now of a target seen from a network, layer by layer. Pure and in
// virtual time: instants come in, nothing asks for one. A cell holds sliding counts of verdicts and
// the last word of every witness; its state is what more than half of the witnesses claim at least,
// so that a tie goes to the weaker claim. A cell nobody measured lately vanishes: absence is never
// a state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "collector/cells/directory.h"
#include "collector/cells/layer_states.h"
#include "collector/cells/trouble.h"
#include "collector/cells/window.h"
#include "collector/limits.h"
#include "measurement/target.h"
#include "measurement/time.h"

namespace kua::collector {

// Who says how often a target is measured and what it is of.
enum class DescribedBy : std::uint8_t {
  probe,  // a claim: decides for a target that is on no list, and takes nothing from other witnesses
  list,   // a signed list
};

// One judged measurement, reduced to what cells need.
struct Vote {
  TargetIndex target;
  NetworkIndex network;
  CategoryIndex category;
  MechanismIndex mechanism;  // of the verdict behind the summary
  Tier tier = Tier::full;
  DescribedBy described_by = DescribedBy::probe;  // tier and category
  std::uint64_t probe = 0;                        // the probe's identity
  std::uint64_t cluster =
      0;          // its cluster's; 0: none known, the probe speaks for itself but is no witness
  WallTime time;  // when it was measured
  LayerStates states;
  Trouble trouble;
};

struct CellsOptions {
  // How long a measurement counts, by tier: a key target is measured every few minutes, a core one
  // about daily. Each window has kWindowSlots slots and moves by one of them.
  Microseconds key_window = std::chrono::minutes(30);
  Microseconds core_window = std::chrono::hours(26);
  Microseconds full_window = std::chrono::days(8);
  // How old a key target's accusation may be that later failures hold up (word.h); that of others, which
  // every failure proves anew, one window.
  Microseconds key_held_for = limits::kHeldWordMax;
  std::size_t open_max = limits::kOpenCellsMax;  // targets × networks; beyond it votes are folded
  std::size_t witnesses_max =
      limits::kWitnessesMax;  // per target × network; beyond it only counts grow
  friend bool operator==(const CellsOptions&, const CellsOptions&) = default;
};

enum class VoteOutcome : std::uint8_t {
  counted,
  late,       // older than the window: no part of the present
  no_states,  // nothing was judged
  folded,     // went into its network's "other", which has counts but no state
};

// What is known of one layer, or of the target as a whole.
struct CellView {
  Facet facet = Facet::whole;
  State state = State::insufficient;
  WallTime since;  // earliest support of the state after the last contrary word
  std::optional<WallTime>
      last_otherwise;          // newest support of the state before; absent: never seen otherwise
  StateCounts counts;          // verdicts in the window by state
  std::uint32_t deciding = 0;  // witnesses whose last word is decisive
  [[nodiscard]] std::optional<double> blocked_ratio()
      const noexcept;  // absent: no decisive verdict
};

struct TargetView {
  TargetIndex target;
  NetworkIndex network;
  CategoryIndex category;
  MechanismIndex mechanism;  // of the newest measurement that said what `whole` says
  Tier tier = Tier::full;
  WallTime newest;  // newest measurement
  // Newest measurement that by itself backs the state; absent while that is insufficient. Before `newest`
  // by more than a round: failures since then hold an accusation up (word.h).
  std::optional<WallTime> proven;
  // Distinct probes behind the state, and distinct clusters: those whose last word in the window is
  // decisive, or, while the state is insufficient, all that measured.
  std::uint32_t probes = 0;
  std::uint32_t clusters = 0;
  std::uint32_t supporting = 0;  // of these clusters, those whose word backs the state; 0: it is insufficient
  CellView whole;
  std::vector<CellView> layers;  // by facet, only those that were judged
};

class Cells {
 public:
  explicit Cells(CellsOptions options);
  ~Cells();
  Cells(Cells&&) noexcept;
  Cells& operator=(Cells&&) noexcept;

  // `now` never goes back; an earlier one is read as the latest so far. A vote dated after `now` is
  // taken as of `now`, so that a wrong clock keeps nothing alive.
  VoteOutcome add(const Vote& vote, WallTime now);
  // The measurement of `before` was judged again; `after` differs only in states and mechanism.
  void revise(const Vote& before, const Vote& after, WallTime now);

  // Drops what nobody measured within its window.
  void expire(WallTime now);
  // Of everything open at `now`; calls expire() first. Order is unspecified.
  void visit(WallTime now, const std::function<void(const TargetView&)>& visitor);

  [[nodiscard]] std::size_t open() const noexcept;         // targets × networks
  [[nodiscard]] std::size_t open_layers() const noexcept;  // cells: the above × layers judged
  [[nodiscard]] std::uint64_t folded() const noexcept;     // votes that went into "other"
  [[nodiscard]] std::uint64_t unheard() const noexcept;    // votes beyond witnesses_max
  // What was counted in the replay on start is no news.
  void live() noexcept { folded_ = unheard_ = 0; }
  [[nodiscard]] const CellsOptions& options() const noexcept { return options_; }

 private:
  struct Entry;
  struct LayerCell;
  [[nodiscard]] Microseconds window_of(Tier tier) const noexcept;
  [[nodiscard]] WallTime oldest_proof(const Entry& entry) const noexcept;
  Entry* find_or_open(const Vote& vote);
  static void describe(Entry& entry, const Vote& vote);
  void advance(Entry& entry, WallTime now);
  void let_go_of_old(Entry& entry) const;
  void revise_proof(Entry& entry, const Vote& before, const Vote& after) const;
  void hear(Entry& entry, const Vote& vote, WallTime time);
  void note_probe(Entry& entry, const Vote& vote, WallTime time);
  static void note_mechanism(Entry& entry, const Vote& vote, WallTime time);
  static void note_support(const Entry& entry, TargetView& view);
  static void decide(Entry& entry, LayerCell& cell);

  CellsOptions options_;
  WallTime now_{};
  std::uint64_t folded_ = 0;
  std::uint64_t unheard_ = 0;
  std::unordered_map<std::uint64_t, Entry> entries_;
};

}  // namespace kua::collector
