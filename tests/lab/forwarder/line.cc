#include "tests/lab/forwarder/line.h"

#include <algorithm>

namespace kua::lab {

Line::Line(const Plan& plan)
    : plan_(plan),
      to_world_(Pipe::Options{plan.line.kbps, Microseconds{0}, plan.line.loss}),
      // A delay is added once a round trip, on the way back.
      to_probe_(Pipe::Options{plan.line.kbps, plan.line.delay, plan.line.loss}) {}

std::optional<MonotonicTime> Line::carry(wire::BytesView packet, Toward toward, MonotonicTime now) {
  const auto sight = look_at(packet, toward);
  if (!sight || is_down(now)) return std::nullopt;
  if (plan_.line.ipv6_broken && sight->header.source.family() == Family::ip6) return std::nullopt;
  if (plan_.line.resolver_dead &&
      std::ranges::find(plan_.resolvers, sight->key.remote) != plan_.resolvers.end()) {
    return std::nullopt;
  }
  Pipe& pipe = toward == Toward::world ? to_world_ : to_probe_;
  return pipe.send(now, packet.size(), chance_of(*sight));
}

bool Line::is_down(MonotonicTime now) const {
  if (!plan_.line.down_from) return false;
  const Microseconds since = started_ ? now - *started_ : Microseconds{0};
  return since >= *plan_.line.down_from && (!plan_.line.down_until || since < *plan_.line.down_until);
}

Chance& Line::chance_of(const Sight& sight) {
  constexpr std::size_t kFlowsMax = 65536;
  const auto found = chances_.find(sight.key);
  if (found != chances_.end()) return found->second;
  if (chances_.size() >= kFlowsMax) chances_.clear();
  const std::uint64_t ordinal = counter_.next(sight.key.remote, sight.key.remote_port);
  const std::uint64_t seed = seed_of(kLineRule, sight.key.remote, sight.key.remote_port, ordinal);
  return chances_.emplace(sight.key, Chance(seed)).first->second;
}

}  // namespace kua::lab
