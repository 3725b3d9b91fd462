// Records with every field set, for tests of the codec.
#pragma once

#include "measurement/record.h"

namespace kua::test {

// Every optional engaged, every list filled, one observation of each kind.
Measurement full_measurement();
// About 2 kB as a line: what a key-tier check of a reachable page sends.
Measurement usual_measurement();
MinuteSummary usual_summary();

}  // namespace kua::test
