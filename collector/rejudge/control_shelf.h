// All controls of the files that are judged again, and which of them speak for a measurement: the
// same that the collector would have had when its question closed (ControlBook), found without
// regard to the order of the files. Lanes never mix: a control speaks for its own origin only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/judge/control_book.h"
#include "collector/limits.h"
#include "measurement/record.h"
#include "verdict/judge.h"

namespace kua::collector {

class ControlShelf {
 public:
  struct Options {
    ControlTiming timing;
    std::size_t controls_max = limits::kJudgeControlsMax;
    std::size_t vantages_max = limits::kControlVantagesMax;  // per target, as in ControlBook
  };
  enum class Added : std::uint8_t {
    taken,
    unusable,  // not comparable: trouble of its own line
    beyond,    // the target has controls enough
    full,      // controls_max is reached
  };

  explicit ControlShelf(Options options) : options_(options) {}

  Added add(const Measurement& control);
  // Once, when all are there: puts them in order of time and drops what was given twice.
  void close();
  // Of a measurement: per vantage the newest control that is fresh for it, before or after it, and
  // the one before. Of an imported measurement the control that came with it is the newest.
  // Borrowed.
  [[nodiscard]] std::vector<verdict::ControlView> views(const Measurement& measurement) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Entry {
    WallTime time;
    RecordId id = RecordId::from_bytes({});
    std::string origin;  // the imported measurement it came with; else empty
    Microseconds interval{};
    verdict::ControlFacts facts;
  };
  struct Page {
    ProbeId vantage;
    Microseconds interval_first{};
    std::vector<Entry> entries;
  };
  [[nodiscard]] static std::string key_of(const Measurement& measurement);
  [[nodiscard]] static const Entry* newest_for(const Page& page, const Measurement& measurement);

  Options options_;
  std::size_t size_ = 0;
  std::unordered_map<std::string, std::vector<Page>> pages_;  // by lane and target
};

}  // namespace kua::collector
