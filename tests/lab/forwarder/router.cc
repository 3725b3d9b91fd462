#include "tests/lab/forwarder/router.h"

#include <algorithm>

#include "tests/lab/forwarder/rewrite.h"
#include "wire/ip_builder.h"

namespace kua::lab {
namespace {

constexpr std::uint8_t kRouterHopLimit = 64;
constexpr std::uint16_t kQuicPort = 443;
constexpr std::uint16_t kFirstHijackPort = 20000;
constexpr std::uint16_t kHijackPortsPerHop = 10000;
// Of an inward packet that has crossed the line and waits to be handed to its home. Hop 0 is the line.
constexpr int kBehindLine = -1;

std::optional<IpAddress> address_of_family(const std::vector<IpAddress>& addresses, Family family) {
  const auto found = std::ranges::find(addresses, family, &IpAddress::family);
  if (found == addresses.end()) return std::nullopt;
  return *found;
}

int step(Toward toward) { return toward == Toward::world ? 1 : -1; }

}  // namespace

Router::Router(const Plan& plan) : plan_(plan) {
  for (const HomePlan& home : plan.homes) {
    gateways_.push_back(std::make_unique<Gateway>(home, plan));
    lines_.push_back(std::make_unique<Line>(plan));
  }
  for (std::size_t i = 0; i < censors_.size(); ++i) {
    std::vector<Rule> rules;
    std::ranges::copy_if(plan.rules, std::back_inserter(rules), [i](const Rule& rule) {
      return rule.hop == static_cast<int>(i) + 1;
    });
    if (rules.empty()) continue;
    const auto first_port = static_cast<std::uint16_t>(kFirstHijackPort + i * kHijackPortsPerHop);
    censors_[i] = std::make_unique<Censor>(std::move(rules), plan.routers[i], first_port);
  }
}

void Router::start(MonotonicTime now) {
  started_ = true;
  for (auto& line : lines_) line->start(now);
  for (auto& censor : censors_) {
    if (censor) censor->start(now);
  }
}

void Router::accept(End from, wire::Bytes packet, MonotonicTime now) {
  switch (from.kind) {
    case EndKind::home: return from_home(from.home, std::move(packet), now);
    case EndKind::tunnel:  // comes out elsewhere, where nobody censors
      if (wire::decrement_hop_limit(packet)) deliver_world(std::move(packet));
      return;
    case EndKind::control: return from_control(std::move(packet));
    case EndKind::world: return from_world(std::move(packet), now);
  }
}

bool Router::is_collector(const IpAddress& address) const {
  return std::ranges::find(plan_.collectors, address) != plan_.collectors.end();
}

void Router::from_home(std::size_t home, wire::Bytes packet, MonotonicTime now) {
  Gateway::Outward out = gateways_[home]->outward(std::move(packet));
  for (wire::Bytes& answer : out.to_probe) deliver({EndKind::home, home}, std::move(answer));
  if (!out.onward) return;
  const auto sight = look_at(*out.onward, Toward::world);
  if (!sight) return;
  if (is_collector(sight->header.destination)) {  // obeys `collector:` and nothing else
    if (!plan_.collector_blocked || !started_) deliver_world(std::move(*out.onward));
    return;
  }
  const auto due = lines_[home]->carry(*out.onward, Toward::world, now);
  if (!due) return;
  Transit transit{std::move(*out.onward), Toward::world, home, 1};
  if (*due > now) return wait(std::move(transit), *due);
  travel(std::move(transit), now);
}

void Router::from_control(wire::Bytes packet) {
  const auto sight = look_at(packet, Toward::world);
  if (!sight || !wire::decrement_hop_limit(packet)) return;
  if (plan_.control_uploads_blocked && started_ && is_collector(sight->header.destination)) return;
  for (const Alias& alias : plan_.control->aliases) {
    replace_address(packet, alias.asked, alias.answered_by);
  }
  deliver_world(std::move(packet));
}

void Router::from_world(wire::Bytes packet, MonotonicTime now) {
  const auto sight = look_at(packet, Toward::probe);
  if (!sight) return;
  const IpAddress to = sight->header.destination;
  const wire::UdpDatagram* datagram = sight->udp();
  if (datagram != nullptr && datagram->source_port == kQuicPort) {
    for (const Alias& alias : plan_.quic) replace_address(packet, alias.answered_by, alias.asked);
  }
  if (plan_.control && std::ranges::find(plan_.control->addresses, to) != plan_.control->addresses.end()) {
    for (const Alias& alias : plan_.control->aliases) {
      replace_address(packet, alias.answered_by, alias.asked);
    }
    if (wire::decrement_hop_limit(packet)) deliver({EndKind::control, 0}, std::move(packet));
    return;
  }
  for (std::size_t i = 0; i < plan_.homes.size(); ++i) {
    const HomePlan& home = plan_.homes[i];
    if (home.tunnel4 && to == *home.tunnel4) {
      if (wire::decrement_hop_limit(packet)) deliver({EndKind::tunnel, i}, std::move(packet));
      return;
    }
    if (to != home.public4 && !(home.inside6 && to == *home.inside6)) continue;
    if (is_collector(sight->header.source)) return deliver_home(i, std::move(packet));
    return travel(Transit{std::move(packet), Toward::probe, i, kHops}, now);
  }
}

void Router::travel(Transit transit, MonotonicTime now) {
  std::optional<Transit> moving = std::move(transit);
  while (moving && moving->hop >= 1 && moving->hop <= kHops) moving = visit(std::move(*moving), now);
  if (!moving) return;
  if (moving->toward == Toward::world) return deliver_world(std::move(moving->packet));
  cross_line_inward(std::move(*moving), now);
}

std::optional<Router::Transit> Router::visit(Transit transit, MonotonicTime now) {
  const int hop = transit.hop;
  const auto index = static_cast<std::size_t>(hop - 1);
  std::optional<MonotonicTime> release;
  if (censors_[index]) {
    Censor::Decision decision = censors_[index]->inspect(transit.packet, transit.toward, now);
    for (Injection& injection : decision.injected) {
      send_from_hop(hop, injection.toward, transit.home, std::move(injection.packet), now);
    }
    if (decision.fate == Censor::Decision::Fate::swallow) return std::nullopt;
    release = decision.release;
  }
  const auto sight = look_at(transit.packet, transit.toward);
  if (!sight) return std::nullopt;
  const auto& routers = plan_.routers[index];
  if (std::ranges::find(routers, sight->header.destination) != routers.end()) {
    if (auto answer = idle_host_answer(transit.packet)) {
      send_from_hop(hop, Toward::probe, transit.home, std::move(*answer), now);
    }
    return std::nullopt;
  }
  if (!wire::decrement_hop_limit(transit.packet)) {
    if (const auto router = address_of_family(routers, sight->header.source.family())) {
      const Toward back = transit.toward == Toward::world ? Toward::probe : Toward::world;
      send_from_hop(hop, back, transit.home,
                    wire::encode_icmp_error(*router, kRouterHopLimit, wire::IcmpError::time_exceeded,
                                            transit.packet),
                    now);
    }
    return std::nullopt;
  }
  transit.hop += step(transit.toward);
  if (release) {
    wait(std::move(transit), *release);
    return std::nullopt;
  }
  return transit;
}

void Router::send_from_hop(int hop, Toward toward, std::size_t home, wire::Bytes packet,
                           MonotonicTime now) {
  travel(Transit{std::move(packet), toward, home, hop + step(toward)}, now);
}

void Router::wait(Transit transit, MonotonicTime due) {
  waiting_.push({due, order_++, std::move(transit)});
}

void Router::cross_line_inward(Transit transit, MonotonicTime now) {
  const auto due = lines_[transit.home]->carry(transit.packet, Toward::probe, now);
  if (!due) return;
  if (*due <= now) return deliver_home(transit.home, std::move(transit.packet));
  transit.hop = kBehindLine;
  wait(std::move(transit), *due);
}

void Router::deliver_world(wire::Bytes packet) {
  const auto sight = look_at(packet, Toward::world);
  const wire::UdpDatagram* datagram = sight ? sight->udp() : nullptr;
  if (datagram != nullptr && datagram->destination_port == kQuicPort) {
    for (const Alias& alias : plan_.quic) replace_address(packet, alias.asked, alias.answered_by);
  }
  deliver({EndKind::world, 0}, std::move(packet));
}

void Router::deliver_home(std::size_t home, wire::Bytes packet) {
  auto inside = gateways_[home]->inward(std::move(packet));
  if (inside) deliver({EndKind::home, home}, std::move(*inside));
}

std::optional<MonotonicTime> Router::next_due() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.top().due;
}

void Router::run_due(MonotonicTime now) {
  while (!waiting_.empty() && waiting_.top().due <= now) {
    Transit transit = waiting_.top().transit;
    waiting_.pop();
    if (transit.hop == kBehindLine) {
      deliver_home(transit.home, std::move(transit.packet));
    } else {
      travel(std::move(transit), now);
    }
  }
}

std::vector<Delivery> Router::take_deliveries() { return std::exchange(deliveries_, {}); }

}  // namespace kua::lab
