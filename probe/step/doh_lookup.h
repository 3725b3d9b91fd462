// One name asked of a DoH resolver (RFC 8484, GET over HTTP/2). The resolver's certificate is verified
// here as nowhere else: an answer over a chain we do not trust is no answer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/observation.h"
#include "probe/step/timeline.h"
#include "probe/step/wire_tally.h"

namespace kua::probe {

class TrustStore;

struct DohOptions {
  StepContext context;       // hop, host and role; the rest is filled in
  std::string url;           // for the record; "https://dns.example/dns-query"
  std::string server_name;   // of the URL: SNI, certificate, authority
  std::string authority;
  std::string path;
  Endpoint endpoint{*IpAddress::parse("0.0.0.0"), 443, Transport::tcp};
  DomainName name = *DomainName::parse("invalid");
  std::vector<QueryType> types;  // one query each, over one connection
  MonotonicTime deadline;        // absolute
};

struct DohResult {
  std::vector<Lookup> observations;  // one a type, in the order asked
  std::optional<Error> instrument;   // our own failure
};

// Borrows `trust`, which outlives the awaitable. The caller has made sure that the address may be contacted.
[[nodiscard]] boost::asio::awaitable<DohResult> doh_lookup(const TrustStore& trust, Timeline timeline,
                                                           std::shared_ptr<WireTally> tally,
                                                           DohOptions options);

}  // namespace kua::probe
