// Small numbers for the words that cells, presence and metrics are keyed by: networks, targets,
// categories, mechanisms. Bounded, since probes choose what they claim: what passes a bound becomes
// index 0, "other", and is counted. An index never changes its meaning while the process lives.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collector/limits.h"
#include "measurement/names.h"
#include "measurement/vantage.h"

namespace kua::collector {

template <typename Tag>
struct Index {
  std::uint32_t value = 0;
  friend auto operator<=>(const Index&, const Index&) = default;
};
using NetworkIndex = Index<struct NetworkTag>;
using TargetIndex = Index<struct TargetTag>;
using CategoryIndex = Index<struct CategoryTag>;
using MechanismIndex = Index<struct MechanismTag>;

// Where a probe looks from, as far as cells tell places apart.
struct Network {
  CountryCode country = *CountryCode::parse("ZZ");
  Asn asn;
  NetworkType type = NetworkType::unknown;
  friend auto operator<=>(const Network&, const Network&) = default;
};
// "AS9198"; the label value and the word on pages. AS0 is an unknown one.
[[nodiscard]] std::string network_name(Asn asn);

class Directory {
 public:
  struct Bounds {
    std::size_t networks_max = limits::kNetworksMax;
    std::size_t unlisted_targets_max =
        limits::kUnlistedTargetsMax;  // targets of the signed list come on top
    std::size_t mechanisms_max = limits::kMechanismsMax;
  };
  struct Folded {
    std::uint64_t networks = 0;  // look-ups answered "other", not distinct words
    std::uint64_t targets = 0;
    std::uint64_t mechanisms = 0;
  };

  explicit Directory(Bounds bounds);

  // A target of the signed list: has its place whatever probes claim.
  TargetIndex admit(const TargetId& target);

  [[nodiscard]] NetworkIndex network(const Network& network);
  [[nodiscard]] TargetIndex target(const TargetId& target);
  // Codes outside Citizen Lab's set are "MISC".
  [[nodiscard]] CategoryIndex category(std::string_view code);
  [[nodiscard]] MechanismIndex mechanism(std::string_view mechanism);  // empty text: 0

  [[nodiscard]] const Network& at(NetworkIndex index) const { return networks_.at(index.value); }
  [[nodiscard]] const std::string& at(TargetIndex index) const { return targets_.at(index.value); }
  [[nodiscard]] const std::string& at(CategoryIndex i) const { return categories_.at(i.value); }
  [[nodiscard]] const std::string& at(MechanismIndex i) const { return mechanisms_.at(i.value); }
  [[nodiscard]] std::size_t network_count() const noexcept { return networks_.size(); }
  [[nodiscard]] const Folded& folded() const noexcept { return folded_; }
  // What was counted in the replay on start is no news.
  void live() noexcept { folded_ = {}; }

 private:
  // Finds without making a string of the key.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using TextMap = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;
  struct NetworkHash {
    std::size_t operator()(const Network& network) const noexcept;
  };

  Bounds bounds_;
  Folded folded_;
  std::size_t unlisted_targets_ = 0;
  std::vector<Network> networks_;
  std::unordered_map<Network, std::uint32_t, NetworkHash> network_index_;
  std::vector<std::string> targets_;
  TextMap target_index_;
  std::vector<std::string> categories_;
  TextMap category_index_;
  std::vector<std::string> mechanisms_;
  TextMap mechanism_index_;
};

}  // namespace kua::collector
