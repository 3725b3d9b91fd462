// One host of a measurement under its own name: a hop of a redirect chain, or an endpoint of a service.
// Looked up, connected, shaken hands with and, for a page, asked for it; with what made us doubt.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/experiment/approach.h"
#include "probe/experiment/resolve.h"
#include "probe/experiment/run.h"

namespace kua::probe {

struct Site {
  std::uint32_t hop = 0;
  std::string host;  // DomainName's text or a literal
  std::uint16_t port = 443;
  Security security = Security::tls;
  Reach reach = Reach::round_trip;
  protocol::TargetUrl url;  // where reach is round_trip
};

[[nodiscard]] Site site_of(const protocol::TargetUrl& url, std::uint32_t hop, Depth depth);

// Why a follow-up is wanted: where it failed, and at which endpoint unless it was the lookup.
struct Doubt {
  Layer layer = Layer::dns;
  std::optional<Endpoint> endpoint;
};

// What is known of a host by the end of its hop; a later hop of the same host starts from it.
struct SiteFacts {
  Answers system;
  std::optional<Answers> trusted;     // nullopt: not asked
  std::vector<Endpoint> reached;      // endpoints at which all went well
  std::vector<Doubt> doubts;
  std::optional<Endpoint> slow;       // where the page came slowly over TLS: the line, or its name?
  bool proven = false;                // a trusted certificate for the name: the address is right
  std::optional<Answer> answer;       // of the round trip that counts
  bool quic_tried = false;
  std::vector<Endpoint> quic_failed;  // where a main QUIC handshake failed (probe/experiment/quic.h)
};

// `known`: the addresses at which an earlier hop reached this very host; empty to look it up.
[[nodiscard]] boost::asio::awaitable<SiteFacts> measure_site(std::shared_ptr<Run> run, Site site,
                                                             std::vector<IpAddress> known);

// For the follow-up: the approach of `site` at `endpoint` in a role.
[[nodiscard]] Approach approach_of(const Site& site, const Endpoint& endpoint, StepRole role);
// Addresses that only trusted resolvers gave, at most kAddressesPerFamilyMax a family.
[[nodiscard]] std::vector<IpAddress> only_trusted(const SiteFacts& facts);
// Connects and more at addresses that only trusted resolvers gave (role trusted). Over by `latest`, which
// the families share. Returns what failed there.
[[nodiscard]] boost::asio::awaitable<std::vector<Doubt>> try_trusted_addresses(std::shared_ptr<Run> run,
                                                                               Site site,
                                                                               std::vector<IpAddress> addresses,
                                                                               MonotonicTime latest);

}  // namespace kua::probe
