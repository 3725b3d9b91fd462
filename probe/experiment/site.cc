#include "probe/experiment/site.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "probe/experiment/task_group.h"
#include "probe/experiment/throughput.h"
#include "probe/limits.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

// Handshakes tried in one family: the second shows whether it was the address or the name.
constexpr std::size_t kHandshakesPerFamily = 2;

std::vector<IpAddress> first_of(Run& run, const std::vector<IpAddress>& addresses, Family family) {
  std::vector<IpAddress> out;
  for (const IpAddress& address : addresses) {
    if (address.family() != family) continue;
    if (out.size() == kAddressesPerFamilyMax) {
      run.count_limit("addresses");
      break;
    }
    out.push_back(address);
  }
  return out;
}

// How the addresses of one family fared.
struct FamilyOutcome {
  explicit FamilyOutcome(StepRole role_in, MonotonicTime latest_in = MonotonicTime::max())
      : role(role_in), latest(latest_in) {}
  void doubt(Run& run, Layer layer, const Endpoint& endpoint) {
    if (role == StepRole::main) run.note_doubt();
    doubts.push_back({layer, endpoint});
  }
  // Bounds a step that begins now.
  [[nodiscard]] MonotonicTime step_latest(const Run& run) const {
    return role == StepRole::main ? std::min(latest, run.main_latest()) : latest;
  }

  StepRole role;
  MonotonicTime latest;  // of all its steps
  std::shared_ptr<WireTally> tally;  // nullptr: the run's
  std::vector<Doubt> doubts;
  std::vector<Arrival> arrivals;  // of the connects, by address
  std::optional<std::pair<Approach, Arrival>> open;  // where a round trip may follow
  bool beside_other = false;  // IPv6 where there is IPv4, too
  bool tried = false;
  bool no_route = false;  // for none of the addresses
  bool silent = false;    // no connect was answered at all
};

asio::awaitable<void> connect_into(std::shared_ptr<Run> run, Approach approach,
                                   std::shared_ptr<FamilyOutcome> out, std::size_t index) {
  Arrival arrival = co_await connect_step(std::move(run), std::move(approach));
  out->arrivals[index] = std::move(arrival);
}

asio::awaitable<void> connect_all(std::shared_ptr<Run> run, std::vector<Approach> approaches,
                                  std::shared_ptr<FamilyOutcome> out) {
  out->arrivals.resize(approaches.size());
  if (approaches.size() == 1) {
    co_await connect_into(run, approaches.front(), out, 0);
    co_return;
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup group(executor);
  for (std::size_t i = 0; i < approaches.size(); ++i) group.spawn(connect_into(run, approaches[i], out, i));
  co_await group.join();
}

// Connects to all, then shakes hands with one: with the next only if that fails.
asio::awaitable<void> try_family(std::shared_ptr<Run> run, Site site, std::vector<IpAddress> addresses,
                                 std::shared_ptr<FamilyOutcome> out) {
  const MonotonicTime latest = out->step_latest(*run);
  std::vector<Approach> approaches;
  for (const IpAddress& address : addresses) {
    Approach approach = approach_of(site, {address, site.port, Transport::tcp}, out->role);
    // A silent IPv6 holds up what IPv4 has found: half the time is still two more SYNs.
    approach.latest = out->beside_other ? run->deadline(run->pacing().connect_deadline / 2, latest) : latest;
    approach.tally = out->tally;
    approaches.push_back(std::move(approach));
  }
  out->tried = !approaches.empty();
  if (!out->tried) co_return;
  co_await connect_all(run, approaches, out);

  std::size_t handshakes = 0;
  for (std::size_t i = 0; i < approaches.size(); ++i) {
    if (out->arrivals[i].failed_at) continue;
    if (out->open || handshakes == kHandshakesPerFamily) {
      out->arrivals[i].stream.reset();
      continue;
    }
    ++handshakes;
    Arrival arrival = std::move(out->arrivals[i]);
    approaches[i].latest = out->step_latest(*run);
    arrival = co_await handshake_step(run, approaches[i], std::move(arrival));
    if (arrival.failed_at || (site.security == Security::tls && arrival.trust != ChainTrust::trusted)) {
      out->doubt(*run, Layer::tls, approaches[i].endpoint);
    }
    if (!arrival.failed_at) out->open.emplace(approaches[i], std::move(arrival));
  }
  if (handshakes > 0) co_return;
  out->no_route = std::ranges::all_of(out->arrivals, &Arrival::no_route);
  out->silent = std::ranges::all_of(out->arrivals, [](const Arrival& arrival) {
    return arrival.code == FailureCode::generic_timeout_error;
  });
  if (!out->no_route) out->doubt(*run, Layer::tcp, approaches.front().endpoint);
}

asio::awaitable<void> ask_trusted_into(std::shared_ptr<Run> run, LookupPlan plan,
                                       std::shared_ptr<std::optional<Answers>> out) {
  *out = co_await ask_trusted(std::move(run), std::move(plan));
}

// The round trip at the open end of a family.
asio::awaitable<void> ask_page(std::shared_ptr<Run> run, std::shared_ptr<FamilyOutcome> family,
                               SiteFacts& facts) {
  Approach approach = family->open->first;
  approach.latest = family->step_latest(*run);
  Arrival arrival = std::move(family->open->second);
  family->open.reset();
  const bool proven = arrival.trust == ChainTrust::trusted;
  if (approach.reach == Reach::round_trip) {
    arrival = co_await round_trip_step(run, approach, std::move(arrival));
    if (proven && is_slow(arrival.answer, run->pacing())) facts.slow = approach.endpoint;
    if (!arrival.failed_at && !facts.answer) facts.answer = std::move(arrival.answer);
  }
  const bool refused = approach.security == Security::plain && arrival.answer.status.value_or(0) >= 400;
  if (arrival.failed_at || refused) {
    family->doubt(*run, Layer::http, approach.endpoint);
  } else {
    facts.reached.push_back(approach.endpoint);
  }
  facts.proven = facts.proven || proven;
}

// A page over TLS is asked for once: what it says cannot depend on the family without the certificate
// showing it. Over plain HTTP the path may answer differently by family.
bool wants_page(const Site& site, const SiteFacts& facts) {
  return site.security == Security::plain || site.reach != Reach::round_trip || !facts.answer;
}

// Both families side by side; the page is not kept waiting for a silent IPv6.
asio::awaitable<void> try_addresses(std::shared_ptr<Run> run, Site site, std::vector<IpAddress> four,
                                    std::vector<IpAddress> six, SiteFacts& facts) {
  const auto out4 = std::make_shared<FamilyOutcome>(StepRole::main);
  const auto out6 = std::make_shared<FamilyOutcome>(StepRole::main);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup group(executor);
  if (!six.empty() && !four.empty()) {
    out6->beside_other = true;
    group.spawn(try_family(run, site, six, out6));
  } else {
    co_await try_family(run, site, six, out6);
  }
  co_await try_family(run, site, four, out4);
  if (out4->open) co_await ask_page(run, out4, facts);
  co_await group.join();
  if (out6->open && wants_page(site, facts)) {
    co_await ask_page(run, out6, facts);
  } else if (out6->open) {
    facts.reached.push_back(out6->open->first.endpoint);
    facts.proven = facts.proven || out6->open->second.trust == ChainTrust::trusted;
  }

  for (const auto& out : {out4, out6}) {
    facts.doubts.insert(facts.doubts.end(), out->doubts.begin(), out->doubts.end());
  }
  if (out6->no_route) run->missing("ipv6");
  if (out6->silent && !facts.reached.empty()) run->note_ipv6_silent();
  const bool nowhere = (!out4->tried || out4->no_route) && (!out6->tried || out6->no_route);
  if (nowhere && (out4->tried || out6->tried)) run->fail_vantage("no route to any address");
}

bool disjoint(const std::vector<IpAddress>& a, const std::vector<IpAddress>& b) {
  return std::ranges::none_of(
      a, [&](const IpAddress& address) { return std::ranges::find(b, address) != b.end(); });
}

bool is_doubtful(const Answers& answers) {
  return answers.addresses.empty() || answers.failed || answers.barred;
}

bool doubts_answers(const SiteFacts& facts) {
  if (is_doubtful(facts.system)) return true;
  // Other addresses than trusted resolvers give are ordinary, unless nothing proves them right.
  return !facts.proven && facts.trusted && !facts.trusted->addresses.empty() &&
         disjoint(facts.system.addresses, facts.trusted->addresses);
}

}  // namespace

Site site_of(const protocol::TargetUrl& url, std::uint32_t hop, Depth depth) {
  Site site;
  site.hop = hop;
  site.host = url.host;
  site.port = url.port;
  site.url = url;
  switch (url.scheme) {
    case protocol::UrlScheme::http:
      site.security = Security::plain;
      break;
    case protocol::UrlScheme::https:
      site.security = Security::tls;
      break;
  }
  const bool handshake_is_enough = depth == Depth::key && site.security == Security::tls;
  site.reach = handshake_is_enough ? Reach::handshake : Reach::round_trip;
  return site;
}

Approach approach_of(const Site& site, const Endpoint& endpoint, StepRole role) {
  Approach approach;
  approach.context.hop = site.hop;
  approach.context.host = site.host;
  approach.context.role = role;
  approach.endpoint = endpoint;
  approach.security = site.security;
  approach.name = site.host;
  approach.url = site.url;
  approach.reach = site.reach;
  return approach;
}

std::vector<IpAddress> only_trusted(const SiteFacts& facts) {
  std::vector<IpAddress> out;
  if (!facts.trusted) return out;
  for (const IpAddress& address : facts.trusted->addresses) {
    const auto& system = facts.system.addresses;
    if (std::ranges::find(system, address) == system.end()) out.push_back(address);
  }
  return out;
}

asio::awaitable<std::vector<Doubt>> try_trusted_addresses(std::shared_ptr<Run> run, Site site,
                                                          std::vector<IpAddress> addresses,
                                                          MonotonicTime latest) {
  std::vector<Doubt> doubts;
  std::vector<std::vector<IpAddress>> families;
  for (const Family family : {Family::ip4, Family::ip6}) {
    if (family == Family::ip6 && !run->ipv6_worth_trying()) continue;
    std::vector<IpAddress> chosen = first_of(*run, addresses, family);
    if (!chosen.empty()) families.push_back(std::move(chosen));
  }
  for (std::size_t i = 0; i < families.size(); ++i) {
    const MonotonicTime now = run->timeline().now();
    if (now >= latest) {
      run->count_limit("immediate_set");
      break;
    }
    const auto share = (latest - now) / static_cast<std::int64_t>(families.size() - i);
    const auto out = std::make_shared<FamilyOutcome>(StepRole::trusted, now + share);
    const Endpoint first{families[i].front(), site.port, Transport::tcp};
    const std::uint64_t connects = (families[i].size() - 1) * kConnectBytesReckoned;
    out->tally = run->begin_follow_up(reckoned_bytes(approach_of(site, first, StepRole::trusted)) + connects);
    if (out->tally == nullptr) continue;
    co_await try_family(run, site, families[i], out);
    SiteFacts unused;
    if (out->open) co_await ask_page(run, out, unused);
    doubts.insert(doubts.end(), out->doubts.begin(), out->doubts.end());
  }
  co_return doubts;
}

asio::awaitable<SiteFacts> measure_site(std::shared_ptr<Run> run, Site site, std::vector<IpAddress> known) {
  SiteFacts facts;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup group(executor);
  const auto trusted = std::make_shared<std::optional<Answers>>();
  const std::optional<IpAddress> literal = IpAddress::parse(site.host);
  const bool look_up = !literal && known.empty();
  if (look_up) {
    LookupPlan plan;
    plan.hop = site.hop;
    plan.host = site.host;
    if (run->request().depth == Depth::core && !run->list().trusted_resolvers.empty()) {
      LookupPlan trusted_plan = plan;
      trusted_plan.role = StepRole::trusted;
      group.spawn(ask_trusted_into(run, std::move(trusted_plan), trusted));
    }
    facts.system = co_await ask_system(run, std::move(plan));
    if (is_doubtful(facts.system)) run->note_doubt();
  } else {
    facts.system.addresses = std::move(known);
    if (literal && run->may_contact(*literal)) facts.system.addresses = {*literal};
  }

  std::vector<IpAddress> four = first_of(*run, facts.system.addresses, Family::ip4);
  std::vector<IpAddress> six = first_of(*run, facts.system.addresses, Family::ip6);
  if (!six.empty() && !run->ipv6_worth_trying()) {
    run->missing("ipv6");
    six.clear();
  }
  if (run->request().depth == Depth::key) {  // one address
    if (four.size() > 1) four.resize(1);
    six.resize(four.empty() && !six.empty() ? 1 : 0, *IpAddress::parse("::"));
  }
  co_await try_addresses(run, site, std::move(four), std::move(six), facts);
  co_await group.join();
  facts.trusted = std::move(*trusted);
  if (look_up && doubts_answers(facts)) facts.doubts.push_back({Layer::dns, std::nullopt});
  co_return facts;
}

}  // namespace kua::probe
