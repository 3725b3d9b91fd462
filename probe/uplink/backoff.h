// When an endpoint may be tried again: pure, time passed in. Doubles from kBackoffFirst to kBackoffLast
// with jitter, obeys Retry-After, and is forgotten when the line returns.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "measurement/time.h"

namespace kua::probe {

class Backoff {
 public:
  // `draw` in [0, 1): the jitter of this failure, from half to the whole of the pause.
  void failed(MonotonicTime now, double draw);
  // The peer named a time itself; cut to kRetryAfterMax.
  void told_to_wait(MonotonicTime now, std::chrono::seconds pause);
  void succeeded() noexcept;
  // The line came back: whatever failed before says nothing about now. A pause the peer asked for stays.
  void line_returned() noexcept;

  [[nodiscard]] bool may_try(MonotonicTime now) const noexcept { return now >= not_before(); }
  [[nodiscard]] MonotonicTime not_before() const noexcept;

 private:
  std::uint32_t failures_ = 0;
  MonotonicTime after_failure_{};
  MonotonicTime asked_for_{};
};

}  // namespace kua::probe
