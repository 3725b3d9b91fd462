// Randomness that repeats: every flow draws from a generator of its own, seeded by what the scenario
// says and not by when the packets happened to come.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "measurement/address.h"

namespace kua::lab {

// SplitMix64 (Steele, Lea, Flood 2014): tiny, and good enough to lose packets with.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next();
  [[nodiscard]] double fraction();  // [0, 1)
  [[nodiscard]] bool happens(double probability) { return fraction() < probability; }

 private:
  std::uint64_t state_;
};

// Number of the seed's "rule" for what the line does to everybody.
inline constexpr std::size_t kLineRule = ~std::size_t{0};

[[nodiscard]] std::uint64_t seed_of(std::size_t rule, const IpAddress& remote, std::uint16_t port,
                                    std::uint64_t flow);

// Counts the flows to each remote address and port: the first one is 0.
class FlowCounter {
 public:
  [[nodiscard]] std::uint64_t next(const IpAddress& remote, std::uint16_t port) {
    return counts_[{remote, port}]++;
  }

 private:
  std::map<std::pair<IpAddress, std::uint16_t>, std::uint64_t> counts_;
};

}  // namespace kua::lab
