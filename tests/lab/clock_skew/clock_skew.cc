// Preloaded into a probe to put its wall clock wrong: every way of asking for the time of day answers
// KUA_LAB_CLOCK_SKEW_SECONDS late or early, monotonic clocks stay as they are. Namespaces cannot do
// this: the kernel's time namespaces leave CLOCK_REALTIME out.
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

time_t skew_seconds() {
  static const time_t skew = [] {
    const char* text = std::getenv("KUA_LAB_CLOCK_SKEW_SECONDS");
    return text == nullptr ? time_t{0} : static_cast<time_t>(std::strtol(text, nullptr, 10));
  }();
  return skew;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, struct timespec* out) noexcept {
  const int result = static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    out->tv_sec += skew_seconds();
  }
  return result;
}

time_t time(time_t* out) noexcept {
  struct timespec now {};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval* out, void* /*zone*/) noexcept {
  struct timespec now {};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  if (result == 0) {
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
  }
  return result;
}

}  // extern "C"
