// Overviews by hand, for tests of what is made from them.
#pragma once

#include <random>
#include <string>

#include "collector/serve/overview.h"
#include "collector/serve/publication/publication.h"

namespace kua::collector::test {

inline const WallTime kNow = *parse_rfc3339("2022-01-05T10:55:30Z");

inline TargetOverview target(std::string id, State state, std::uint32_t clusters,
                             std::string mechanism = {}) {
  TargetOverview target;
  target.target = std::move(id);
  target.category = "NEWS";
  target.tier = Tier::key;
  target.state = state;
  target.proven = kNow - std::chrono::minutes(11) - std::chrono::seconds(3);
  target.since = kNow - std::chrono::minutes(24) - std::chrono::seconds(17);
  target.mechanism = std::move(mechanism);
  target.probes = clusters;
  target.clusters = clusters;
  target.supporting = clusters;
  target.newest = kNow - std::chrono::minutes(1);
  target.blocked_ratio = state == State::blocked ? 1.0 : 0.0;
  target.layers.push_back({Layer::dns, State::ok, target.since, 0.0});
  target.layers.push_back({Layer::tls, state, target.since, target.blocked_ratio});
  return target;
}

inline NetworkOverview network(const char* country, std::uint32_t asn, std::uint32_t clusters,
                               NetworkType type = NetworkType::fixed) {
  NetworkOverview network;
  network.network = {*CountryCode::parse(country), Asn{asn}, type};
  network.last_heard = kNow - std::chrono::seconds(20);
  network.reporting = network.expected = network.clusters = clusters;
  network.link_states[static_cast<std::size_t>(LinkState::online)] = clusters;
  return network;
}

inline Overview overview(std::vector<NetworkOverview> networks) {
  Overview overview;
  overview.now = kNow;
  overview.controls_reporting = 2;
  overview.key_window = std::chrono::minutes(30);
  overview.networks = std::move(networks);
  return overview;
}

// What `publisher` shows of a world that was the same at the full hour.
inline PublicOverview shown_since_the_hour(Publisher& publisher, const Overview& now) {
  Overview at_hour = now;
  at_hour.now = floor_to(now.now, std::chrono::hours(1));
  (void)publisher.publish(at_hour);
  return publisher.publish(now);
}

}  // namespace kua::collector::test
