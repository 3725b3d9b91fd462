#include "probe/uplink/backoff.h"

#include <algorithm>

#include "measurement/check.h"
#include "probe/limits.h"

namespace kua::probe {

void Backoff::failed(MonotonicTime now, double draw) {
  KUA_CHECK(draw >= 0 && draw < 1);
  constexpr std::uint32_t kDoublingsMax = 16;  // far beyond kBackoffLast; keeps the shift defined
  const Microseconds full = std::min<Microseconds>(
      kBackoffFirst * (1LL << std::min(failures_, kDoublingsMax)), kBackoffLast);
  ++failures_;
  const auto pause = static_cast<std::int64_t>(static_cast<double>(full.count()) * (0.5 + draw / 2));
  after_failure_ = now + Microseconds(pause);
}

void Backoff::told_to_wait(MonotonicTime now, std::chrono::seconds pause) {
  asked_for_ = now + std::clamp<std::chrono::seconds>(pause, std::chrono::seconds(0), kRetryAfterMax);
}

void Backoff::succeeded() noexcept {
  failures_ = 0;
  after_failure_ = {};
}

void Backoff::line_returned() noexcept { succeeded(); }

MonotonicTime Backoff::not_before() const noexcept { return std::max(after_failure_, asked_for_); }

}  // namespace kua::probe
