// After a cut the censor may drop everything to that address for minutes: residual blocking. Of the steps that
// look for its end, the same for TLS and HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "verdict/outcome.h"
#include "verdict/scene.h"

namespace kua::verdict {

// The detail of a verdict: how long after the cut a harmless name passed again.
inline std::string residual_detail(const StepContext& cut, const StepContext& passed) {
  const auto since = passed.offset - cut.offset - cut.duration;
  return "residual_seconds=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

// Whether the target's own name was cut as before after `since`, at the same address. An outage of the site fails
// both names and then passes both; only this tells residual blocking from it.
template <typename Step>
bool is_cut_again(const Scene& scene, const Stop& stop, const Step& first_cut, Microseconds since) {
  bool found = false;
  scene.each<Step>(stop, [&](std::uint32_t, const Step& step) {
    found |= is_own(step.role) && step.endpoint.address == first_cut.endpoint.address && step.offset > since &&
             how_failed(step) == how_failed(first_cut);
  });
  return found;
}

}  // namespace kua::verdict
