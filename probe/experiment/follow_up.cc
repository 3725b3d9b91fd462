#include "probe/experiment/follow_up.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "probe/experiment/quic.h"
#include "probe/experiment/task_group.h"
#include "probe/experiment/throughput.h"
#include "probe/step/farewell.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {


// One doubt a layer and family is enough to follow: more of them say the same.
std::vector<Doubt> distinct(const std::vector<Doubt>& doubts) {
  std::vector<Doubt> out;
  for (const Doubt& doubt : doubts) {
    if (!doubt.endpoint) continue;
    const Family family = doubt.endpoint->address.family();
    const auto same = [&](const Doubt& known) { return known.endpoint->address.family() == family; };
    if (std::ranges::none_of(out, same)) out.push_back(doubt);
  }
  return out;
}

bool doubts_lookup(const SiteFacts& facts) {
  return std::ranges::any_of(facts.doubts, [](const Doubt& doubt) { return doubt.layer == Layer::dns; });
}

// How far a step must go to show what failed.
Reach reach_of(Layer layer) {
  switch (layer) {
    case Layer::http:
      return Reach::round_trip;
    case Layer::tls:
    case Layer::quic:
      return Reach::handshake;
    case Layer::dns:
    case Layer::tcp:
    case Layer::link:
      return Reach::connect;
  }
  return Reach::connect;
}

// S: the same address under a harmless name. A connect bears no name, so it has no such pair.
std::optional<Approach> same_address(const Run& run, const Site& site, const Doubt& doubt) {
  if (doubt.layer == Layer::tcp || run.list().harmless_name.empty()) return std::nullopt;
  Approach approach = approach_of(site, *doubt.endpoint, StepRole::same_address);
  approach.name = run.list().harmless_name;
  approach.reach = std::min(site.reach, reach_of(doubt.layer));
  return approach;
}

// A connect asks nothing of the port; a name is shown where the witness speaks what the target speaks.
bool fits(const Endpoint& witness, const Site& site, const Doubt& doubt) {
  if (witness.transport != Transport::tcp || witness.address == doubt.endpoint->address) return false;
  if (witness.address.family() != doubt.endpoint->address.family()) return false;
  constexpr std::uint16_t kHttpPort = 80;
  if (site.reach == Reach::connect) return true;
  return (site.security == Security::plain) == (witness.port == kHttpPort);
}

// X: a witness of the family that failed, under the target's name.
std::optional<Approach> witness(Run& run, const Site& site, const Doubt& doubt) {
  std::vector<Endpoint> fitting;
  for (const Endpoint& endpoint : run.list().witnesses) {
    if (fits(endpoint, site, doubt)) fitting.push_back(endpoint);
  }
  if (fitting.empty()) {
    run.missing("witness");
    return std::nullopt;
  }
  Approach approach = approach_of(site, fitting[run.dice().below(fitting.size())], StepRole::witness);
  // Inside TLS a box on the path sees the name in the handshake; further there is nothing to learn.
  if (site.security == Security::tls) approach.reach = std::min(site.reach, Reach::handshake);
  return approach;
}

Approach again(const Site& site, const Doubt& doubt) {
  Approach approach = approach_of(site, *doubt.endpoint, StepRole::retry);
  // Past a connect that failed once, the rest shows whether the address is the right one.
  if (doubt.layer != Layer::tcp) approach.reach = std::min(site.reach, reach_of(doubt.layer));
  return approach;
}

// S that failed, to be asked again when residual blocking has passed.
struct Residual {
  Site site;
  Doubt doubt;
};

struct Deferred {
  std::vector<Approach> retries;
  std::vector<Residual> residuals;
};

// nullopt, counted, where the follow-up's bytes are used up.
asio::awaitable<std::optional<Arrival>> go_if_room(std::shared_ptr<Run> run, Approach approach) {
  approach.tally = run->begin_follow_up(reckoned_bytes(approach));
  if (approach.tally == nullptr) co_return std::nullopt;
  Arrival arrival = co_await go(std::move(run), std::move(approach));
  co_return std::move(arrival);
}

asio::awaitable<void> run_pairs(std::shared_ptr<Run> run, std::vector<Visit> visits, MonotonicTime latest,
                                std::shared_ptr<Deferred> deferred) {
  struct Planned {
    Approach approach;
    Site site;
    Doubt doubt;
  };
  std::vector<Planned> plan;
  for (const Visit& visit : visits) {
    for (const Doubt& doubt : distinct(visit.facts.doubts)) {
      const Approach retry = again(visit.site, doubt);
      plan.push_back({retry, visit.site, doubt});
      deferred->retries.push_back(retry);
      if (auto s = same_address(*run, visit.site, doubt)) plan.push_back({*s, visit.site, doubt});
      if (auto x = witness(*run, visit.site, doubt)) plan.push_back({*x, visit.site, doubt});
    }
  }
  std::shuffle(plan.begin(), plan.end(), run->dice());
  std::uint64_t bytes = 0;
  for (const Planned& planned : plan) bytes += reckoned_bytes(planned.approach);
  if (!run->follow_up_bytes().has_room(bytes)) {  // what may clear a target comes first
    const auto is_retry = [](const Planned& planned) { return planned.approach.context.role == StepRole::retry; };
    std::ranges::stable_partition(plan, is_retry);
  }
  for (std::size_t i = 0; i < plan.size(); ++i) {
    // One after another, so that no step meets the wake of one beside it; each gets its share of the time.
    const Microseconds left = latest - run->timeline().now();
    if (left <= Microseconds(0)) {
      run->count_limit("immediate_set");
      break;
    }
    Approach approach = plan[i].approach;
    approach.latest = run->timeline().now() + left / static_cast<std::int64_t>(plan.size() - i);
    const bool is_s = approach.context.role == StepRole::same_address;
    const std::optional<Arrival> arrival = co_await go_if_room(run, std::move(approach));
    if (is_s && arrival && arrival->failed_at) deferred->residuals.push_back({plan[i].site, plan[i].doubt});
  }
}

// Sites with what failed at addresses that only trusted resolvers gave: a lie of the resolver does not hide
// what happens behind it.
using Behind = std::shared_ptr<std::vector<Visit>>;

// Where only trusted resolvers point, unless a certificate proved the network's answer right. Takes half
// of the set's time at most; the pairs go on beside it.
asio::awaitable<void> go_to_trusted(std::shared_ptr<Run> run, Visit visit, MonotonicTime latest, Behind behind) {
  const std::vector<IpAddress> more = only_trusted(visit.facts);
  if (visit.facts.proven || more.empty()) co_return;
  const MonotonicTime half = run->deadline(run->pacing().immediate_set_deadline / 2, latest);
  std::vector<Doubt> doubts = co_await try_trusted_addresses(run, visit.site, more, half);
  if (doubts.empty()) co_return;
  visit.facts.doubts = std::move(doubts);
  behind->push_back(std::move(visit));
}

asio::awaitable<void> ask_trusted_and_go(std::shared_ptr<Run> run, Visit visit, LookupPlan plan,
                                         Behind behind) {
  const MonotonicTime latest = plan.latest;
  visit.facts.trusted = co_await ask_trusted(run, std::move(plan));
  co_await go_to_trusted(std::move(run), std::move(visit), latest, std::move(behind));
}

asio::awaitable<void> ask_and_forget(std::shared_ptr<Run> run, LookupPlan plan) {
  if (plan.role == StepRole::no_resolver) {
    (void)co_await ask_nobody(std::move(run), std::move(plan));
  } else {
    (void)co_await ask_system(std::move(run), std::move(plan));
  }
}

// The lookups of the immediate set, in random order but side by side: they share no state on the path.
asio::awaitable<void> run_lookups(std::shared_ptr<Run> run, Visit visit, MonotonicTime latest,
                                  Behind behind) {
  LookupPlan plan;
  plan.hop = visit.site.hop;
  plan.host = visit.site.host;
  plan.latest = latest;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup group(executor);
  if (visit.facts.trusted) {
    group.spawn(go_to_trusted(run, visit, latest, behind));
  } else {
    LookupPlan trusted_plan = plan;
    trusted_plan.role = StepRole::trusted;
    trusted_plan.tally = run->begin_follow_up(kLookupBytesReckoned + kDohBytesReckoned);
    if (trusted_plan.tally) group.spawn(ask_trusted_and_go(run, visit, std::move(trusted_plan), behind));
  }
  std::vector<LookupPlan> others;
  LookupPlan nobody = plan;
  nobody.role = StepRole::no_resolver;
  others.push_back(std::move(nobody));
  if (doubts_lookup(visit.facts)) {
    LookupPlan retry = plan;
    retry.role = StepRole::retry;
    others.push_back(std::move(retry));
    if (DomainName::parse(run->list().harmless_name)) {
      LookupPlan harmless = plan;
      harmless.role = StepRole::same_address;
      harmless.name = run->list().harmless_name;
      others.push_back(std::move(harmless));
    }
  }
  std::shuffle(others.begin(), others.end(), run->dice());
  for (LookupPlan& other : others) {
    other.tally = run->begin_follow_up(kLookupBytesReckoned);
    if (other.tally) group.spawn(ask_and_forget(run, std::move(other)));
  }
  co_await group.join();
}

bool shares_address(const Answers& a, const Answers& b) {
  return std::ranges::any_of(a.addresses, [&](const IpAddress& address) {
    return std::ranges::find(b.addresses, address) != b.addresses.end();
  });
}

// An address that nobody else gives and that is right all the same is a CDN's edge, or a relay's. Only a
// relay shows valid certificates for names that the true address does not host: S at both tells.
std::vector<Approach> relay_pairs(const Run& run, const std::vector<Visit>& visits) {
  std::vector<Approach> out;
  for (const Visit& visit : visits) {
    const SiteFacts& facts = visit.facts;
    const bool alone = facts.proven && facts.trusted && !facts.trusted->addresses.empty() &&
                       !shares_address(facts.system, *facts.trusted);
    if (!alone || facts.reached.empty() || visit.site.security == Security::plain) continue;
    const Endpoint& reached = facts.reached.front();
    for (const IpAddress& address : only_trusted(facts)) {
      if (address.family() != reached.address.family()) continue;
      for (const IpAddress& asked : {reached.address, address}) {
        const Endpoint endpoint{asked, visit.site.port, Transport::tcp};
        Approach approach = approach_of(visit.site, endpoint, StepRole::same_address);
        approach.name = run.list().harmless_name;
        approach.reach = Reach::handshake;
        out.push_back(std::move(approach));
      }
      break;
    }
  }
  return out;
}

// The pairs of what failed behind a lie come last, and only with time enough that a slow line does not look
// like a silent one; on demand and in retests they get it.
asio::awaitable<void> run_pairs_behind(std::shared_ptr<Run> run, std::vector<Visit> behind, FollowUp granted,
                                       std::shared_ptr<Deferred> deferred) {
  if (behind.empty()) co_return;
  const Microseconds enough = run->pacing().immediate_set_deadline / 4;
  const MonotonicTime now = run->timeline().now();
  MonotonicTime latest = run->immediate_set_latest();
  if (granted == FollowUp::all) latest = std::max(latest, now + 2 * enough);
  if (latest - now < enough) {
    run->count_limit("immediate_set");
    co_return;
  }
  co_await run_pairs(run, std::move(behind), latest, deferred);
}

// Lookups and pairs side by side, over by one instant.
asio::awaitable<void> run_immediate_set(std::shared_ptr<Run> run, std::vector<Visit> visits, FollowUp granted,
                                        std::shared_ptr<Deferred> deferred) {
  const MonotonicTime latest = run->immediate_set_latest();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup group(executor);
  const auto behind = std::make_shared<std::vector<Visit>>();
  for (const Visit& visit : visits) {
    if (IpAddress::parse(visit.site.host)) continue;  // nothing to look up
    if (granted == FollowUp::none) {
      group.spawn(go_to_trusted(run, visit, latest, behind));
    } else {
      group.spawn(run_lookups(run, visit, latest, behind));
    }
  }
  if (granted != FollowUp::none) co_await run_pairs(run, std::move(visits), latest, deferred);
  co_await group.join();
  if (granted != FollowUp::none) co_await run_pairs_behind(run, std::move(*behind), granted, deferred);
  if (const auto until = run->listening_until()) co_await rest_until(run, std::min(*until, latest));
  run->take_late_replies();
}

asio::awaitable<void> run_relay_pairs(std::shared_ptr<Run> run, std::vector<Approach> pairs) {
  for (const Approach& approach : pairs) (void)co_await go_if_room(run, approach);
}

// Ends early where the harmless name's page is too short to compare.
asio::awaitable<void> run_throughput_pair(std::shared_ptr<Run> run, std::vector<Approach> pair) {
  for (const Approach& approach : pair) {
    const bool is_s = approach.context.role == StepRole::same_address;
    const std::optional<Arrival> arrival = co_await go_if_room(run, approach);
    if (!arrival || (is_s && !is_comparable(*arrival))) co_return;
  }
}

std::vector<Approach> throughput_pair_of(const Run& run, const std::vector<Visit>& visits) {
  const auto slow = std::ranges::find_if(visits, [](const Visit& visit) { return visit.facts.slow.has_value(); });
  if (slow == visits.end()) return {};
  return throughput_pair(run, slow->site, *slow->facts.slow);
}

asio::awaitable<void> run_deferred(std::shared_ptr<Run> run, Deferred deferred) {
  if (deferred.retries.empty()) co_return;
  const Pacing& pacing = run->pacing();
  // The target's name would set off residual blocking anew: where S failed, S is the next to come there.
  const MonotonicTime set_over = run->timeline().now();
  std::erase_if(deferred.retries, [&](const Approach& retry) {
    return std::ranges::any_of(deferred.residuals, [&](const Residual& residual) {
      return residual.doubt.endpoint == retry.endpoint;
    });
  });
  const Microseconds rest = run->dice().between(pacing.retry_rest_min, pacing.retry_rest_max);
  if (!deferred.retries.empty()) co_await rest_until(run, set_over + rest);
  for (const Approach& retry : deferred.retries) (void)co_await go_if_room(run, retry);
  for (const Residual& residual : deferred.residuals) {
    co_await rest_until(run, set_over + pacing.residual_rest);
    auto s = same_address(*run, residual.site, residual.doubt);
    if (!s) continue;
    s->context.role = StepRole::residual;
    const std::optional<Arrival> arrival = co_await go_if_room(run, std::move(*s));
    if (!arrival || arrival->failed_at) continue;
    Approach once_more = again(residual.site, residual.doubt);  // blocked for its name alone?
    (void)co_await go_if_room(run, std::move(once_more));
  }
}

}  // namespace

asio::awaitable<void> rest_until(std::shared_ptr<Run> run, MonotonicTime instant) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  timer.expires_after(instant - run->timeline().now());
  const auto [cancelled] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  (void)cancelled;
}

asio::awaitable<void> bytes_counted(std::shared_ptr<Run> run) {
  co_await farewells_said(run->tally());
  const std::vector<std::shared_ptr<WireTally>> tallies = run->follow_up_bytes().tallies();
  for (const auto& tally : tallies) co_await farewells_said(tally);
}

asio::awaitable<void> settle_lookups(std::shared_ptr<Run> run, std::vector<Visit>& visits) {
  const bool doubtful = std::ranges::any_of(visits, [](const Visit& v) { return !v.facts.doubts.empty(); });
  const std::optional<MonotonicTime> until = run->listening_until();
  if (until && (doubtful || run->request().depth == Depth::core)) co_await rest_until(run, *until);
  const std::set<std::string> hosts = run->take_late_replies();
  for (Visit& visit : visits) {
    if (hosts.contains(visit.site.host)) visit.facts.doubts.push_back({Layer::dns, std::nullopt});
  }
}

asio::awaitable<void> follow_up(std::shared_ptr<Run> run, std::vector<Visit> visits, FollowUp granted) {
  std::vector<Approach> rare;
  if (granted == FollowUp::all && !run->list().harmless_name.empty()) rare = relay_pairs(*run, visits);
  std::vector<Visit> all;
  if (granted != FollowUp::none) all = visits;
  std::vector<Approach> speed;
  if (granted == FollowUp::all) speed = throughput_pair_of(*run, visits);
  std::erase_if(visits, [](const Visit& visit) { return visit.facts.doubts.empty(); });
  const auto deferred = std::make_shared<Deferred>();
  if (!visits.empty()) co_await run_immediate_set(run, std::move(visits), granted, deferred);
  co_await follow_quic(run, std::move(all));
  co_await run_relay_pairs(run, std::move(rare));
  co_await run_throughput_pair(run, std::move(speed));
  if (granted == FollowUp::all) {
    Deferred later = std::move(*deferred);
    co_await run_deferred(run, std::move(later));
  }
}

}  // namespace kua::probe
