#include "probe/experiment/resolve.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "probe/experiment/task_group.h"
#include "probe/step/doh_lookup.h"
#include "protocol/target_url.h"

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
  return !loopback || run.may_contact(resolver);
}

void add(Answers& out, const Run& run, const std::vector<Lookup>& lookups) {
  for (const Lookup& lookup : lookups) {
    out.answered = out.answered || lookup.reply.has_value();
    const bool failed = lookup.failure && lookup.failure->code != FailureCode::dns_no_answer;
    out.failed = out.failed || failed;
    if (!lookup.reply) continue;
    for (const IpAddress& address : lookup.reply->addresses) {
      if (!run.may_contact(address)) {
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
  const bool telling = run.may_contact(resolver.address);
  options.resolver_text = telling ? resolver.text() : "private";
  options.name = *name;
  options.types = types_of(run);
  options.deadline = deadline;
  if (can_be_injected(run, resolver.address)) options.late_wait = run.pacing().late_reply_wait;
  return options;
}

std::shared_ptr<WireTally> tally_of(const Run& run, const LookupPlan& plan) {
  return plan.tally ? plan.tally : run.tally();
}

asio::awaitable<Answers> ask(std::shared_ptr<Run> run, LookupOptions options,
                             std::shared_ptr<WireTally> tally) {
  const MonotonicTime deadline = options.deadline;
  LookupResult result = co_await dns_lookup(run->timeline(), std::move(tally), std::move(options));
  run->check_punctual(deadline);
  Answers out;
  if (result.instrument) run->fail_instrument(*result.instrument);
  add(out, *run, result.observations);
  for (Lookup& lookup : result.observations) run->record_lookup(std::move(lookup), result.late);
  co_return out;
}

// A resolver and one of its addresses.
struct Choice {
  const protocol::TargetList::TrustedResolver* resolver;
  IpAddress address;
};

enum class Kind : std::uint8_t { udp, doh };

// Drawn among the list's resolvers of that kind; nullopt: there is none.
std::optional<Choice> draw(Run& run, Kind kind) {
  std::vector<Choice> choices;
  for (const auto& resolver : run.list().trusted_resolvers) {
    if (kind == Kind::udp ? !resolver.udp : resolver.doh_url.empty()) continue;
    for (const IpAddress& address : resolver.addresses) {
      const bool usable = address.family() == Family::ip4 || run.ipv6_worth_trying();
      if (usable && run.may_contact(address)) choices.push_back({&resolver, address});
    }
  }
  if (choices.empty()) return std::nullopt;
  return choices[run.dice().below(choices.size())];
}

asio::awaitable<void> ask_udp_into(std::shared_ptr<Run> run, LookupPlan plan, std::shared_ptr<Answers> out) {
  const auto choice = draw(*run, Kind::udp);
  if (!choice) co_return;
  const MonotonicTime latest = run->deadline(run->pacing().lookup_deadline, plan.latest);
  const Endpoint resolver{choice->address, kDnsPort, Transport::udp};
  auto options = options_for(*run, plan, ResolverEngine::udp, resolver, latest);
  if (options) *out = co_await ask(run, std::move(*options), tally_of(*run, plan));
}

asio::awaitable<void> ask_doh_into(std::shared_ptr<Run> run, LookupPlan plan, std::shared_ptr<Answers> out) {
  const auto choice = draw(*run, Kind::doh);
  const auto name = DomainName::parse(plan.name.empty() ? plan.host : plan.name);
  if (!choice || !name) {
    run->missing("doh");
    co_return;
  }
  const std::string& listed = choice->resolver->doh_url;
  const auto url = protocol::parse_target_url(listed.substr(0, listed.find('{')));  // a template's variable
  if (!url || url->scheme != protocol::UrlScheme::https) {
    run->missing("doh");
    co_return;
  }
  DohOptions options;
  options.context.hop = plan.hop;
  options.context.host = plan.host;
  options.context.role = plan.role;
  options.url = url->text();
  options.server_name = url->host;
  options.authority = url->authority();
  options.path = url->path;
  options.endpoint = {choice->address, url->port, Transport::tcp};
  options.name = *name;
  options.types = types_of(*run);
  // Three round trips and a resolver's own work, where a lookup over UDP has one.
  options.deadline = run->deadline(run->pacing().lookup_deadline * 2, plan.latest);
  DohResult result = co_await doh_lookup(run->instrument().trust, run->timeline(), tally_of(*run, plan),
                                         std::move(options));
  if (result.instrument) run->fail_instrument(*result.instrument);
  add(*out, *run, result.observations);
  for (Lookup& lookup : result.observations) run->record_lookup(std::move(lookup), nullptr);
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
    out = co_await ask(run, std::move(*options), tally_of(*run, plan));
    if (out.answered) break;
  }
  co_return out;
}

asio::awaitable<Answers> ask_trusted(std::shared_ptr<Run> run, LookupPlan plan) {
  plan.role = StepRole::trusted;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup group(executor);
  const auto over_doh = std::make_shared<Answers>();
  const auto over_udp = std::make_shared<Answers>();
  group.spawn(ask_doh_into(run, plan, over_doh));
  group.spawn(ask_udp_into(run, plan, over_udp));
  co_await group.join();
  co_return over_doh->answered ? *over_doh : *over_udp;
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
  if (options) out = co_await ask(run, std::move(*options), tally_of(*run, plan));
  co_return out;
}

}  // namespace kua::probe
