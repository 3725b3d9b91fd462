#include "probe/vantage/resolver_probe.h"

#include <algorithm>
#include <array>
#include <memory>

#include "probe/step/contact_guard.h"
#include "probe/step/dns_lookup.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;

// Advertising names that the stock lists of Pi-hole, AdGuard Home and router filters hold, and that any
// web browsing looks up many times a day; the last is the name by which such filters announce themselves.
constexpr std::array kFilteredNames = {"doubleclick.net", "googlesyndication.com",
                                       "use-application-dns.net"};
constexpr const char* kNat64Name = "ipv4only.arpa";

LookupOptions options_for(const char* name, QueryType type, const Endpoint& resolver,
                          MonotonicTime deadline) {
  LookupOptions options;
  options.context.host = name;
  options.resolver = resolver;
  options.resolver_text = "private";
  options.name = *DomainName::parse(name);
  options.types = {type};
  options.deadline = deadline;
  return options;
}

}  // namespace

FilterSign filter_sign(const Lookup& lookup) {
  if (!lookup.reply || lookup.reply->addresses.empty()) return FilterSign::none;
  const auto& addresses = lookup.reply->addresses;
  const auto leads_nowhere = [](const IpAddress& address) {
    static const IpAddress kNone4 = *IpAddress::parse("0.0.0.0");
    static const IpAddress kNone6 = *IpAddress::parse("::");
    return address == kNone4 || address == kNone6 || is_home_address(address);
  };
  if (std::ranges::all_of(addresses, leads_nowhere)) return FilterSign::filtered;
  return std::ranges::all_of(addresses, is_globally_routable) ? FilterSign::free : FilterSign::none;
}

asio::awaitable<ResolverFindings> probe_resolver(const platform::Clock& clock, Endpoint resolver,
                                                 Microseconds within) {
  const Timeline timeline{&clock, clock.monotonic_now()};
  const auto tally = std::make_shared<WireTally>();
  const MonotonicTime deadline = timeline.origin + within;
  ResolverFindings findings;
  std::size_t free = 0;
  for (const char* name : kFilteredNames) {
    LookupOptions options = options_for(name, QueryType::a, resolver, deadline);
    const LookupResult result = co_await dns_lookup(timeline, tally, std::move(options));
    for (const Lookup& lookup : result.observations) {
      const FilterSign sign = filter_sign(lookup);
      findings.filter_seen |= sign == FilterSign::filtered;
      free += sign == FilterSign::free ? 1 : 0;
    }
    if (result.observations.empty() || !result.observations.front().reply) break;  // it does not answer
  }
  findings.forwards_freely = free == kFilteredNames.size();
  LookupOptions options = options_for(kNat64Name, QueryType::aaaa, resolver, deadline);
  const LookupResult result = co_await dns_lookup(timeline, tally, std::move(options));
  for (const Lookup& lookup : result.observations) {
    findings.nat64 |= lookup.reply && !lookup.reply->addresses.empty();
  }
  findings.bytes = tally->sent + tally->received;
  co_return findings;
}

ResolverClass refine(ResolverClass by_address, ResolverPlace place, const ResolverFindings& findings) {
  if (findings.filter_seen && by_address != ResolverClass::third_party) return ResolverClass::local_filter;
  if (by_address != ResolverClass::unknown || place == ResolverPlace::elsewhere) return by_address;
  return findings.forwards_freely ? ResolverClass::network : ResolverClass::unknown;
}

}  // namespace kua::probe
