// Reads stored records with their verdicts: those of recent ones are at hand, older ones are judged
// again from the record log, with the controls of their time. The same rules give the same answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collector/judge/judge.h"
#include "collector/limits.h"
#include "collector/store/archive.h"

namespace kua::collector {

struct JudgedRecord {
  std::string json;  // the record's line as it was sent
  Record record;
  ReceivedFacts facts;
  std::vector<Verdict> verdicts;  // empty for minute summaries
};

class SecondLook {
 public:
  // Borrows both. `controls_max`: control records read for one target of one answer.
  SecondLook(RecordArchive& archive, const Judge& judge,
             std::size_t controls_max = limits::kSecondLookControlsMax);

  // nullopt: not stored, or no longer.
  [[nodiscard]] Expected<std::optional<JudgedRecord>> find(const RecordId& id);
  [[nodiscard]] Expected<std::vector<JudgedRecord>> query(const RecordQuery& query);

 private:
  [[nodiscard]] Expected<void> judge_all(std::vector<JudgedRecord>& records);
  [[nodiscard]] Expected<void> judge_target(const TargetId& target,
                                            std::vector<JudgedRecord*>& records);

  RecordArchive& archive_;
  const Judge& judge_;
  std::size_t controls_max_;
};

}  // namespace kua::collector
