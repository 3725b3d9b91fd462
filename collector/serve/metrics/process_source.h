// The standard process_* families, read from /proc/self.
#pragma once

#include "collector/serve/metrics/sources.h"

namespace kua::collector {

// A figure that /proc does not give is left out, never zero.
void add_process(Families& families);

}  // namespace kua::collector
