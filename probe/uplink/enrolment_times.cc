#include "probe/uplink/enrolment_times.h"

namespace kua::probe {

bool EnrolmentTimes::begin(MonotonicTime now, Standing standing) noexcept {
  const Microseconds pause = standing == Standing::enrolled ? pauses_.again : pauses_.retry;
  if (begun_ && now - *begun_ < pause) return false;
  begun_ = now;
  unreached_ = false;
  return true;
}

void EnrolmentTimes::line_returned() noexcept {
  if (unreached_) begun_.reset();
}

}  // namespace kua::probe
