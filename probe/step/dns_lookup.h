// One name asked of one resolver over UDP: c-ares does the asking (retransmission, truncation, checking
// id and question), its sockets are ours. When the answer is in, the socket stays open beside what
// follows: on-path injectors answer first, the true answer comes after.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "measurement/error.h"
#include "measurement/observation.h"
#include "probe/step/timeline.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

struct LookupOptions {
  StepContext context;  // hop, host and role; the rest is filled in
  ResolverEngine engine = ResolverEngine::system;
  Endpoint resolver{*IpAddress::parse("0.0.0.0"), 53, Transport::udp};
  std::string resolver_text;  // for the record: "private" for one on the home network
  DomainName name = *DomainName::parse("invalid");
  std::vector<QueryType> types;  // one query each, side by side
  MonotonicTime deadline;        // absolute; three copies of a query are sent before it
  // How long to go on listening after the last answer; zero: close at once.
  Microseconds late_wait{0};
};

// Listens for further replies while other steps run. Destruction ends it.
class LateReplies {
 public:
  virtual ~LateReplies() = default;
  [[nodiscard]] virtual MonotonicTime until() const = 0;
  // Ends the listening. Of the replies to the query of `type`, those that differ from the first, at most
  // kLateRepliesMax; none when no more came than copies were sent, since each copy may be answered.
  [[nodiscard]] virtual std::vector<DnsReply> take(QueryType type) = 0;
};

struct LookupResult {
  std::vector<Lookup> observations;    // one a type, in the order asked; `late` is still empty
  std::shared_ptr<LateReplies> late;   // null when nothing is listened for
  std::optional<Error> instrument;     // our own failure; the observations then say nothing
};

[[nodiscard]] boost::asio::awaitable<LookupResult> dns_lookup(Timeline timeline,
                                                              std::shared_ptr<WireTally> tally,
                                                              LookupOptions options);

// The failure that a reply stands for: NXDOMAIN, REFUSED, SERVFAIL, an answer without addresses.
[[nodiscard]] std::optional<Failure> failure_of(const DnsReply& reply);

}  // namespace kua::probe
