#include "tests/lab/forwarder/chance.h"

namespace kua::lab {

std::uint64_t Chance::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Chance::fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t seed_of(std::size_t rule, const IpAddress& remote, std::uint16_t port,
                      std::uint64_t flow) {
  std::uint64_t seed = 0xcbf29ce484222325;  // FNV-1a, then one SplitMix64 step to spread it
  const auto mix = [&seed](std::uint64_t value) {
    for (int i = 0; i < 8; ++i) {
      seed = (seed ^ (value & 0xff)) * 0x100000001b3;
      value >>= 8;
    }
  };
  mix(rule);
  for (const std::uint8_t byte : remote.bytes()) mix(byte);
  mix(port);
  mix(flow);
  return Chance(seed).next();
}

}  // namespace kua::lab
