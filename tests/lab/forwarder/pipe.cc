#include "tests/lab/forwarder/pipe.h"

#include <algorithm>

namespace kua::lab {

std::size_t queue_bytes_max(std::uint32_t kbps) noexcept {
  constexpr std::size_t kFewPackets = 16 * 1024;
  return std::max<std::size_t>(kFewPackets, std::size_t{kbps} * 1000 / 8 / 4);
}

std::optional<MonotonicTime> Pipe::send(MonotonicTime now, std::size_t bytes, Chance& chance) {
  if (options_.loss > 0 && chance.happens(options_.loss)) return std::nullopt;
  MonotonicTime out = now;
  if (options_.kbps > 0) {
    const MonotonicTime begin = std::max(now, free_at_);
    const auto waiting = static_cast<std::uint64_t>((begin - now).count()) * options_.kbps / 8000;
    if (waiting > queue_bytes_max(options_.kbps)) return std::nullopt;
    free_at_ = begin + Microseconds(static_cast<std::int64_t>(bytes * 8000 / options_.kbps));
    out = free_at_;
  }
  last_out_ = std::max(last_out_, out + options_.delay);
  return last_out_;
}

}  // namespace kua::lab
