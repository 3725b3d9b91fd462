// What a judgement found, in the form that two judgements are compared in and people read: one line
// a verdict. Evidence is left out: it is the same observations named anew.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collector/limits.h"
#include "measurement/error.h"
#include "measurement/names.h"
#include "measurement/verdict.h"

namespace kua::collector {

// "www.example.com tls ip4: blocked tls.reset.sni (tls.reset_for_name_only)", sorted; equal
// findings once.
[[nodiscard]] std::vector<std::string> findings_of(const std::vector<Verdict>& verdicts);

// What is in one and not in the other.
struct Change {
  State before = State::insufficient;
  State after = State::insufficient;
  std::vector<std::string> gone;
  std::vector<std::string> come;
  [[nodiscard]] bool any() const noexcept { return !gone.empty() || !come.empty(); }
};
[[nodiscard]] Change compare(const std::vector<Verdict>& before, const std::vector<Verdict>& after);

// Verdicts of an earlier run, by record: what `judge --json` printed, or lines of the desk that
// hold a record and its verdicts.
class EarlierVerdicts {
 public:
  explicit EarlierVerdicts(std::size_t bytes_max = limits::kAgainstBytesMax)
      : bytes_max_(bytes_max) {}
  // Errors: invalid_input for a line that is neither, limit when memory is full. The last line of a
  // record counts.
  [[nodiscard]] Expected<void> add(std::string_view line);
  // False: nothing is known of it.
  [[nodiscard]] bool find(const RecordId& id, std::vector<Verdict>& out) const;
  [[nodiscard]] std::size_t size() const noexcept { return by_record_.size(); }

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::unordered_map<RecordId, std::string> by_record_;  // JSON, checked
};

}  // namespace kua::collector
