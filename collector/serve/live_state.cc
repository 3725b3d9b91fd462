#include "collector/serve/live_state.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "collector/judge/judge.h"
#include "collector/serve/metrics/measurement_metrics.h"

namespace kua::collector {
namespace {

// The first 64 bits of an id that is a hash already.
std::uint64_t identity_of(const ProbeId& probe) noexcept {
  std::uint64_t value = 0;
  for (const char c : std::string_view(probe.text()).substr(0, 16)) {
    value = (value << 4) | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

// Clusters are pseudonyms that only ever are compared; 0 stays free for "none known".
std::uint64_t cluster_of(const ReceivedFacts& facts) noexcept {
  if (facts.cluster.empty()) return 0;
  const std::uint64_t value = std::hash<std::string>()(facts.cluster);
  return value == 0 ? 1 : value;
}

bool is_known(const CountryCode& country) noexcept { return country.text() != "ZZ"; }

// Whether the record came from another country than it claims.
bool is_elsewhere(const RecordHeader& header, const ReceivedFacts& facts) noexcept {
  const CountryCode& claimed = header.vantage.country;
  return is_known(claimed) && is_known(facts.country) && claimed != facts.country;
}

// Whether the record came over another network than it claims: the probe moved and has not learnt it,
// or sends through a proxy. A late record was measured before, on a line of which we know nothing.
bool is_of_other_network(const RecordHeader& header, const ReceivedFacts& facts) noexcept {
  const Asn& claimed = header.vantage.asn;
  return !facts.late && claimed.number != 0 && facts.asn.number != 0 && claimed != facts.asn;
}

// The mechanism of the verdict that the summary rests on.
std::string_view mechanism_of(const std::vector<Verdict>& verdicts, State summary) noexcept {
  for (const Verdict& verdict : verdicts) {
    if (verdict.state == summary && verdict.layer != Layer::quic && !verdict.mechanism.empty()) {
      return verdict.mechanism;
    }
  }
  return {};
}

TargetOverview overview_of(const TargetView& view, const Directory& directory) {
  TargetOverview target;
  target.target = directory.at(view.target);
  target.category = directory.at(view.category);
  target.tier = view.tier;
  target.state = view.whole.state;
  target.since = view.whole.since;
  target.last_otherwise = view.whole.last_otherwise;
  target.mechanism = directory.at(view.mechanism);
  target.probes = view.probes;
  target.clusters = view.clusters;
  target.supporting = view.supporting;
  target.newest = view.newest;
  target.proven = view.proven;
  target.blocked_ratio = view.whole.blocked_ratio();
  for (const CellView& cell : view.layers) {
    if (const std::optional<Layer> layer = layer_of(cell.facet)) {
      target.layers.push_back({*layer, cell.state, cell.since, cell.blocked_ratio()});
    }
  }
  return target;
}

}  // namespace

const char* to_string(NotCounted reason) noexcept {
  switch (reason) {
    case NotCounted::invalid:
      return "invalid";
    case NotCounted::no_verdict:
      return "no_verdict";
    case NotCounted::elsewhere:
      return "elsewhere";
    case NotCounted::late:
      return "late";
    case NotCounted::control_target:
      return "control_target";
    case NotCounted::other_network:
      return "other_network";
  }
  return "invalid";
}

LiveState::LiveState(Options options, MeasurementMetrics& metrics)
    : metrics_(metrics),
      directory_(options.directory),
      cells_(options.cells),
      attendance_(options.attendance) {}

void LiveState::set_lists(std::span<const protocol::TargetList> lists) {
  listed_.clear();
  for (const protocol::TargetList& list : lists) {
    for (const Target& target : list.targets) {
      directory_.admit(target.id);
      const Listed says = {target.tier, directory_.category(target.category)};
      const auto [at, is_new] = listed_.emplace(target.id.text(), says);
      if (!is_new && says.tier < at->second.tier) at->second = says;
    }
  }
}

const LiveState::Listed* LiveState::listed(const TargetId& target) const {
  const auto found = listed_.find(target.text());
  return found == listed_.end() ? nullptr : &found->second;
}

// The vantage says where it was measured; what it leaves open is taken from our own look-up.
NetworkIndex LiveState::network_of(const RecordHeader& header, const ReceivedFacts& facts) {
  const Vantage& vantage = header.vantage;
  Network network{vantage.country, vantage.asn, vantage.network_type};
  if (!is_known(network.country)) network.country = facts.country;
  if (network.asn.number == 0) network.asn = facts.asn;
  if (network.type == NetworkType::unknown && network.asn == facts.asn) {
    network.type = facts.network_type;
  }
  return directory_.network(network);
}

// A record from last week must not make the network of last week heard today, nor a stranger's
// claim a silent network alive.
NetworkIndex LiveState::present_network(const RecordHeader& header, const ReceivedFacts& facts) {
  if (!facts.late && !is_elsewhere(header, facts) && !is_of_other_network(header, facts)) {
    return network_of(header, facts);
  }
  if (is_known(facts.country) || facts.asn.number != 0) {
    return directory_.network({facts.country, facts.asn, facts.network_type});
  }
  const std::optional<NetworkIndex> known = attendance_.network_of(identity_of(header.probe));
  return known ? *known : network_of(header, facts);
}

Vote LiveState::vote_of(const Measurement& measurement, const ReceivedFacts& facts,
                        const std::vector<Verdict>& verdicts) {
  Vote vote;
  vote.target = directory_.target(measurement.target);
  vote.network = network_of(measurement.header, facts);
  if (const Listed* says = listed(measurement.target)) {
    vote.category = says->category;
    vote.tier = says->tier;
    vote.described_by = DescribedBy::list;
  } else {
    vote.category = directory_.category(measurement.category);
    vote.tier = measurement.tier;
  }
  vote.probe = identity_of(measurement.header.probe);
  vote.cluster = cluster_of(facts);
  vote.time = measurement.header.time;
  vote.states = LayerStates::of(verdicts);
  vote.trouble = Trouble::of(verdicts);
  if (const std::optional<State> summary = vote.states.at(Facet::whole)) {
    vote.mechanism = directory_.mechanism(mechanism_of(verdicts, *summary));
  }
  return vote;
}

std::optional<NotCounted> LiveState::outside_cells(const Measurement& measurement,
                                                   const ReceivedFacts& facts,
                                                   const std::vector<Verdict>& verdicts) const {
  if (measurement.validity != Validity::ok) return NotCounted::invalid;
  const Listed* says = listed(measurement.target);
  if ((says != nullptr ? says->tier : measurement.tier) == Tier::control) {
    return NotCounted::control_target;
  }
  if (!speaks_of_target(verdicts)) return NotCounted::no_verdict;
  if (is_elsewhere(measurement.header, facts)) return NotCounted::elsewhere;
  if (is_of_other_network(measurement.header, facts)) return NotCounted::other_network;
  return std::nullopt;
}

void LiveState::on_contact(const RecordHeader& header, const ReceivedFacts& facts) {
  attendance_.heard(identity_of(header.probe), present_network(header, facts), cluster_of(facts),
                    facts.received);
}

void LiveState::on_judged(const Measurement& measurement, const ReceivedFacts& facts,
                          const std::vector<Verdict>& verdicts) {
  const std::optional<NotCounted> reason = outside_cells(measurement, facts, verdicts);
  if (reason) metrics_.not_counted(*reason);
  if (reason == NotCounted::invalid || reason == NotCounted::elsewhere ||
      reason == NotCounted::other_network) {
    return;
  }
  const Vote vote = vote_of(measurement, facts, verdicts);
  const State summary = vote.states.at(Facet::whole).value_or(State::insufficient);
  metrics_.judged(directory_, vote.network, vote.category, summary);
  metrics_.steps(directory_, vote.network, measurement);
  if (reason) return;
  if (cells_.add(vote, facts.received) == VoteOutcome::late) metrics_.not_counted(NotCounted::late);
}

void LiveState::on_revised(const Measurement& measurement, const ReceivedFacts& facts,
                           const std::vector<Verdict>& before, const std::vector<Verdict>& after) {
  if (outside_cells(measurement, facts, after)) return;
  const Vote was = vote_of(measurement, facts, before);
  const Vote is = vote_of(measurement, facts, after);
  if (was.states == is.states && was.mechanism == is.mechanism && was.trouble == is.trouble) return;
  cells_.revise(was, is, facts.received);
}

void LiveState::on_link(const Measurement& measurement, const ReceivedFacts& facts,
                        LinkState state) {
  if (facts.late) return;
  attendance_.link_state(identity_of(measurement.header.probe), state, measurement.header.time);
}

void LiveState::on_control(const ProbeId& control) { attendance_.forget(identity_of(control)); }

void LiveState::on_heartbeat(const ProbeId& probe, LinkState state, const ReceivedFacts& facts) {
  const std::uint64_t identity = identity_of(probe);
  NetworkIndex network;
  if (const std::optional<NetworkIndex> known = attendance_.network_of(identity)) {
    network = *known;
  } else {
    network = directory_.network({facts.country, facts.asn, facts.network_type});
  }
  attendance_.heard(identity, network, cluster_of(facts), facts.received);
  attendance_.link_state(identity, state, facts.received);
}

Overview LiveState::overview(WallTime now) {
  Overview overview;
  overview.now = now;
  overview.key_window = cells_.options().key_window;
  std::map<std::uint32_t, NetworkOverview> networks;
  const auto place = [&](NetworkIndex index) -> NetworkOverview& {
    NetworkOverview& network = networks[index.value];
    network.network = directory_.at(index);
    network.is_other = index == NetworkIndex{};
    return network;
  };
  for (const NetworkAttendance& at : attendance_.networks(now)) {
    NetworkOverview& network = place(at.network);
    network.last_heard = at.last_heard;
    network.reporting = at.reporting;
    network.expected = at.expected;
    network.clusters = at.clusters;
    network.link_states = at.link_states;
  }
  cells_.visit(now, [&](const TargetView& view) {
    place(view.network).targets.push_back(overview_of(view, directory_));
  });
  for (auto& [index, network] : networks) {
    std::ranges::sort(network.targets, {}, &TargetOverview::target);
    overview.networks.push_back(std::move(network));
  }
  std::ranges::sort(overview.networks, {}, [](const NetworkOverview& network) {
    return std::pair(network.is_other, network.network);
  });
  return overview;
}

}  // namespace kua::collector
