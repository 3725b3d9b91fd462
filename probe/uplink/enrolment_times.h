// When to enrol: pure, time passed in. Again each day, since the network may have changed its number or
// country; after a failure not before a pause, however often reports are hurried.
#pragma once

#include <cstdint>
#include <optional>

#include "measurement/time.h"

namespace kua::probe {

enum class Standing : std::uint8_t { stranger, enrolled };

class EnrolmentTimes {
 public:
  struct Pauses {
    Microseconds again;  // once enrolled
    Microseconds retry;  // while a stranger
  };
  explicit EnrolmentTimes(Pauses pauses) noexcept : pauses_(pauses) {}

  // Whether an attempt is due; if so it counts as begun.
  [[nodiscard]] bool begin(MonotonicTime now, Standing standing) noexcept;
  // The attempt met nobody, so that the line's return makes the next one worth while.
  void unreached() noexcept { unreached_ = true; }
  void line_returned() noexcept;

 private:
  Pauses pauses_;
  std::optional<MonotonicTime> begun_;
  bool unreached_ = false;
};

}  // namespace kua::probe
