// What one measurement says of its target: a state for each layer that was judged and the summary,
// packed into four bytes, since every witness of every cell keeps one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "measurement/verdict.h"

namespace kua::collector {

// A layer's place in a cell, or the target as a whole.
enum class Facet : std::uint8_t {
  dns = 0,
  tcp = 1,
  tls = 2,
  http = 3,
  quic = 4,
  link = 5,
  whole = 6
};
inline constexpr std::size_t kFacets = 7;
inline constexpr std::size_t kStates = 6;

[[nodiscard]] constexpr Facet facet_of(Layer layer) noexcept {
  return static_cast<Facet>(static_cast<std::uint8_t>(layer));
}
// nullopt for `whole`.
[[nodiscard]] constexpr std::optional<Layer> layer_of(Facet facet) noexcept {
  if (facet == Facet::whole) return std::nullopt;
  return static_cast<Layer>(static_cast<std::uint8_t>(facet));
}

class LayerStates {
 public:
  // Empty when there are no verdicts: trouble of the line is no verdict on any target.
  [[nodiscard]] static LayerStates of(const std::vector<Verdict>& verdicts);

  [[nodiscard]] std::optional<State> at(Facet facet) const noexcept {
    const auto nibble = (packed_ >> shift(facet)) & 0xFU;
    if (nibble == kNone) return std::nullopt;
    return static_cast<State>(nibble);
  }
  // A copy that says `state` there.
  [[nodiscard]] LayerStates with(Facet facet, State state) const noexcept {
    LayerStates copy = *this;
    copy.set(facet, static_cast<std::uint8_t>(state));
    return copy;
  }
  [[nodiscard]] bool empty() const noexcept { return !at(Facet::whole); }
  friend bool operator==(const LayerStates&, const LayerStates&) = default;

 private:
  static constexpr std::uint8_t kNone = 0xF;
  static constexpr unsigned shift(Facet facet) noexcept {
    return 4U * static_cast<unsigned>(facet);
  }
  void set(Facet facet, std::uint8_t nibble) noexcept {
    packed_ =
        (packed_ & ~(0xFU << shift(facet))) | (static_cast<std::uint32_t>(nibble) << shift(facet));
  }
  std::uint32_t packed_ = 0x0FFFFFFFU;
};

}  // namespace kua::collector
