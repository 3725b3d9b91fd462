// One look at the line before anything is measured: link state, whose resolver answers, the clock. What it
// found goes into the vantage of every record that follows.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <vector>

#include "probe/cli/setup.h"
#include "probe/experiment/experiment.h"
#include "probe/vantage/anchored_clock.h"
#include "probe/vantage/resolver_probe.h"

namespace kua::probe {

struct LineLook {
  Measurement record;  // of experiment link_state, its own conclusion and the vantage filled in
  LinkState state = LinkState::unknown;
  std::optional<Microseconds> clock_error;  // of the system's wall clock; nullopt: nobody told the time
};

// What earlier looks left for the next; one per process.
struct LineMemory {
  LinkMemory link;
  ResolverFindings resolver;
  std::vector<Endpoint> asked;           // whose findings these are
  std::optional<MonotonicTime> asked_at;  // nullopt: never
  std::uint32_t turn = 0;
};

// Updates setup.vantage, and corrects the clock where servers say that it is far off: what is measured
// after that tells true times. Borrows its arguments until it is done.
[[nodiscard]] boost::asio::awaitable<LineLook> look_at_line(Setup& setup, LineMemory& memory,
                                                            AnchoredClock& clock, const TrustStore& trust);

// Whether targets may be measured over such a line: trouble of the line is no verdict on any target.
[[nodiscard]] bool may_measure(const Setup& setup, LinkState state);

}  // namespace kua::probe
