#include "collector/cells/cells.h"

#include <algorithm>

#include "collector/cells/witness_table.h"
#include "measurement/check.h"

namespace kua::collector {
namespace {

constexpr WallTime kNever = WallTime::min();
constexpr std::uint64_t kClusterBit = 1ULL << 63;  // tells a cluster from a probe without one

std::uint64_t key_of(TargetIndex target, NetworkIndex network) noexcept {
  return (static_cast<std::uint64_t>(target.value) << 32) | network.value;
}

std::uint64_t probe_key(const Vote& vote) noexcept {
  const std::uint64_t key = vote.probe & ~kClusterBit;
  return key == 0 ? 1 : key;
}

std::uint64_t witness_key(const Vote& vote) noexcept {
  return vote.cluster == 0 ? probe_key(vote) : (vote.cluster | kClusterBit);
}

bool is_decisive(State state) noexcept { return state != State::insufficient; }

// Whether a witness who says `word` backs the claim `state`: who says blocked also says "at least
// likely blocked", but only who says ok backs ok.
bool supports(State word, State state) noexcept {
  if (!is_decisive(word) || !is_decisive(state)) return false;
  return state == State::ok ? word == State::ok : word >= state;
}

bool is_blocking(State state) noexcept {
  return state == State::blocked || state == State::likely_blocked;
}

// The strongest claim that more than half of the decisive words make at least.
State majority(const StateCounts& words) noexcept {
  std::uint32_t total = 0;
  for (std::size_t state = 1; state < kStates; ++state) total += words[state];
  std::uint32_t at_least = 0;
  for (std::size_t state = kStates - 1; state > 0; --state) {
    at_least += words[state];
    if (at_least * 2 > total) return static_cast<State>(state);
  }
  return State::insufficient;
}

}  // namespace

struct Cells::LayerCell {
  explicit LayerCell(Facet which) noexcept : facet(which) {}
  Facet facet;
  State state = State::insufficient;
  State decided =
      State::insufficient;  // the last decisive state; outlives a spell of `insufficient`
  WallTime since = kNever;
  WallTime decided_since = kNever;
  WallTime last_support = kNever;    // newest word that backs `decided`
  WallTime last_otherwise = kNever;  // newest word that backed the state before
  StateCounts words{};               // last words of the witnesses by state
  WindowCounts counts;
};

struct Cells::Entry {
  TargetIndex target;
  NetworkIndex network;
  CategoryIndex category;
  MechanismIndex mechanism;
  State mechanism_state = State::insufficient;
  Tier tier = Tier::full;
  WallTime mechanism_time = kNever;
  WallTime newest = kNever;
  std::int64_t slot = 0;  // newest slot in use
  std::uint32_t deciding_probes = 0;
  std::uint32_t clusters = 0;
  std::uint32_t deciding_clusters = 0;
  WitnessTable witnesses;  // by cluster, or by probe where no cluster is known
  WitnessTable probes;
  std::vector<LayerCell> layers;

  LayerCell& cell(Facet facet) {
    for (LayerCell& layer : layers) {
      if (layer.facet == facet) return layer;
    }
    return layers.emplace_back(facet);
  }
  void count(const LayerStates& states, std::int64_t at_slot) {
    for_each_state(states,
                   [&](LayerCell& layer, State state) { layer.counts.add(at_slot, state); });
  }
  void uncount(const LayerStates& states, std::int64_t at_slot) {
    for_each_state(states,
                   [&](LayerCell& layer, State state) { layer.counts.remove(at_slot, state); });
  }
  void speak(const Word& word) {
    for_each_state(word.states, [](LayerCell& layer, State state) {
      ++layer.words[static_cast<std::size_t>(state)];
    });
    if ((word.witness & kClusterBit) == 0) return;
    ++clusters;
    if (is_decisive(*word.states.at(Facet::whole))) ++deciding_clusters;
  }
  void unspeak(const Word& word) {
    for_each_state(word.states, [](LayerCell& layer, State state) {
      --layer.words[static_cast<std::size_t>(state)];
    });
    if ((word.witness & kClusterBit) == 0) return;
    --clusters;
    if (is_decisive(*word.states.at(Facet::whole))) --deciding_clusters;
  }

 private:
  template <typename Apply>
  void for_each_state(const LayerStates& states, Apply apply) {
    for (std::size_t facet = 0; facet < kFacets; ++facet) {
      const std::optional<State> state = states.at(static_cast<Facet>(facet));
      if (state) apply(cell(static_cast<Facet>(facet)), *state);
    }
  }
};

std::optional<double> CellView::blocked_ratio() const noexcept {
  std::uint64_t decisive = 0;
  for (std::size_t i = 1; i < kStates; ++i) decisive += counts[i];
  if (decisive == 0) return std::nullopt;
  const std::uint64_t blocked = std::uint64_t{counts[static_cast<std::size_t>(State::blocked)]} +
                                counts[static_cast<std::size_t>(State::likely_blocked)];
  return static_cast<double>(blocked) / static_cast<double>(decisive);
}

Cells::Cells(CellsOptions options) : options_(options) {
  KUA_CHECK(options_.key_window.count() >= static_cast<std::int64_t>(kWindowSlots));
  KUA_CHECK(options_.core_window.count() >= static_cast<std::int64_t>(kWindowSlots));
  KUA_CHECK(options_.full_window.count() >= static_cast<std::int64_t>(kWindowSlots));
}
Cells::~Cells() = default;
Cells::Cells(Cells&&) noexcept = default;
Cells& Cells::operator=(Cells&&) noexcept = default;

Microseconds Cells::window_of(Tier tier) const noexcept {
  switch (tier) {
    case Tier::key:
      return options_.key_window;
    case Tier::core:
      return options_.core_window;
    case Tier::full:
    case Tier::control:
      return options_.full_window;
  }
  return options_.full_window;
}

Cells::Entry* Cells::find_or_open(const Vote& vote) {
  auto found = entries_.find(key_of(vote.target, vote.network));
  if (found != entries_.end()) return &found->second;
  TargetIndex target = vote.target;
  if (entries_.size() >= options_.open_max) {
    target = {};
    found = entries_.find(key_of(target, vote.network));
    if (found != entries_.end()) return &found->second;
  }
  Entry entry;
  entry.target = target;
  entry.network = vote.network;
  entry.category = vote.category;
  entry.tier = vote.tier;
  entry.slot = slot_number(now_, window_of(vote.tier) / kWindowSlots);
  return &entries_.emplace(key_of(target, vote.network), std::move(entry)).first->second;
}

// What a list says holds from now on. A claim may lengthen the window and never shortens it: one probe would
// delete the words of all others. A mixture keeps what it was opened with.
void Cells::describe(Entry& entry, const Vote& vote) {
  if (entry.target == TargetIndex{}) return;
  const bool is_listed = vote.described_by == DescribedBy::list;
  if (is_listed) entry.category = vote.category;
  if (is_listed ? vote.tier == entry.tier : vote.tier <= entry.tier) return;
  entry.tier = vote.tier;
  entry.slot = 0;  // slots are numbered anew, so the counts so far go
}

// Moves the window to `now`: counts leave by the slot, words by their own age.
void Cells::advance(Entry& entry, WallTime now) {
  const Microseconds slot = window_of(entry.tier) / kWindowSlots;
  const std::int64_t newest = slot_number(now, slot);
  if (newest <= entry.slot) return;
  const auto oldest = newest - static_cast<std::int64_t>(kWindowSlots) + 1;
  for (LayerCell& layer : entry.layers)
    layer.counts.clear(std::max(entry.slot + 1, oldest), newest);
  entry.slot = newest;
  const WallTime horizon{slot * oldest};
  entry.witnesses.drop_older(horizon, [&](const Word& word) { entry.unspeak(word); });
  entry.probes.drop_older(horizon, [&](const Word& word) {
    if (is_decisive(*word.states.at(Facet::whole))) --entry.deciding_probes;
  });
  let_go_of_old(entry);
  for (LayerCell& layer : entry.layers) decide(entry, layer);
}

// Accusations made before are not held up; by the slot, as windows are.
WallTime Cells::oldest_proof(const Entry& entry) const noexcept {
  const Microseconds slot = window_of(entry.tier) / kWindowSlots;
  const Microseconds held = entry.tier == Tier::key ? options_.key_held_for : window_of(entry.tier);
  return WallTime{slot * (entry.slot + 1 - held / slot)};
}

void Cells::let_go_of_old(Entry& entry) const {
  const WallTime oldest = oldest_proof(entry);
  const auto is_over = [oldest](const Word& word) { return word.is_held() && word.proven < oldest; };
  entry.witnesses.change_each([&](Word& word) {
    if (!is_over(word)) return;
    entry.unspeak(word);
    word.let_go();
    entry.speak(word);
  });
  entry.probes.change_each([&](Word& word) {
    if (!is_over(word)) return;
    word.let_go();
    if (!is_decisive(*word.states.at(Facet::whole))) --entry.deciding_probes;
  });
}

void Cells::decide(Entry& entry, LayerCell& cell) {
  const State state = majority(cell.words);
  if (state == cell.state) return;
  if (!is_decisive(state)) {
    cell.state = state;
    cell.since = entry.newest;
    return;
  }
  if (state != cell.decided) {
    // Between likely_blocked and blocked the proof changes, not what a user meets: one spell.
    const bool same_spell = is_blocking(state) && is_blocking(cell.decided);
    WallTime first = kNever;
    WallTime last = kNever;
    const WallTime after = same_spell ? kNever : cell.last_support;
    entry.witnesses.for_each([&](const Word& word) {
      const std::optional<State> says = word.states.at(cell.facet);
      if (!says || !supports(*says, state)) return;
      last = std::max(last, word.proven);
      if (word.proven > after && (first == kNever || word.proven < first)) first = word.proven;
    });
    if (!same_spell) {
      cell.last_otherwise = cell.last_support;
      cell.decided_since = first == kNever ? entry.newest : first;
    }
    cell.decided = state;
    cell.last_support = last;
  }
  cell.state = state;
  cell.since = cell.decided_since;
}

namespace {

// A word about the past of the present spell: one that backs it moves its begin back, no further
// than one window at a time, since nothing is known of a longer gap; one that contradicts it
// narrows when it can have begun.
template <typename Cell>
void place_in_spell(Cell& cell, State says, WallTime time, Microseconds window) {
  if (!is_decisive(says) || !is_decisive(cell.decided)) return;
  if (supports(says, cell.decided)) {
    cell.last_support = std::max(cell.last_support, time);
    if (time < cell.decided_since && time > cell.last_otherwise &&
        time >= cell.decided_since - window) {
      cell.decided_since = time;
      if (cell.state == cell.decided) cell.since = time;
    }
  } else if (time < cell.decided_since && time > cell.last_otherwise) {
    cell.last_otherwise = time;
  }
}

}  // namespace

VoteOutcome Cells::add(const Vote& vote, WallTime now) {
  now_ = std::max(now_, now);
  if (vote.states.empty()) return VoteOutcome::no_states;
  const WallTime time = std::min(vote.time, now_);
  const auto key = key_of(vote.target, vote.network);
  const auto slots = static_cast<std::int64_t>(kWindowSlots);
  if (!entries_.contains(key)) {
    const Microseconds slot = window_of(vote.tier) / kWindowSlots;
    if (slot_number(time, slot) <= slot_number(now_, slot) - slots) return VoteOutcome::late;
  }
  Entry& entry = *find_or_open(vote);
  describe(entry, vote);
  advance(entry, now_);
  const Microseconds window = window_of(entry.tier);
  const std::int64_t at = slot_number(time, window / kWindowSlots);
  if (at <= entry.slot - slots) {
    for (LayerCell& layer : entry.layers) {
      const std::optional<State> says = vote.states.at(layer.facet);
      if (says) place_in_spell(layer, *says, time, window);
    }
    return VoteOutcome::late;
  }
  entry.newest = std::max(entry.newest, time);
  entry.count(vote.states, at);
  if (entry.target == TargetIndex{}) {
    ++folded_;
    return VoteOutcome::folded;
  }
  hear(entry, vote, time);
  return VoteOutcome::counted;
}

void Cells::hear(Entry& entry, const Vote& vote, WallTime time) {
  Word* word = entry.witnesses.find(witness_key(vote));
  if (word == nullptr && entry.witnesses.size() >= options_.witnesses_max) {
    ++unheard_;
    return;
  }
  const bool first = word == nullptr;
  if (first) word = &entry.witnesses.insert(witness_key(vote));
  if (first || word->time <= time) {
    if (!first) entry.unspeak(*word);
    word->take(vote.states, vote.trouble, time, oldest_proof(entry));
    entry.speak(*word);
  }
  note_probe(entry, vote, time);
  for (LayerCell& layer : entry.layers) {
    const std::optional<State> says = vote.states.at(layer.facet);
    if (says) place_in_spell(layer, *says, time, window_of(entry.tier));
    decide(entry, layer);
  }
  note_mechanism(entry, vote, time);
}

void Cells::note_probe(Entry& entry, const Vote& vote, WallTime time) {
  Word* word = entry.probes.find(probe_key(vote));
  if (word == nullptr) {
    if (entry.probes.size() >= options_.witnesses_max) return;
    word = &entry.probes.insert(probe_key(vote));
  } else {
    if (word->time > time) return;
    if (is_decisive(*word->states.at(Facet::whole))) --entry.deciding_probes;
  }
  word->take(vote.states, vote.trouble, time, oldest_proof(entry));
  if (is_decisive(*word->states.at(Facet::whole))) ++entry.deciding_probes;
}

void Cells::note_mechanism(Entry& entry, const Vote& vote, WallTime time) {
  const State whole = entry.cell(Facet::whole).state;
  if (*vote.states.at(Facet::whole) != whole) return;
  if (entry.mechanism_state == whole && entry.mechanism_time > time) return;
  entry.mechanism = vote.mechanism;
  entry.mechanism_state = whole;
  entry.mechanism_time = time;
}

void Cells::revise(const Vote& before, const Vote& after, WallTime now) {
  now_ = std::max(now_, now);
  if (after.states.empty()) return;
  if (before.states.empty()) {
    add(after, now);
    return;
  }
  const auto found = entries_.find(key_of(before.target, before.network));
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  advance(entry, now_);
  revise_proof(entry, before, after);
  const WallTime time = std::min(before.time, now_);
  const std::int64_t at = slot_number(time, window_of(entry.tier) / kWindowSlots);
  if (at <= entry.slot - static_cast<std::int64_t>(kWindowSlots)) return;
  entry.uncount(before.states, at);
  entry.count(after.states, at);
  const auto is_last_word = [&](const Word* word) {
    return word != nullptr && word->time == time && word->latest == before.states;
  };
  if (is_last_word(entry.probes.find(probe_key(before)))) note_probe(entry, after, time);
  if (is_last_word(entry.witnesses.find(witness_key(before)))) hear(entry, after, time);
}

// An accusation that later failures hold up stands and falls with the measurement that made it.
void Cells::revise_proof(Entry& entry, const Vote& before, const Vote& after) const {
  const WallTime time = std::min(before.time, now_);
  const auto rests_on_it = [&](const Word* word) {
    return word != nullptr && word->is_held() && word->proven == time &&
           word->trouble == before.trouble;
  };
  if (Word* word = entry.probes.find(probe_key(before)); rests_on_it(word)) {
    word->judged_again(after.states, after.trouble);
    if (!is_decisive(*word->states.at(Facet::whole))) --entry.deciding_probes;
  }
  if (Word* word = entry.witnesses.find(witness_key(before)); rests_on_it(word)) {
    entry.unspeak(*word);
    word->judged_again(after.states, after.trouble);
    entry.speak(*word);
    for (LayerCell& layer : entry.layers) decide(entry, layer);
  }
}

void Cells::expire(WallTime now) {
  now_ = std::max(now_, now);
  constexpr auto kSlots = static_cast<std::int64_t>(kWindowSlots);
  for (auto item = entries_.begin(); item != entries_.end();) {
    Entry& entry = item->second;
    advance(entry, now_);
    const Microseconds slot = window_of(entry.tier) / kWindowSlots;
    const bool idle = slot_number(entry.newest, slot) <= entry.slot - kSlots;
    item = idle ? entries_.erase(item) : std::next(item);
  }
}

void Cells::note_support(const Entry& entry, TargetView& view) {
  view.proven.reset();
  view.supporting = 0;
  entry.witnesses.for_each([&](const Word& word) {
    if (!supports(*word.states.at(Facet::whole), view.whole.state)) return;
    view.proven = view.proven ? std::max(*view.proven, word.proven) : word.proven;
    if ((word.witness & kClusterBit) != 0) ++view.supporting;
  });
}

void Cells::visit(WallTime now, const std::function<void(const TargetView&)>& visitor) {
  expire(now);
  TargetView view;
  for (const auto& [key, entry] : entries_) {
    view.target = entry.target;
    view.network = entry.network;
    view.category = entry.category;
    view.tier = entry.tier;
    view.newest = entry.newest;
    view.whole = CellView();
    view.layers.clear();
    for (const LayerCell& layer : entry.layers) {
      CellView cell;
      cell.facet = layer.facet;
      cell.state = layer.state;
      cell.since = layer.since == kNever ? entry.newest : layer.since;
      if (layer.last_otherwise != kNever && layer.state == layer.decided) {
        cell.last_otherwise = layer.last_otherwise;
      }
      cell.counts = layer.counts.sum();
      for (std::size_t state = 1; state < kStates; ++state) cell.deciding += layer.words[state];
      if (layer.facet == Facet::whole) {
        view.whole = cell;
      } else {
        view.layers.push_back(cell);
      }
    }
    std::ranges::sort(view.layers, {}, &CellView::facet);
    note_support(entry, view);
    const bool decided = is_decisive(view.whole.state);
    view.probes = decided ? entry.deciding_probes : static_cast<std::uint32_t>(entry.probes.size());
    view.clusters = decided ? entry.deciding_clusters : entry.clusters;
    view.mechanism = entry.mechanism_state == view.whole.state ? entry.mechanism : MechanismIndex{};
    visitor(view);
  }
}

std::size_t Cells::open() const noexcept { return entries_.size(); }

std::size_t Cells::open_layers() const noexcept {
  std::size_t total = 0;
  for (const auto& [key, entry] : entries_) total += entry.layers.size() - 1;  // less `whole`
  return total;
}

std::uint64_t Cells::folded() const noexcept { return folded_; }
std::uint64_t Cells::unheard() const noexcept { return unheard_; }

}  // namespace kua::collector
