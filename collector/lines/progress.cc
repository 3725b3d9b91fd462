#include "collector/lines/progress.h"

#include <unistd.h>

#include <cstdio>

namespace kua::collector {
namespace {

constexpr std::chrono::milliseconds kEvery{500};

}  // namespace

Progress::Progress(const platform::Clock& clock)
    : clock_(clock),
      on_terminal_(isatty(STDERR_FILENO) == 1),
      due_(clock.monotonic_now() + kEvery) {}

Progress::~Progress() { clear(); }

void Progress::tell(const char* doing, const LineFile& file, std::uint64_t lines) {
  if (!on_terminal_ || lines % kLooksEvery != 0 || clock_.monotonic_now() < due_) return;
  due_ = clock_.monotonic_now() + kEvery;
  shown_ = true;
  std::fprintf(stderr, "\r\x1b[K%s %s: %llu lines", doing, file.name().c_str(),
               static_cast<unsigned long long>(lines));
  if (const auto size = file.bytes_in_all(); size && *size > 0) {
    std::fprintf(stderr, ", %d %%", static_cast<int>(file.bytes_read() * 100 / *size));
  }
}

void Progress::clear() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

}  // namespace kua::collector
