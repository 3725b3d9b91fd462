// A token bucket: so many at once, so many a minute. Pure; time is passed in.
#pragma once

#include <algorithm>

#include "measurement/time.h"

namespace kua::collector {

struct Rate {
  double per_minute = 60;
  double burst = 60;
  friend bool operator==(const Rate&, const Rate&) = default;
};

class TokenBucket {
 public:
  // Full at first.
  [[nodiscard]] bool take(const Rate& rate, MonotonicTime now) {
    refill(rate, now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  // Whether take() would succeed; takes nothing.
  [[nodiscard]] bool has(const Rate& rate, MonotonicTime now) {
    refill(rate, now);
    return tokens_ >= 1;
  }
  // Whole seconds until the next token, at least 1; for Retry-After.
  [[nodiscard]] long wait_seconds(const Rate& rate) const {
    if (rate.per_minute <= 0) return 3600;
    return std::max(1L, static_cast<long>((1 - tokens_) * 60 / rate.per_minute) + 1);
  }
  [[nodiscard]] MonotonicTime last_used() const { return last_; }

 private:
  void refill(const Rate& rate, MonotonicTime now) {
    if (fresh_) {
      tokens_ = rate.burst;
      fresh_ = false;
    } else if (now > last_) {
      const double minutes = std::chrono::duration<double, std::ratio<60>>(now - last_).count();
      tokens_ = std::min(rate.burst, tokens_ + minutes * rate.per_minute);
    }
    last_ = std::max(last_, now);
  }

  double tokens_ = 0;
  MonotonicTime last_{};
  bool fresh_ = true;
};

}  // namespace kua::collector
