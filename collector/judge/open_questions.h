// Measurements whose verdict another control may still change: nothing to compare with when they
// came, or an accusation that rests on a control from before them. Bounded in number and bytes; the
// oldest goes first and is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/ingest/received.h"
#include "collector/limits.h"
#include "measurement/verdict.h"

namespace kua::collector {

struct OpenQuestion {
  Measurement measurement;
  ReceivedFacts facts;
  std::vector<Verdict> verdicts;  // the latest
};

class OpenQuestions {
 public:
  struct Bounds {
    std::size_t count_max = limits::kOpenQuestionsMax;
    std::size_t bytes_max = limits::kOpenQuestionBytesMax;  // of the measurements, as weighed below
  };

  explicit OpenQuestions(Bounds bounds) : bounds_(bounds) {}

  void add(OpenQuestion question);
  // Those of `target` made before `horizon` are closed: no control reaches back that far.
  void close_before(const TargetId& target, WallTime horizon);
  // Those of `target` that are open, oldest first. Borrowed until the next call that is not const.
  [[nodiscard]] std::vector<OpenQuestion*> of(const TargetId& target);

  [[nodiscard]] std::size_t size() const noexcept { return questions_.size(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  // What was counted in the replay on start is no news.
  void live() noexcept { dropped_ = 0; }

 private:
  struct Item {
    OpenQuestion question;
    std::size_t weight = 0;
  };
  using Items = std::list<Item>;
  void remove(Items::iterator item);

  Bounds bounds_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
  Items questions_;  // in order of arrival
  std::unordered_map<std::string, std::vector<Items::iterator>> by_target_;
};

// About how many bytes a measurement holds in memory.
[[nodiscard]] std::size_t weigh(const Measurement& measurement) noexcept;

}  // namespace kua::collector
