#include "tests/lab/forwarder/censor.h"

#include <algorithm>
#include <array>

#include "wire/ip_builder.h"
#include "wire/tls_record.h"

namespace kua::lab {
namespace {

template <typename... Lambdas>
struct Overloaded : Lambdas... {
  using Lambdas::operator()...;
};

using Decision = Censor::Decision;

Decision swallow(std::vector<Injection> injected = {}) {
  return Decision{Decision::Fate::swallow, std::nullopt, std::move(injected)};
}

Decision pass(std::vector<Injection> injected = {}) {
  return Decision{Decision::Fate::pass, std::nullopt, std::move(injected)};
}

Decision with_original(Original original, std::vector<Injection> injected) {
  return original == Original::passed ? pass(std::move(injected)) : swallow(std::move(injected));
}

// A flow's bottleneck, one pipe a direction; a delay is added once a round trip, on the way back.
void narrow(Flow& flow, const Rule& rule, std::uint32_t kbps, Microseconds delay, double loss,
            const Sight& sight) {
  flow.chance.emplace(seed_of(rule.number, sight.key.remote, sight.key.remote_port, flow.ordinal));
  flow.pipe_to_world.emplace(Pipe::Options{kbps, Microseconds{0}, loss});
  flow.pipe_to_probe.emplace(Pipe::Options{kbps, delay, loss});
}

bool answers_with_resets(const Act& act) {
  return std::holds_alternative<Reset>(act) || std::holds_alternative<Refuse>(act) ||
         std::holds_alternative<Fin>(act) || std::holds_alternative<Alert>(act);
}

}  // namespace

Censor::Censor(std::vector<Rule> rules, std::vector<IpAddress> routers, std::uint16_t first_hijack_port)
    : rules_(std::move(rules)),
      routers_(std::move(routers)),
      hijacks_(first_hijack_port),
      identifications_(seed_of(rules_.empty() ? 0 : rules_.front().number, routers_.front(), 0, 0)) {}

Decision Censor::inspect(wire::Bytes& packet, Toward toward, MonotonicTime now) {
  const auto sight = look_at(packet, toward);
  if (!sight) return pass();
  packet_ = packet;
  if (toward == Toward::probe) {
    if (auto from_helper = hijacks_.inward(*sight)) {
      std::vector<Injection> injected;
      for (wire::Bytes& answer : from_helper->to_helper) {
        injected.push_back({std::move(answer), Toward::world});
      }
      if (!from_helper->to_probe) return swallow(std::move(injected));
      packet = std::move(*from_helper->to_probe);
      return pass(std::move(injected));
    }
  }
  Flow& flow = flows_.find_or_make(*sight, now);
  observe(flow, *sight, packet);
  if (flow.dead) return swallow();
  if (hijacks_.has(sight->key)) {
    if (toward == Toward::probe) return swallow();  // the true server, which is out of it
    auto outward = hijacks_.outward(*sight);
    if (!outward) return swallow();
    packet = std::move(*outward);
    return pass();
  }
  if (const Rule* rule = residual_rule(*sight, now)) return apply_residual(*rule, *sight);
  const NamesSeen names = names_in(*sight, flow);
  if (const Rule* rule = find_rule(flow, *sight, names, now); rule != nullptr && rule != flow.held_by) {
    if (rule->residual.count() > 0) {
      residual_.insert_or_assign({sight->key.probe, sight->key.remote},
                                 Residual{rule, now + rule->residual});
    }
    Decision decision = apply(*rule, flow, *sight, names);
    if (decision.fate == Decision::Fate::swallow || flow.held_by != rule) return decision;
  }
  return flow.held_by == nullptr ? pass() : hold(flow, *sight, packet.size(), now);
}

bool Censor::active(const Rule& rule, MonotonicTime now) const {
  const Microseconds since = started_ ? now - *started_ : Microseconds{0};
  return since >= rule.from && (!rule.until || since < *rule.until);
}

bool Censor::chosen(Flow& flow, const Rule& rule, const Sight& sight) {
  if (rule.probability >= 1) return true;
  const auto [entry, drawn_now] = flow.drawn.try_emplace(rule.number, false);
  if (drawn_now) {
    Chance chance(seed_of(rule.number, sight.key.remote, sight.key.remote_port, flow.ordinal));
    entry->second = chance.happens(rule.probability);
  }
  return entry->second;
}

const Rule* Censor::find_rule(Flow& flow, const Sight& sight, const NamesSeen& names,
                              MonotonicTime now) const {
  for (const Rule& rule : rules_) {
    if (active(rule, now) && matches(rule.match, sight, names) && applies_to(rule.act, sight, names) &&
        chosen(flow, rule, sight)) {
      return &rule;
    }
  }
  return nullptr;
}

const Rule* Censor::residual_rule(const Sight& sight, MonotonicTime now) {
  const auto found = residual_.find({sight.key.probe, sight.key.remote});
  if (found == residual_.end()) return nullptr;
  if (now < found->second.until) return found->second.rule;
  residual_.erase(found);
  return nullptr;
}

Decision Censor::apply(const Rule& rule, Flow& flow, const Sight& sight, const NamesSeen& names) {
  const Original original = rule.on_path ? Original::passed : Original::swallowed;
  const auto end_with = [&](wire::BytesView payload) {
    std::vector<Injection> forged = forge_ending(sight, payload, mark());
    if (original == Original::swallowed) {
      forged.push_back(forge_hang_up(sight, original, mark()));
      flow.dead = true;
    }
    return with_original(original, std::move(forged));
  };
  return std::visit(
      Overloaded{
          [&](const Drop&) {
            // A resolver's socket may carry questions for other names: there only the packet goes.
            flow.dead = !names.qname;
            return swallow();
          },
          [&](const Reset&) {
            const wire::TcpSegment* segment = sight.tcp();
            if (segment == nullptr || (segment->flags & wire::kTcpRst) != 0) {
              return with_original(original, {});  // nothing to reset, or reset already
            }
            return with_original(original, forge_resets(sight, original, mark()));
          },
          [&](const Refuse&) {
            if (sight.tcp() != nullptr) return with_original(original, {forge_refusal(sight, mark())});
            return with_original(
                original, {{wire::encode_icmp_error(sight.header.destination, mark().hop_limit,
                                                    wire::IcmpError::port_unreachable, packet_),
                            Toward::probe}});
          },
          [&](const Fin&) { return end_with({}); },
          [&](const Alert&) {
            const auto record = wire::encode_tls_alert({wire::kTlsAlertFatal, wire::kTlsHandshakeFailure});
            return end_with(record);
          },
          [&](const BlockPage& act) { return end_with(wire::as_bytes(act.response)); },
          [&](const IcmpProhibited&) {
            Decision decision = prohibit(sight, packet_);
            if (original == Original::passed) decision.fate = Decision::Fate::pass;
            return decision;
          },
          [&](const ForgeDns& act) {
            auto forged = forge_dns_answer(sight, *names.query, act, mark());
            return forged ? pass({std::move(*forged)}) : pass();
          },
          [&](const Mitm& act) { return take_over(act, flow, sight, original); },
          [&](const Freeze&) {
            flow.held_by = &rule;
            return pass();
          },
          [&](const Throttle& act) {
            flow.held_by = &rule;
            narrow(flow, rule, act.kbps, Microseconds{0}, 0, sight);
            return pass();
          },
          [&](const Impair& act) {
            flow.held_by = &rule;
            narrow(flow, rule, 0, act.delay, act.loss, sight);
            return pass();
          }},
      rule.act);
}

Decision Censor::apply_residual(const Rule& rule, const Sight& sight) {
  const Original original = rule.on_path ? Original::passed : Original::swallowed;
  if (sight.tcp() == nullptr || !answers_with_resets(rule.act) ||
      (sight.tcp()->flags & wire::kTcpRst) != 0) {
    return with_original(original, {});
  }
  return with_original(original, forge_resets(sight, original, mark()));
}

Decision Censor::hold(Flow& flow, const Sight& sight, std::size_t bytes, MonotonicTime now) {
  if (const auto* freeze = std::get_if<Freeze>(&flow.held_by->act)) {
    flow.dead = flow.server_bytes > freeze->after_bytes;
    return flow.dead ? swallow() : pass();
  }
  Pipe& pipe = sight.toward == Toward::probe ? *flow.pipe_to_probe : *flow.pipe_to_world;
  const auto out = pipe.send(now, bytes, *flow.chance);
  if (!out) return swallow();
  Decision decision = pass();
  if (*out > now) decision.release = *out;
  return decision;
}

Decision Censor::take_over(const Mitm& act, Flow& flow, const Sight& sight, Original original) {
  const auto helper = std::ranges::find_if(act.helpers, [&](const Endpoint& endpoint) {
    return endpoint.address.family() == sight.key.remote.family();
  });
  if (helper == act.helpers.end()) return pass();
  if ((sight.tcp()->flags & wire::kTcpSyn) != 0) {
    return swallow({{hijacks_.take_at_syn(sight, *helper), Toward::world}});
  }
  auto syn = hijacks_.take_established(sight, flow, *helper);
  if (!syn) return pass();
  std::vector<Injection> injected;
  injected.push_back({std::move(*syn), Toward::world});
  injected.push_back(forge_hang_up(sight, original, mark()));
  return swallow(std::move(injected));
}

Decision Censor::prohibit(const Sight& sight, wire::BytesView packet) const {
  for (const IpAddress& router : routers_) {
    if (router.family() != sight.header.source.family()) continue;
    constexpr std::uint8_t kHopLimit = 64;
    return swallow({{wire::encode_icmp_error(router, kHopLimit, wire::IcmpError::admin_prohibited, packet),
                     sight.toward == Toward::world ? Toward::probe : Toward::world}});
  }
  return swallow();
}

ForgerMark Censor::mark() {
  ForgerMark out;
  out.identification = static_cast<std::uint16_t>(identifications_.next() | 1);
  return out;
}

}  // namespace kua::lab
