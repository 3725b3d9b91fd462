// A DNS message off the wire as a reply for the record. For the files of this folder only.
#pragma once

#include <optional>
#include <string_view>

#include "measurement/observation.h"
#include "wire/dns_message.h"

namespace kua::probe {

// nullopt when the bytes do not answer `query`. Client-subnet options are gone from `raw`.
[[nodiscard]] std::optional<DnsReply> read_reply(const wire::DnsQuery& query, std::string_view bytes,
                                                 Microseconds offset);

// Whether two replies say different things: rcode or set of addresses. TTLs count down and the order
// rotates, so neither makes a difference.
[[nodiscard]] bool differ(const DnsReply& a, const DnsReply& b);

}  // namespace kua::probe
