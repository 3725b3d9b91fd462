// One line on a terminal that says how far a long input has been read; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "collector/lines/line_file.h"
#include "platform/clock/clock.h"

namespace kua::collector {

class Progress {
 public:
  // Borrows `clock`. Silent unless standard error is a terminal.
  explicit Progress(const platform::Clock& clock);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Called for every line; writes twice a second.
  void tell(const char* doing, const LineFile& file, std::uint64_t lines);
  void clear();

 private:
  static constexpr std::uint64_t kLooksEvery = 256;  // lines between two looks at the clock
  const platform::Clock& clock_;
  bool on_terminal_;
  bool shown_ = false;
  MonotonicTime due_;
};

}  // namespace kua::collector
