#include "collector/cells/attendance.h"

#include <algorithm>
#include <map>
#include <set>

namespace kua::collector {

void Attendance::heard(std::uint64_t probe, NetworkIndex network, std::uint64_t cluster,
                       WallTime now) {
  now_ = std::max(now_, now);
  auto found = probes_.find(probe);
  if (found == probes_.end()) {
    if (probes_.size() >= options_.probes_max) {
      ++turned_away_;
      return;
    }
    found = probes_.emplace(probe, Presence()).first;
    found->second.interval = options_.interval_first;
  } else if (now_ > found->second.heard) {
    // A mean of the gaps. Calls of one burst are one call, and a gap after an outage says nothing
    // of the usual rhythm.
    Presence& presence = found->second;
    const Microseconds gap = std::min(now_ - presence.heard, 3 * presence.interval);
    if (gap >= options_.interval_min) {
      presence.interval = std::clamp(presence.interval + (gap - presence.interval) / 4,
                                     options_.interval_min, options_.interval_max);
    }
  }
  Presence& presence = found->second;
  presence.network = network;
  if (cluster != 0) presence.cluster = cluster;
  presence.heard = now_;
  networks_[network.value] = now_;
}

void Attendance::link_state(std::uint64_t probe, LinkState state, WallTime time) {
  const auto found = probes_.find(probe);
  if (found == probes_.end() || state == LinkState::unknown) return;
  if (time < found->second.link_time) return;
  found->second.link = state;
  found->second.link_time = time;
}

std::optional<NetworkIndex> Attendance::network_of(std::uint64_t probe) const {
  const auto found = probes_.find(probe);
  if (found == probes_.end()) return std::nullopt;
  return found->second.network;
}

bool Attendance::is_reporting(const Presence& presence, WallTime now) const noexcept {
  return now - presence.heard <= 3 * presence.interval;
}

void Attendance::expire(WallTime now) {
  now_ = std::max(now_, now);
  std::erase_if(probes_, [this](const auto& item) {
    return now_ - item.second.heard > options_.expected_for;
  });
  std::erase_if(networks_, [this](const auto& item) {
    return now_ - item.second > options_.network_kept_for;
  });
}

std::vector<NetworkAttendance> Attendance::networks(WallTime now) {
  expire(now);
  std::map<std::uint32_t, NetworkAttendance> by_network;
  std::map<std::uint32_t, std::set<std::uint64_t>> clusters;
  for (const auto& [network, heard_at] : networks_) {
    by_network[network].network = NetworkIndex{network};
    by_network[network].last_heard = heard_at;
  }
  for (const auto& [probe, presence] : probes_) {
    NetworkAttendance& at = by_network[presence.network.value];
    at.network = presence.network;
    ++at.expected;
    if (!is_reporting(presence, now_)) continue;
    ++at.reporting;
    ++at.link_states[static_cast<std::size_t>(presence.link)];
    if (presence.cluster != 0) clusters[presence.network.value].insert(presence.cluster);
  }
  std::vector<NetworkAttendance> result;
  for (auto& [index, at] : by_network) {
    at.clusters = static_cast<std::uint32_t>(clusters[index].size());
    result.push_back(at);
  }
  return result;
}

}  // namespace kua::collector
