// Whether a packet is what a rule looks for.
#pragma once

#include <optional>
#include <string>

#include "tests/lab/forwarder/flow.h"
#include "tests/lab/forwarder/rule.h"
#include "tests/lab/forwarder/sight.h"
#include "wire/dns_message.h"

namespace kua::lab {

// The names that one packet of the probe carries, found once and compared with many rules.
struct NamesSeen {
  std::optional<wire::DnsMessage> query;
  std::optional<std::string> qname;
  std::optional<std::string> sni;
  std::optional<std::string> host;
  std::optional<std::string> quic_sni;
};

// `flow` has observed the packet already. All empty for a packet from the far end. The SNI of a
// ClientHello that came in several segments is seen in the one that completes it, and in every
// retransmission after that.
[[nodiscard]] NamesSeen names_in(const Sight& sight, const Flow& flow);

[[nodiscard]] bool matches(const Match& match, const Sight& sight, const NamesSeen& names);

// Whether an act can be done to this packet at all: a block page needs a request to answer, a forged
// answer a question. Where it cannot, the rule does not count as matched.
[[nodiscard]] bool applies_to(const Act& act, const Sight& sight, const NamesSeen& names);

}  // namespace kua::lab
