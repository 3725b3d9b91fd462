#include "collector/judge/judge.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "verdict/judge.h"

namespace kua::collector {
namespace {

constexpr Microseconds kExpireEvery = std::chrono::minutes(1);

}  // namespace

bool speaks_of_target(const std::vector<Verdict>& verdicts) noexcept {
  return std::ranges::any_of(verdicts,
                             [](const Verdict& verdict) { return verdict.layer != Layer::link; });
}

Judge::Judge(JudgeOptions options, JudgementSink& sink, const platform::Clock& clock)
    : options_(std::move(options)),
      sink_(sink),
      clock_(clock),
      knowledge_(std::make_shared<KnowledgeSet>()),
      book_(options_.book),
      open_(options_.open),
      cache_(options_.cached_max) {}

void Judge::set_knowledge(std::shared_ptr<const KnowledgeSet> knowledge) {
  knowledge_ = std::move(knowledge);
}

bool Judge::is_control(const RecordHeader& header) const {
  if (header.role != ProbeRole::control || header.origin) return false;
  return !options_.controls || options_.controls->contains(header.probe);
}

void Judge::on_record(const ReceivedRecord& received) {
  const RecordHeader& header = header_of(received.record);
  const auto* measurement = std::get_if<Measurement>(&received.record);
  if (header.origin) {
    ++counters_.imported;
    return;
  }
  if (header.role == ProbeRole::control) {
    if (known_controls_.size() < limits::kKnownControlsMax &&
        known_controls_.insert(header.probe).second) {
      sink_.on_control(header.probe);
    }
    if (measurement == nullptr) return;
    if (is_control(header)) {
      on_control(*measurement, received.facts);
    } else {
      ++counters_.strangers;
    }
    return;
  }
  sink_.on_contact(header, received.facts);
  if (measurement != nullptr) on_probe(*measurement, received.facts);
}

void Judge::on_heartbeat(const ProbeId& probe, LinkState state, const ReceivedFacts& facts) {
  if (!known_controls_.contains(probe)) sink_.on_heartbeat(probe, state, facts);
}

void Judge::on_probe(const Measurement& measurement, const ReceivedFacts& facts) {
  if (measurement.experiment == "link_state") {
    if (measurement.validity != Validity::ok) return;
    sink_.on_link(measurement, facts, verdict::conclude_link_state(measurement));
    return;
  }
  std::vector<Verdict> verdicts = conclude(measurement);
  ++counters_.judged;
  sink_.on_judged(measurement, facts, verdicts);
  // What is ok stays ok whatever a control saw, and a line in trouble says nothing of the target;
  // everything else may yet turn out otherwise.
  if (summarize(verdicts) == State::ok || !speaks_of_target(verdicts)) return;
  cache_.put(measurement.header.id, verdicts);
  open_.add({measurement, facts, std::move(verdicts)});
}

void Judge::on_control(const Measurement& control, const ReceivedFacts& facts) {
  const std::uint64_t turned_away = book_.turned_away();
  if (!book_.add(control)) {
    ++(book_.turned_away() > turned_away ? counters_.controls_beyond : counters_.controls_ignored);
    return;
  }
  ++counters_.controls;
  if (facts.received - expired_ >= kExpireEvery) {
    expired_ = facts.received;
    book_.expire(facts.received);
  }
  open_.close_before(control.target, control.header.time - book_.reach(control.target));
  for (OpenQuestion* question : open_.of(control.target)) {
    std::vector<Verdict> verdicts = conclude(question->measurement);
    ++counters_.judged_again;
    if (verdicts == question->verdicts) continue;
    if (summarize(verdicts) != summarize(question->verdicts)) ++counters_.revised;
    cache_.put(question->measurement.header.id, verdicts);
    sink_.on_revised(question->measurement, question->facts, question->verdicts, verdicts);
    question->verdicts = std::move(verdicts);
  }
}

std::vector<Verdict> Judge::conclude(const Measurement& measurement) {
  const std::vector<verdict::ControlView> views =
      book_.views(measurement.target, measurement.header.time);
  const MonotonicTime begin = clock_.monotonic_now();
  std::vector<Verdict> verdicts = verdict::judge(measurement, views, knowledge_->view());
  if (timer_) timer_(clock_.monotonic_now() - begin);
  return verdicts;
}

const std::vector<Verdict>* Judge::cached(const RecordId& id) const { return cache_.find(id); }

}  // namespace kua::collector
