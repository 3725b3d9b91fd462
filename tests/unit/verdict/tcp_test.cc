#include "tests/unit/verdict/case.h"

namespace kua::verdict::test {
namespace {

using enum StepRole;
constexpr Layer kTcp = Layer::tcp;

Controls up() { return {well()}; }
Controls down() { return Controls::failed_twice(resolved().no_connect(kTrue, kSilence)); }
Story both_families() {
  return resolved().answers(ResolverEngine::system, {kTrue6}, QueryType::aaaa)
      .answers(ResolverEngine::doh, {kTrue6}, QueryType::aaaa);
}
Controls up_over_both() { return {both_families().shakes(kTrue).shakes(kTrue6)}; }

// Linux gives EACCES to a connect that ICMPv6 says is administratively prohibited.
Story refused_by_errno_of_ours() {
  Story story = Story().answers(ResolverEngine::system, {kTrue6}, QueryType::aaaa)
                    .answers(ResolverEngine::doh, {kTrue6}, QueryType::aaaa).prohibited(kTrue6, IcmpOrigin::path);
  std::get<Connect>(story.measurement.observations.back()).failure =
      failure(FailureCode::permission_denied, Operation::connect);
  return story;
}

TEST(TcpRules, Table) {
  const Case rows[] = {
      {"a connection is a connection", resolved().connects(kTrue), {}, kTcp, State::ok, "tcp.connected"},
      {"a repetition that connects leaves the line impaired",
       resolved().no_connect(kTrue, kSilence).as(retry).connects(kTrue), up(), kTcp, State::impaired,
       "tcp.connected_on_retry"},
      {"repeated silence from this network only is a sign",
       resolved().no_connect(kTrue, kSilence).as(retry).no_connect(kTrue, kSilence), up(), kTcp,
       State::likely_blocked, "tcp.fails_here_only", "tcp.timeout"},
      {"silence once may be loss", resolved().no_connect(kTrue, kSilence), up(), kTcp, State::insufficient,
       "tcp.nothing_to_compare"},
      {"so is a reset", resolved().no_connect(kTrue, kReset), up(), kTcp, State::likely_blocked,
       "tcp.fails_here_only", "tcp.reset"},
      {"so is a refusal", resolved().no_connect(kTrue, kRefused), up(), kTcp, State::likely_blocked,
       "tcp.fails_here_only", "tcp.refused"},
      {"failing for everybody is down", resolved().no_connect(kTrue, kRefused), down(), kTcp, State::down,
       "tcp.fails_for_everybody"},
      {"without a control a timeout proves nothing", resolved().no_connect(kTrue, kSilence), {}, kTcp,
       State::insufficient, "tcp.nothing_to_compare"},
      {"a router that says prohibited proves it by itself",
       resolved().prohibited(kTrue, IcmpOrigin::path), {}, kTcp, State::blocked, "tcp.prohibited",
       "tcp.icmp_prohibited"},
      {"… also by an errno that else is this machine's, as for ICMPv6", refused_by_errno_of_ours(), {}, kTcp,
       State::blocked, "tcp.prohibited", "tcp.icmp_prohibited", kHost, {}},
      {"unless the site is down anyway", resolved().prohibited(kTrue, IcmpOrigin::path), down(), kTcp,
       State::down, "tcp.fails_for_everybody"},
      {"… or the address is dead for controls too, behind a filter of its own house",
       resolved().answers(ResolverEngine::doh, {kElsewhere}).prohibited(kElsewhere, IcmpOrigin::path),
       {resolved().prohibited(kElsewhere, IcmpOrigin::path).shakes(kTrue)}, kTcp, State::insufficient,
       "tcp.dead_for_controls"},
      {"a prohibition of an address that only the resolver named is not one of the site",
       Story().answers(ResolverEngine::system, {kElsewhere}).answers(ResolverEngine::doh, {kTrue})
           .prohibited(kElsewhere, IcmpOrigin::path),
       up(), kTcp, State::insufficient, "tcp.unconfirmed_address"},
      {"a site that is down is so at any address",
       Story().answers(ResolverEngine::system, {kElsewhere}).answers(ResolverEngine::doh, {kTrue})
           .no_connect(kElsewhere, kSilence),
       down(), kTcp, State::down, "tcp.fails_for_everybody"},
      {"the server's own firewall may dislike a country",
       resolved().prohibited(kTrue, IcmpOrigin::endpoint), up(), kTcp, State::likely_blocked,
       "tcp.prohibited_by_server", "tcp.icmp_prohibited"},
      {"the household's own router accuses nobody", resolved().prohibited(kTrue, IcmpOrigin::local)
                                                        .connects(kTrue),
       up(), kTcp, State::ok, "tcp.connected"},
      {"an address that only the resolver named may be the resolver's mistake",
       Story().answers(ResolverEngine::system, {kElsewhere}).answers(ResolverEngine::doh, {kTrue})
           .no_connect(kElsewhere, kSilence),
       up(), kTcp, State::insufficient, "tcp.unconfirmed_address"},
      {"the true address speaks where the resolver's own also failed",
       Story().answers(ResolverEngine::system, {kElsewhere}).answers(ResolverEngine::doh, {kTrue})
           .no_connect(kElsewhere, kRefused).as(trusted).no_connect(kTrue, kReset),
       up(), kTcp, State::likely_blocked, "tcp.fails_here_only", "tcp.reset"},
      {"an edge that is dead for controls too is not held against the network",
       resolved().answers(ResolverEngine::doh, {kElsewhere}).no_connect(kElsewhere, kSilence),
       {resolved().no_connect(kElsewhere, kSilence).shakes(kTrue)}, kTcp, State::insufficient,
       "tcp.dead_for_controls"},
  };
  for (const Case& row : rows) check(row);
}

TEST(TcpRules, Families) {
  const Case rows[] = {
      {"blocked over IPv4, open over IPv6",
       both_families().no_connect(kTrue, kRefused).connects(kTrue6), up_over_both(), kTcp,
       State::likely_blocked, "tcp.fails_here_only", "tcp.refused", kHost, Family::ip4},
      {"… and the open family is ok", both_families().no_connect(kTrue, kSilence).connects(kTrue6),
       up_over_both(), kTcp, State::ok, "tcp.connected", "", kHost, Family::ip6},
      {"both families agree: one verdict",
       both_families().connects(kTrue).connects(kTrue6), {}, kTcp, State::ok, "tcp.connected"},
      {"IPv6 that answers nobody accuses nobody",
       both_families().connects(kTrue).no_connect(kTrue6, kSilence), up_over_both(), kTcp,
       State::insufficient, "tcp.family_unproven", "", kHost, Family::ip6},
      {"IPv6 that works elsewhere does",
       both_families().connects(kTrue).no_connect(kTrue6, kSilence).as(retry).no_connect(kTrue6, kSilence)
           .as(witness).connects("2001:db8::99"),
       up_over_both(), kTcp, State::likely_blocked, "tcp.fails_here_only", "tcp.timeout", kHost,
       Family::ip6},
      {"an answer of the server's firewall shows that the family works",
       both_families().connects(kTrue).prohibited(kTrue6, IcmpOrigin::endpoint), up_over_both(), kTcp,
       State::likely_blocked, "tcp.prohibited_by_server", "tcp.icmp_prohibited", kHost, Family::ip6},
      {"a family that this machine lacks has no say",
       both_families().connects(kTrue).no_connect(kTrue6, FailureCode::network_unreachable),
       up_over_both(), kTcp, State::ok, "tcp.connected"},
  };
  for (const Case& row : rows) check(row);

  Story broken = both_families().connects(kTrue).no_connect(kTrue6, kSilence);
  broken.measurement.header.vantage.faults.ipv6_broken = true;
  check({"broken IPv6 is a fact about the vantage", broken, up_over_both(), kTcp, State::ok,
         "tcp.connected"});

  Story nat64 = Story().answers(ResolverEngine::system, {"64:ff9b::cb00:710a"}, QueryType::aaaa)
                    .answers(ResolverEngine::system, {kTrue}).answers(ResolverEngine::doh, {kTrue})
                    .no_connect(kTrue, kSilence).shakes("64:ff9b::cb00:710a");
  for (auto& observation : nat64.measurement.observations) {
    if (auto* lookup = std::get_if<Lookup>(&observation)) lookup->resolver = "[64:ff9b::1]:53";
  }
  nat64.measurement.header.vantage.faults.nat64 = true;
  check({"a line without IPv4 does not block the addresses it cannot use", nat64, up(), kTcp,
         State::insufficient, "tcp.family_unproven", "", kHost, Family::ip4});
}

}  // namespace
}  // namespace kua::verdict::test
