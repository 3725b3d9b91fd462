// `kua-collector judge`: judges the measurements of any files again with the rules and lists of
// today. Two passes: the controls first, then every measurement beside those of its time, so that
// the order of the files does not matter. Memory holds the controls and one line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/judge/knowledge_set.h"
#include "collector/lines/line_file.h"
#include "collector/rejudge/control_shelf.h"
#include "collector/rejudge/findings.h"
#include "measurement/error.h"

namespace kua::collector {

enum class JudgeOutput : std::uint8_t { lines, json, summary };

// Told of each measurement instead of a line being written.
using JudgedSink = std::function<void(const Measurement&, const std::vector<Verdict>&)>;

struct RejudgeOptions {
  JudgeOutput output = JudgeOutput::lines;
  bool only_changed = false;
  bool compare = false;  // with `against`, or with the verdicts that stand beside a record
  KnowledgeSet knowledge;
  std::optional<std::set<ProbeId>> controls;  // who may be one; nullopt: any that calls itself one
  ControlShelf::Options shelf;
  JudgedSink sink;
};

struct RejudgeCounts {
  std::uint64_t lines = 0;
  std::uint64_t judged = 0;
  std::uint64_t minute_summaries = 0;
  std::uint64_t controls = 0;          // taken
  std::uint64_t controls_ignored = 0;  // not comparable, or beyond those of one target
  std::uint64_t controls_not_vouched = 0;
  std::uint64_t compared = 0;
  std::uint64_t changed = 0;                       // some finding
  std::uint64_t state_changed = 0;                 // of these, the summary state
  std::uint64_t without_earlier = 0;               // nothing to compare with
  std::map<std::string, std::uint64_t> bad_lines;  // by reason
  std::map<State, std::uint64_t> states;
  std::map<std::string, std::uint64_t> rules;  // of every verdict
  [[nodiscard]] std::uint64_t bad() const noexcept;
};

class Rejudge {
 public:
  // Borrows `against` and both streams. Lines go to `out`, what cannot be read is named in `err`.
  Rejudge(RejudgeOptions options, const EarlierVerdicts& against, std::FILE* out, std::FILE* err);

  // Reads each file twice. Errors: of LineFile; limit (too many controls); io when `out` fails.
  [[nodiscard]] Expected<void> run(std::vector<LineFile>& files);
  [[nodiscard]] const RejudgeCounts& counts() const noexcept { return counts_; }
  // What was done, in a few lines for people; with JudgeOutput::summary also each rule and how
  // often it spoke.
  void print_counts(std::FILE* to) const;

 private:
  [[nodiscard]] Expected<void> collect_controls(LineFile& file);
  [[nodiscard]] Expected<void> add_control(const Measurement& control);
  [[nodiscard]] Expected<void> judge_file(LineFile& file);
  void judge_line(const LineFile& file, const FileLine& line);
  void judge_record(const Record& record, std::string_view verdicts_beside);
  void write(const Measurement& measurement, const std::vector<Verdict>& verdicts,
             const Change* change);
  void refuse(const LineFile& file, const FileLine& line, const Error& error);
  [[nodiscard]] bool may_control(const RecordHeader& header) const;

  RejudgeOptions options_;
  const EarlierVerdicts& against_;
  std::FILE* out_;
  std::FILE* err_;
  ControlShelf shelf_;
  RejudgeCounts counts_;
  std::string text_;
};

}  // namespace kua::collector
