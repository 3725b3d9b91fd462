#include "probe/experiment/resolve.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "probe/experiment/task_group.h"
#include "probe/step/contact_guard.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

constexpr std::uint16_t kDnsPort = 53;

std::vector<QueryType> types_of(const Run& run) {
  if (run.instrument().allow_ipv6) return {QueryType::a, QueryType::aaaa};
  return {QueryType::a};
}

// Who lives on the loopback sits behind nobody who could inject.
bool can_be_injected(const Run& run, const IpAddress& resolver) {
  static const Prefix loopback4 = *Prefix::parse("127.0.0.0/8");
  static const Prefix loopback6 = *Prefix::parse("::1/128");
  const bool loopback = loopback4.contains(resolver) || loopback6.contains(resolver);
  return !loopback || may_contact(resolver, run.list().routable);
}

void add(Answers& out, const Run& run, const std::vector<Lookup>& lookups) {
  for (const Lookup& lookup : lookups) {
    out.answered = out.answered || lookup.reply.has_value();
    const bool failed = lookup.failure && lookup.failure->code != FailureCode::dns_no_answer;
    out.failed = out.failed || failed;
    if (!lookup.reply) continue;
    for (const IpAddress& address : lookup.reply->addresses) {
      if (!may_contact(address, run.list().routable)) {
        out.barred = true;
      } else if (std::ranges::find(out.addresses, address) == out.addresses.end()) {
        out.addresses.push_back(address);
      }
    }
  }
}

// nullopt: the host is no DNS name.
std::optional<LookupOptions> options_for(const Run& run, const LookupPlan& plan, ResolverEngine engine,
                                         const Endpoint& resolver, MonotonicTime deadline) {
  const auto name = DomainName::parse(plan.name.empty() ? plan.host : plan.name);
  if (!name) return std::nullopt;
  LookupOptions options;
  options.context.hop = plan.hop;
  options.context.host = plan.host;
  options.context.role = plan.role;
  options.engine = engine;
  options.resolver = resolver;
  const bool telling = may_contact(resolver.address, run.list().routable);
  options.resolver_text = telling ? resolver.text() : "private";
  options.name = *name;
  options.types = types_of(run);
  options.deadline = deadline;
  if (plan.listen == LookupPlan::Listen::yes && can_be_injected(run, resolver.address)) {
    options.late_wait = run.pacing().late_reply_wait;
  }
  return options;
}

asio::awaitable<Answers> ask(std::shared_ptr<Run> run, LookupOptions options) {
  LookupResult result = co_await dns_lookup(run->timeline(), run->tally(), std::move(options));
  Answers out;
  if (result.instrument) run->fail_instrument(*result.instrument);
  add(out, *run, result.observations);
  for (Lookup& lookup : result.observations) run->record_lookup(std::move(lookup), result.late);
  co_return out;
}

}  // namespace

asio::awaitable<Answers> ask_system(std::shared_ptr<Run> run, LookupPlan plan) {
  Answers out;
  const std::vector<Endpoint>& resolvers = run->instrument().system_resolvers;
  if (resolvers.empty()) run->missing("system_resolver");
  const MonotonicTime latest = run->deadline(run->pacing().lookup_deadline, plan.latest);
  for (std::size_t i = 0; i < resolvers.size(); ++i) {
    // What is left of the time, shared by the resolvers that are left.
    const Microseconds left = latest - run->timeline().now();
    const auto share = left / static_cast<std::int64_t>(resolvers.size() - i);
    if (share <= Microseconds(0)) break;
    auto options = options_for(*run, plan, ResolverEngine::system, resolvers[i],
                               run->timeline().now() + share);
    if (!options) co_return out;
    out = co_await ask(run, std::move(*options));
    if (out.answered) break;
  }
  co_return out;
}

asio::awaitable<Answers> ask_trusted(std::shared_ptr<Run> run, LookupPlan plan) {
  Answers out;
  const auto& resolvers = run->list().trusted_resolvers;
  std::vector<IpAddress> addresses;
  for (const auto& resolver : resolvers) {
    if (!resolver.udp) continue;
    for (const IpAddress& address : resolver.addresses) {
      if (address.family() == Family::ip4 || run->ipv6_worth_trying()) addresses.push_back(address);
    }
  }
  if (addresses.empty()) co_return out;
  const Endpoint resolver{addresses[run->dice().below(addresses.size())], kDnsPort, Transport::udp};
  const MonotonicTime latest = run->deadline(run->pacing().lookup_deadline, plan.latest);
  auto options = options_for(*run, plan, ResolverEngine::udp, resolver, latest);
  if (options) out = co_await ask(run, std::move(*options));
  co_return out;
}

asio::awaitable<Answers> ask_nobody(std::shared_ptr<Run> run, LookupPlan plan) {
  Answers out;
  const auto& addresses = run->list().no_resolvers;
  if (addresses.empty()) {
    run->missing("no_resolver");
    co_return out;
  }
  plan.role = StepRole::no_resolver;
  const Endpoint resolver{addresses[run->dice().below(addresses.size())], kDnsPort, Transport::udp};
  const MonotonicTime latest = run->deadline(run->pacing().lookup_deadline, plan.latest);
  auto options = options_for(*run, plan, ResolverEngine::udp, resolver, latest);
  if (options) out = co_await ask(run, std::move(*options));
  co_return out;
}

}  // namespace kua::probe
