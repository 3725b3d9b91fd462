// The collector's judge: every measurement that is on disk is judged against the controls there
// are, and judged again when a control comes that it lacked or that looks at the same moment from
// the other side: an accusation may rest on a control from before the site itself went down.
// Instants come with the records, so a replay of the log on start concludes the same.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>
#include <vector>

#include "collector/ingest/received.h"
#include "collector/judge/control_book.h"
#include "collector/judge/judgement_sink.h"
#include "collector/judge/knowledge_set.h"
#include "collector/judge/open_questions.h"
#include "collector/judge/verdict_cache.h"
#include "collector/limits.h"
#include "platform/clock/clock.h"

namespace kua::collector {

// False for verdicts about the line alone: the vantage gate was closed, or nothing was seen.
[[nodiscard]] bool speaks_of_target(const std::vector<Verdict>& verdicts) noexcept;

struct JudgeOptions {
  // Which probes may serve as controls. A control decides what others' measurements mean, so a
  // collector that strangers can enrol at names its own; nullopt believes any that calls itself
  // one.
  std::optional<std::set<ProbeId>> controls;
  ControlBook::Options book;
  OpenQuestions::Bounds open;
  std::size_t cached_max = limits::kCachedVerdictsMax;  // records whose verdicts are kept at hand
};

struct JudgeCounters {
  std::uint64_t judged = 0;
  std::uint64_t judged_again = 0;      // times a verdict was made anew
  std::uint64_t revised = 0;           // of these, how many changed the summary
  std::uint64_t controls = 0;          // control measurements taken
  std::uint64_t controls_ignored = 0;  // not comparable, too old
  std::uint64_t controls_beyond = 0;   // turned away by a bound of the control book
  std::uint64_t imported = 0;  // records of another origin: kept, never a witness nor a control of ours
  std::uint64_t strangers = 0;  // records that called themselves control and were not believed
};

class Judge final : public RecordSink {
 public:
  // Borrows `sink` and `clock`; the clock only times the work.
  Judge(JudgeOptions options, JudgementSink& sink, const platform::Clock& clock);

  void set_knowledge(std::shared_ptr<const KnowledgeSet> knowledge);
  // Told how long each judgement took.
  void set_timer(std::function<void(Microseconds)> timer) { timer_ = std::move(timer); }

  // The replay on start is over: counters begin here.
  void live() noexcept {
    counters_ = {};
    open_.live();
  }

  void on_record(const ReceivedRecord& received) override;
  void on_heartbeat(const ProbeId& probe, LinkState state, const ReceivedFacts& facts) override;

  // Of a recent record: borrowed until the next on_record(); nullptr: judge it again.
  [[nodiscard]] const std::vector<Verdict>* cached(const RecordId& id) const;
  [[nodiscard]] bool is_control(const RecordHeader& header) const;
  [[nodiscard]] const ControlTiming& timing() const noexcept { return options_.book.timing; }
  [[nodiscard]] const std::shared_ptr<const KnowledgeSet>& knowledge() const { return knowledge_; }

  [[nodiscard]] std::size_t controls_reporting(WallTime now) const { return book_.reporting(now); }
  [[nodiscard]] const JudgeCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const OpenQuestions& open() const noexcept { return open_; }

 private:
  void on_control(const Measurement& control, const ReceivedFacts& facts);
  void on_probe(const Measurement& measurement, const ReceivedFacts& facts);
  [[nodiscard]] std::vector<Verdict> conclude(const Measurement& measurement);

  JudgeOptions options_;
  JudgementSink& sink_;
  const platform::Clock& clock_;
  std::shared_ptr<const KnowledgeSet> knowledge_;
  std::function<void(Microseconds)> timer_;
  ControlBook book_;
  OpenQuestions open_;
  VerdictCache cache_;
  std::unordered_set<ProbeId> known_controls_;  // that sent a record, believed or not
  JudgeCounters counters_;
  WallTime expired_{};  // when the book was last cleared of old controls
};

}  // namespace kua::collector
