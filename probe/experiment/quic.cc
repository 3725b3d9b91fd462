#include "probe/experiment/quic.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "probe/limits.h"
#include "probe/step/quic_handshake.h"
#include "probe/step/quic_ping.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

// One step that may be taken, of a visit.
struct QuicStep {
  StepContext context;
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 0, Transport::udp};
  std::string name;  // empty: a ping
  std::shared_ptr<WireTally> tally;
};

QuicStep step_of(const Site& site, const Endpoint& endpoint, StepRole role) {
  QuicStep out;
  out.context.hop = site.hop;
  out.context.host = site.host;
  out.context.role = role;
  out.endpoint = {endpoint.address, endpoint.port, Transport::udp};
  return out;
}

// Where QUIC is worth a try: an address a family at which the site was reached, if its page offers HTTP/3 at
// the same port. A scheduled round is content with one of them; over time both come up.
std::vector<Endpoint> http3_endpoints(Run& run, const Visit& visit) {
  const SiteFacts& facts = visit.facts;
  std::vector<Endpoint> out;
  if (!facts.proven || !facts.answer || facts.answer->http3_port != visit.site.port) return out;
  for (const Endpoint& reached : facts.reached) {
    const Family family = reached.address.family();
    const auto same = [family](const Endpoint& known) { return known.address.family() == family; };
    if (std::ranges::none_of(out, same)) out.push_back(reached);
  }
  if (!out.empty() && !has_quic()) {
    run.missing("quic");
    out.clear();
  }
  const bool scheduled = run.request().body_wire_bytes_max <= kRoundBodyWireBytesMax;
  if (scheduled && out.size() > 1) out = {out[run.dice().below(out.size())]};
  return out;
}

// A step that this machine itself failed or delayed is nobody's failure and is not recorded. QUIC stands apart:
// what TCP showed stays valid.
bool is_sound(Run& run, const std::optional<Error>& instrument, MonotonicTime deadline) {
  if (!instrument && run.is_punctual(deadline)) return true;
  run.missing("quic");
  return false;
}

// Four copies of a first datagram: with less time a slow line looks like a silent one.
Microseconds time_enough(const Run& run) { return run.pacing().handshake_deadline / 3; }

// Whether the network is in doubt: the name was not answered as it should be.
asio::awaitable<bool> shake(std::shared_ptr<Run> run, QuicStep step, MonotonicTime latest) {
  QuicOptions options;
  options.context = std::move(step.context);
  options.endpoint = step.endpoint;
  options.server_name = std::move(step.name);
  options.deadline = run->deadline(run->pacing().handshake_deadline, latest);
  const MonotonicTime deadline = options.deadline;
  QuicResult result =
      co_await quic_handshake(run->instrument().trust, run->timeline(), std::move(step.tally), std::move(options));
  if (!is_sound(*run, result.instrument, deadline)) co_return false;
  if (result.chain_cut) run->count_limit("certificates");
  if (result.flooded) run->count_limit("quic_datagrams");
  const bool failed = result.observation.failure.has_value();
  run->record(std::move(result.observation));
  co_return failed;
}

asio::awaitable<void> ping(std::shared_ptr<Run> run, QuicStep step, MonotonicTime latest) {
  QuicPingOptions options;
  options.context = std::move(step.context);
  options.endpoint = step.endpoint;
  options.deadline = run->deadline(run->pacing().handshake_deadline / 2, latest);
  const MonotonicTime deadline = options.deadline;
  QuicPingResult result = co_await quic_ping(run->timeline(), std::move(step.tally), std::move(options));
  if (!is_sound(*run, result.instrument, deadline)) co_return;
  run->record(std::move(result.observation));
}

enum class Within : std::uint8_t { round, follow_up };

// The main handshakes of one visit that have not been tried.
asio::awaitable<void> visit_quic(std::shared_ptr<Run> run, Visit& visit, MonotonicTime latest, Within what) {
  const std::vector<Endpoint> endpoints = http3_endpoints(*run, visit);
  visit.facts.quic_tried = true;
  for (const Endpoint& endpoint : endpoints) {
    if (latest - run->timeline().now() < time_enough(*run)) {
      run->count_limit("immediate_set");
      co_return;
    }
    QuicStep step = step_of(visit.site, endpoint, StepRole::main);
    step.name = visit.site.host;
    step.tally = what == Within::round ? run->tally() : run->begin_follow_up(kQuicHandshakeBytesReckoned);
    if (step.tally == nullptr) co_return;
    const bool failed = co_await shake(run, std::move(step), latest);
    if (!failed) continue;
    run->note_doubt();
    visit.facts.quic_failed.push_back(endpoint);
  }
}

// Whether a failure before this is about the addresses of `visit`: a family that fails everywhere, as a broken
// IPv6 does, leaves the other its say.
bool is_doubtful(const std::vector<Visit>& visits, const Visit& visit) {
  const auto concerns = [&visit](const Doubt& doubt) {
    return !doubt.endpoint || std::ranges::any_of(visit.facts.reached, [&doubt](const Endpoint& reached) {
      return reached.address.family() == doubt.endpoint->address.family();
    });
  };
  return std::ranges::any_of(
      visits, [&](const Visit& other) { return std::ranges::any_of(other.facts.doubts, concerns); });
}

// An address elsewhere that answers on this port; whether it speaks QUIC only its answer says.
std::optional<Endpoint> elsewhere(Run& run, const Endpoint& failed) {
  std::vector<Endpoint> fitting;
  for (const Endpoint& witness : run.list().witnesses) {
    const bool fits = witness.address.family() == failed.address.family() && witness.address != failed.address &&
                      witness.port == failed.port && run.may_contact(witness.address);
    if (fits) fitting.push_back(witness);
  }
  if (fitting.empty()) return std::nullopt;
  return fitting[run.dice().below(fitting.size())];
}

void plan_pairs(Run& run, const Visit& visit, std::vector<QuicStep>& plan) {
  for (const Endpoint& failed : visit.facts.quic_failed) {
    plan.push_back(step_of(visit.site, failed, StepRole::retry));
    plan.back().name = visit.site.host;
    if (!run.list().harmless_name.empty()) {
      plan.push_back(step_of(visit.site, failed, StepRole::same_address));
      plan.back().name = run.list().harmless_name;
    }
    plan.push_back(step_of(visit.site, failed, StepRole::same_address));
    if (const auto witness = elsewhere(run, failed)) {
      plan.push_back(step_of(visit.site, *witness, StepRole::witness));
    }
  }
}

}  // namespace

asio::awaitable<void> try_quic(std::shared_ptr<Run> run, std::vector<Visit>& visits) {
  if (run->request().depth != Depth::core || visits.empty()) co_return;
  if (is_doubtful(visits, visits.back())) co_return;
  co_await visit_quic(run, visits.back(), run->main_latest(), Within::round);
}

asio::awaitable<void> follow_quic(std::shared_ptr<Run> run, std::vector<Visit> visits) {
  if (run->request().depth != Depth::core || visits.empty()) co_return;
  std::vector<QuicStep> plan;
  Visit& last = visits.back();
  if (!last.facts.quic_tried && !last.facts.doubts.empty()) {
    co_await visit_quic(run, last, run->immediate_set_latest(), Within::follow_up);
  }
  plan_pairs(*run, last, plan);
  if (plan.empty()) co_return;
  const MonotonicTime latest = run->immediate_set_latest();
  const Microseconds enough = time_enough(*run);
  std::shuffle(plan.begin(), plan.end(), run->dice());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const Microseconds left = latest - run->timeline().now();
    if (left < enough) {
      run->count_limit("immediate_set");
      co_return;
    }
    const Microseconds share = std::max(left / static_cast<std::int64_t>(plan.size() - i), enough);
    const MonotonicTime step_latest = run->timeline().now() + share;
    QuicStep step = std::move(plan[i]);
    const bool is_ping = step.name.empty();
    step.tally = run->begin_follow_up(is_ping ? kQuicPingBytesReckoned : kQuicHandshakeBytesReckoned);
    if (step.tally == nullptr) continue;
    if (is_ping) {
      co_await ping(run, std::move(step), step_latest);
    } else {
      (void)co_await shake(run, std::move(step), step_latest);
    }
  }
}

}  // namespace kua::probe
