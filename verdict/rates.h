// How fast transfers ran under the target's name and under a harmless one, from the same address. Only
// many bytes tell: short answers are over before a bottleneck shows.
#pragma once

#include <cstdint>
#include <vector>

#include "verdict/rule.h"
#include "verdict/scene.h"

namespace kua::verdict {

struct Rates {
  std::vector<double> own;    // bytes a second of each transfer under the target's name, ascending
  std::vector<double> other;  // … under the harmless one

  // Three a side: less is chance.
  [[nodiscard]] bool are_enough() const noexcept { return own.size() >= 3 && other.size() >= 3; }
  // Of the medians. Both need are_enough().
  [[nodiscard]] double ratio() const noexcept { return median(other) / median(own); }
  // The slowest under the harmless name against the fastest under the target's.
  [[nodiscard]] double least_ratio() const noexcept { return other.front() / own.back(); }
  [[nodiscard]] static double median(const std::vector<double>& rates) noexcept { return rates[rates.size() / 2]; }
};

// Over TLS, at one address of `stop` and `family`, with what they were drawn from.
[[nodiscard]] Rates rates_at(const Scene& scene, const Stop& stop, Family family, References& references);

}  // namespace kua::verdict
