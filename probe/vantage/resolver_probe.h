// Asks the resolver a few names to learn what kind it is. A resolver on the home network counts as the
// network's only after it answered, with public addresses, names that filters of a household block: that
// a router forwards must be shown before its answers may accuse anybody. Asks only the system's resolver,
// and contacts none of the names.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "measurement/address.h"
#include "measurement/observation.h"
#include "measurement/vantage.h"
#include "platform/clock/clock.h"

namespace kua::probe {

struct ResolverFindings {
  bool filter_seen = false;      // an advertising name was answered with an address that leads nowhere
  bool forwards_freely = false;  // every such name was answered with public addresses
  bool nat64 = false;            // ipv4only.arpa has an IPv6 address (RFC 7050)
  std::uint64_t bytes = 0;       // on the wire, both directions
  friend bool operator==(const ResolverFindings&, const ResolverFindings&) = default;
};

// `within`: how long to wait for the answers.
[[nodiscard]] boost::asio::awaitable<ResolverFindings> probe_resolver(const platform::Clock& clock,
                                                                      Endpoint resolver,
                                                                      Microseconds within);

// What the answers to one advertising name say; pure.
enum class FilterSign { none, free, filtered };
[[nodiscard]] FilterSign filter_sign(const Lookup& lookup);

// The class in all: what the addresses say, refined by the findings where they say nothing.
enum class ResolverPlace { home_network, elsewhere };
[[nodiscard]] ResolverClass refine(ResolverClass by_address, ResolverPlace place,
                                   const ResolverFindings& findings);

}  // namespace kua::probe
