// A stretch of line: packets leave it one after another at its rate, wait in a bounded queue, are
// delayed, or get lost. Pure: it says when a packet comes out, the caller keeps it until then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "measurement/time.h"
#include "tests/lab/forwarder/chance.h"

namespace kua::lab {

class Pipe {
 public:
  struct Options {
    std::uint32_t kbps = 0;  // 0: no limit
    Microseconds delay{0};
    double loss = 0;
  };
  explicit Pipe(Options options) : options_(options) {}

  // When a packet of `bytes` that enters now comes out; nullopt: lost, or the queue was full.
  [[nodiscard]] std::optional<MonotonicTime> send(MonotonicTime now, std::size_t bytes, Chance& chance);

 private:
  Options options_;
  MonotonicTime free_at_{};   // when the last packet will have left
  MonotonicTime last_out_{};  // packets stay in order
};

// Bytes that may wait in front of a bottleneck: a quarter of a second's worth, but some packets always.
[[nodiscard]] std::size_t queue_bytes_max(std::uint32_t kbps) noexcept;

}  // namespace kua::lab
