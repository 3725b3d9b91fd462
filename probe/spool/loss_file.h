// What would be lost without a word if the process ended now: losses that the spool's own file does not
// tell yet, because the disk is full or broken, and the records that only memory holds. Its room on the disk
// is taken while there is some, and it is overwritten in place: a full disk does not stop it.
#pragma once

#include <memory>
#include <string>

#include "measurement/record.h"

namespace kua::probe {

inline constexpr const char* kLossFileSuffix = ".losses";  // behind the spool's name

class LossFile {
 public:
  // Made if it is not there. Another process that has it open keeps it; this one tries again at each write.
  // Without it counts live in memory alone, and nothing else changes.
  explicit LossFile(std::string path);

  // What the process before this one left; empties it.
  [[nodiscard]] LimitCounts take();
  // Replaces what it says; writes only where that is something else.
  void keep(const LimitCounts& counts);

 private:
  struct Close {
    void operator()(const int* descriptor) const noexcept;
  };
  [[nodiscard]] bool is_ours();
  void write(const std::string& text);

  std::string path_;
  std::unique_ptr<int, Close> file_;  // locked; nullptr: not ours
  std::string said_;
};

}  // namespace kua::probe
