#include "collector/cells/directory.h"

#include "measurement/target.h"

namespace kua::collector {

std::string network_name(Asn asn) { return "AS" + std::to_string(asn.number); }

std::size_t Directory::NetworkHash::operator()(const Network& network) const noexcept {
  const std::string& country = network.country.text();  // always two letters
  const std::uint64_t packed = (static_cast<std::uint64_t>(network.asn.number) << 32) |
                               (static_cast<std::uint64_t>(country[0]) << 16) |
                               (static_cast<std::uint64_t>(country[1]) << 8) |
                               static_cast<std::uint64_t>(network.type);
  return static_cast<std::size_t>((packed * 0x9e3779b97f4a7c15U) >> 7);
}

Directory::Directory(Bounds bounds)
    : bounds_(bounds),
      networks_(1),
      targets_(1, "other"),
      categories_(1, "MISC"),
      mechanisms_(1, "") {}

TargetIndex Directory::admit(const TargetId& target) {
  const auto found = target_index_.find(target.text());
  if (found != target_index_.end()) return {found->second};
  const auto index = static_cast<std::uint32_t>(targets_.size());
  targets_.push_back(target.text());
  target_index_.emplace(target.text(), index);
  return {index};
}

NetworkIndex Directory::network(const Network& network) {
  const auto found = network_index_.find(network);
  if (found != network_index_.end()) return {found->second};
  if (networks_.size() > bounds_.networks_max) {
    ++folded_.networks;
    return {};
  }
  const auto index = static_cast<std::uint32_t>(networks_.size());
  networks_.push_back(network);
  network_index_.emplace(network, index);
  return {index};
}

TargetIndex Directory::target(const TargetId& target) {
  const auto found = target_index_.find(target.text());
  if (found != target_index_.end()) return {found->second};
  if (unlisted_targets_ >= bounds_.unlisted_targets_max) {
    ++folded_.targets;
    return {};
  }
  ++unlisted_targets_;
  return admit(target);
}

CategoryIndex Directory::category(std::string_view code) {
  const auto found = category_index_.find(code);
  if (found != category_index_.end()) return {found->second};
  if (!is_known_category(code)) return {};
  const auto index = static_cast<std::uint32_t>(categories_.size());
  categories_.emplace_back(code);
  category_index_.emplace(std::string(code), index);
  return {index};
}

MechanismIndex Directory::mechanism(std::string_view mechanism) {
  if (mechanism.empty()) return {};
  const auto found = mechanism_index_.find(mechanism);
  if (found != mechanism_index_.end()) return {found->second};
  if (mechanisms_.size() > bounds_.mechanisms_max) {
    ++folded_.mechanisms;
    return {};
  }
  const auto index = static_cast<std::uint32_t>(mechanisms_.size());
  mechanisms_.emplace_back(mechanism);
  mechanism_index_.emplace(std::string(mechanism), index);
  return {index};
}

}  // namespace kua::collector
