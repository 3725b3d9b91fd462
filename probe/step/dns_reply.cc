#include "probe/step/dns_reply.h"

#include <algorithm>
#include <vector>

#include "probe/step/dns_lookup.h"

namespace kua::probe {

std::optional<DnsReply> read_reply(const wire::DnsQuery& query, std::string_view bytes,
                                   Microseconds offset) {
  const auto message = wire::decode_dns(wire::as_bytes(bytes));
  if (!message || !wire::answers_query(*message, query)) return std::nullopt;
  wire::DnsAnswers answers = wire::answers_of(*message);
  DnsReply out;
  out.offset = offset;
  out.rcode = message->header.rcode;
  out.addresses = std::move(answers.addresses);
  out.cnames = std::move(answers.cnames);
  out.ttl_seconds = answers.ttl_seconds;
  out.raw = wire::as_text(wire::scrub_client_subnet(wire::as_bytes(bytes)).bytes);
  return out;
}

bool differ(const DnsReply& a, const DnsReply& b) {
  if (a.rcode != b.rcode) return true;
  const auto sorted = [](std::vector<IpAddress> addresses) {
    std::ranges::sort(addresses);
    return addresses;
  };
  return sorted(a.addresses) != sorted(b.addresses);
}

std::optional<Failure> failure_of(const DnsReply& reply) {
  const auto resolve = [](FailureCode code) { return Failure{code, Operation::resolve}; };
  switch (reply.rcode) {
    case wire::kDnsNoError:
      if (!reply.addresses.empty()) return std::nullopt;
      return resolve(FailureCode::dns_no_answer);
    case wire::kDnsNxDomain:
      return resolve(FailureCode::dns_nxdomain_error);
    case wire::kDnsRefused:
      return resolve(FailureCode::dns_refused_error);
    case wire::kDnsServFail:
      return resolve(FailureCode::dns_servfail_error);
    default:  // the registry is open
      return resolve(FailureCode::dns_server_misbehaving);
  }
}

}  // namespace kua::probe
