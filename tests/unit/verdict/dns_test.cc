#include "tests/unit/verdict/case.h"

namespace kua::verdict::test {
namespace {

using enum StepRole;
constexpr Layer kDns = Layer::dns;
constexpr auto kSystem = ResolverEngine::system;
constexpr auto kDoh = ResolverEngine::doh;
constexpr auto kUdp = ResolverEngine::udp;

Controls up() { return {well()}; }
Controls no_such_name() { return Controls::failed_twice(Story().rcode(kSystem, 3).rcode(kDoh, 3)); }
Story truth() { return Story().as(trusted).answers(kDoh, {kTrue}).as(main); }

TEST(DnsRules, RightAnswers) {
  const Case rows[] = {
      {"an answer that DoH gives too is right", resolved(), {}, kDns, State::ok, "dns.answers_agree"},
      {"geographic DNS: other addresses than the control's, and the certificate fits",
       truth().answers(kSystem, {kElsewhere}).shakes(kElsewhere), up(), kDns, State::ok,
       "dns.certificate_fits"},
      {"an answer right by certificate needs no trusted resolver",
       Story().answers(kSystem, {kElsewhere}).shakes(kElsewhere), {}, kDns, State::ok,
       "dns.certificate_fits"},
      {"an empty AAAA answer is no blocking",
       resolved().answers(kSystem, {}, QueryType::aaaa).answers(kDoh, {kTrue6}, QueryType::aaaa), {}, kDns,
       State::ok, "dns.type_withheld", "", kHost, Family::ip6},
      {"a name without AAAA for anybody has no verdict of that family",
       resolved().answers(kSystem, {}, QueryType::aaaa).answers(kDoh, {}, QueryType::aaaa), {}, kDns,
       State::ok, "dns.answers_agree"},
      {"an answer on repetition leaves the line impaired",
       truth().no_answer(kSystem).as(retry).answers(kSystem, {kTrue}), {}, kDns, State::impaired,
       "dns.answered_on_retry"},
      {"a second resolver makes up for a silent first one",
       truth().no_answer(kSystem).answers(kSystem, {kTrue}), {}, kDns, State::ok, "dns.answers_agree"},
      {"a relay that passes everything through is reported, and the content is ok",
       truth().answers(kSystem, {kElsewhere}).shakes(kElsewhere).shakes(kTrue).as(same_address)
           .shakes(kElsewhere, "harmless").presents(kTrue, ChainTrust::wrong_host, "site", "ca"),
       up(), kDns, State::ok, "dns.passed_through", "dns.forged.proxy"},
      {"a CDN that also hosts the harmless name is no relay",
       truth().answers(kSystem, {kElsewhere}).shakes(kElsewhere).shakes(kTrue).as(same_address)
           .shakes(kElsewhere, "harmless").shakes(kTrue, "harmless"),
       up(), kDns, State::ok, "dns.certificate_fits"},
      {"plain HTTP: another address with the control's page is right",
       truth().answers(kSystem, {kElsewhere}).connects(kElsewhere, 80)
           .plain_page(kElsewhere, 200, "Example Domain", 4000),
       {plain_well()}, kDns, State::ok, "dns.page_fits"},
      {"an answer nobody can vouch for is unverified", Story().answers(kSystem, {kElsewhere}), {}, kDns,
       State::insufficient, "dns.unverified"},
      {"UDP alone can say that an answer agrees",
       Story().answers(kSystem, {kTrue}).as(trusted).answers(kUdp, {kTrue}), {}, kDns, State::ok,
       "dns.agrees_with_udp"},
  };
  for (const Case& row : rows) check(row);
}

TEST(DnsRules, KnownNames) {
  const Case rows[] = {
      {"a known blocker's name on the way to the answered address",
       truth().answers(kSystem, {kElsewhere}).through("www.isp.example").through("Blocked.ISP.example"), up(),
       kDns, State::blocked, "dns.blockpage", "dns.forged.blockpage"},
      {"... of the vantage's own country's list, without anything to compare with",
       Story().answers(kSystem, {kElsewhere}).through("stop.isp.example"), {}, kDns, State::blocked,
       "dns.blockpage", "dns.forged.blockpage"},
      {"a name below a known one is another name",
       truth().answers(kSystem, {kElsewhere}).through("www.blocked.isp.example"), {}, kDns, State::insufficient,
       "dns.unverified"},
      {"a name that a trusted resolver gives too is the site's own",
       Story().as(trusted).answers(kDoh, {kTrue}).through("blocked.isp.example").as(main)
           .answers(kSystem, {kElsewhere}).through("blocked.isp.example"),
       {}, kDns, State::insufficient, "dns.unverified"},
      {"a blocker's name on the way to the true address is no forged answer",
       truth().answers(kSystem, {kTrue}).through("blocked.isp.example"), {}, kDns, State::ok, "dns.answers_agree"},
  };
  for (const Case& row : rows) check(row);
}

TEST(DnsRules, ForEverybody) {
  const Case rows[] = {
      {"a name that exists for nobody is down", Story().rcode(kSystem, 3).rcode(kDoh, 3), no_such_name(),
       kDns, State::down, "dns.exists_for_nobody"},
      {"DoH's denial alone says so too", Story().rcode(kSystem, 3).rcode(kDoh, 3), {}, kDns, State::down,
       "dns.exists_for_nobody"},
      {"a denial over UDP alone may be forged like the first",
       Story().rcode(kSystem, 3).as(trusted).rcode(kUdp, 3), {}, kDns, State::insufficient,
       "dns.nothing_to_compare"},
      {"a name without any record is down for everybody too",
       Story().answers(kSystem, {}).answers(kDoh, {}),
       Controls::failed_twice(Story().answers(kSystem, {}).answers(kDoh, {})), kDns, State::down,
       "dns.exists_for_nobody"},
      {"lookups that fail for everybody are the name servers' outage",
       Story().rcode(kSystem, 2).rcode(kDoh, 2), Controls::failed_twice(Story().rcode(kSystem, 2)), kDns,
       State::down, "dns.fails_for_everybody"},
      {"a site that gives everybody its loopback address is down",
       Story().answers(kSystem, {"127.0.0.1"}).answers(kDoh, {"127.0.0.1"}), {}, kDns, State::down,
       "dns.unroutable_for_everybody"},
      {"servfail of validating resolvers alone does not accuse",
       Story().rcode(kSystem, 2).rcode(kDoh, 2).as(trusted).answers(kUdp, {kTrue}), {}, kDns,
       State::insufficient, "dns.nothing_to_compare"},
  };
  for (const Case& row : rows) check(row);
}

TEST(DnsRules, Forgery) {
  const Case rows[] = {
      {"NXDOMAIN against trusted addresses", truth().rcode(kSystem, 3), up(), kDns, State::blocked,
       "dns.nxdomain", "dns.nxdomain"},
      {"trusted addresses suffice without a control", truth().rcode(kSystem, 3), {}, kDns, State::blocked,
       "dns.nxdomain", "dns.nxdomain"},
      {"a trusted resolver that denies the name too leaves a sign",
       truth().rcode(kSystem, 3).as(trusted).rcode(kUdp, 3), {}, kDns, State::likely_blocked,
       "dns.nxdomain_disputed", "dns.nxdomain"},
      {"DoH that denies the name takes the accusation",
       Story().rcode(kSystem, 3).as(trusted).rcode(kDoh, 3), up(), kDns, State::insufficient,
       "dns.nothing_to_compare"},
      {"private address where trusted answers are public", truth().answers(kSystem, {"10.10.34.35"}), up(),
       kDns, State::blocked, "dns.bogon", "dns.bogon"},
      {"a bogon against the control's word alone", Story().answers(kSystem, {"0.0.0.0"}), up(), kDns,
       State::blocked, "dns.bogon", "dns.bogon"},
      {"a known blocker's address", truth().answers(kSystem, {"203.0.113.66"}), up(), kDns, State::blocked,
       "dns.blockpage", "dns.forged.blockpage"},
      {"a foreign address that serves a known block page",
       truth().answers(kSystem, {kElsewhere})
           .presents(kElsewhere, ChainTrust::self_signed, "isp", "isp").page(kElsewhere, 200, "Stop", 500)
           .with_body("this site is blocked by order of").as(trusted).shakes(kTrue),
       up(), kDns, State::blocked, "dns.blockpage", "dns.forged.blockpage"},
      {"a foreign address whose certificate does not fit while the true one works",
       truth().answers(kSystem, {kElsewhere}).presents(kElsewhere, ChainTrust::wrong_host, "x", "y")
           .as(trusted).shakes(kTrue),
       {}, kDns, State::blocked, "dns.forged_certificate", "dns.forged.other"},
      {"… also where a control could have said so",
       truth().answers(kSystem, {kElsewhere}).presents(kElsewhere, ChainTrust::wrong_host, "x", "y")
           .as(trusted).shakes(kTrue),
       up(), kDns, State::blocked, "dns.forged_certificate", "dns.forged.other"},
      {"… while no true address could be tried",
       truth().answers(kSystem, {kElsewhere}).presents(kElsewhere, ChainTrust::wrong_host, "x", "y"), up(),
       kDns, State::likely_blocked, "dns.forged_certificate_alone", "dns.forged.other"},
      {"a site whose certificate fits nobody anywhere is not forged",
       truth().answers(kSystem, {kElsewhere}).presents(kElsewhere, ChainTrust::self_signed, "x", "x"),
       Controls::failed_twice(resolved().presents(kTrue, ChainTrust::self_signed, "z", "z")), kDns,
       State::insufficient, "dns.unverified"},
      {"a foreign address where nothing answers while the true one works is a sign",
       truth().answers(kSystem, {kElsewhere}).no_connect(kElsewhere, kSilence).as(trusted).shakes(kTrue),
       up(), kDns, State::likely_blocked, "dns.dead_answer", "dns.forged.other"},
      {"plain HTTP: another page at the answered address, the right one at the true address",
       truth().answers(kSystem, {kElsewhere}).connects(kElsewhere, 80)
           .plain_page(kElsewhere, 200, "Stop", 300, "lab").as(trusted).connects(kTrue, 80)
           .plain_page(kTrue, 200, "Example Domain", 4000, "lab"),
       {plain_well()}, kDns, State::likely_blocked, "dns.other_page", "dns.forged.other"},
      {"refused for this name only", truth().rcode(kSystem, 5).as(same_address).answers(kSystem, {kTrue}),
       {}, kDns, State::likely_blocked, "dns.no_answer_for_name", "dns.refused"},
      {"servfail for this name only", truth().rcode(kSystem, 2), up(), kDns, State::likely_blocked,
       "dns.no_answer_for_name", "dns.servfail"},
      {"silence for this name only", truth().no_answer(kSystem).no_answer(kSystem, QueryType::aaaa), up(),
       kDns, State::likely_blocked, "dns.no_answer_for_name", "dns.timeout"},
      {"silence once may be loss", truth().no_answer(kSystem), up(), kDns, State::insufficient,
       "dns.nothing_to_compare"},
      {"an empty answer against trusted addresses", truth().answers(kSystem, {}), up(), kDns,
       State::likely_blocked, "dns.no_answer_for_name", "dns.empty"},
  };
  for (const Case& row : rows) check(row);
}

TEST(DnsRules, ATypeThatNobodyHasIsLeftToTheOther) {
  const Story denied = Story().rcode(kSystem, 3).rcode(kSystem, 3, QueryType::aaaa).as(trusted)
                           .answers(kDoh, {kTrue}).answers(kDoh, {}, QueryType::aaaa);
  for (const Verdict& verdict : judge(denied.measurement, {}, knowledge())) {
    EXPECT_NE(verdict.state, State::down) << "the name exists, only without IPv6\n" << verdict.rule;
  }
  check({"… and the denial of the name stands alone", denied, {}, kDns, State::blocked, "dns.nxdomain",
         "dns.nxdomain"});
}

TEST(DnsRules, Injection) {
  const Case rows[] = {
      {"a bogon with the true answer behind it", Story().answers(kSystem, {"10.10.34.35"}).then_came({kTrue}),
       {}, kDns, State::blocked, "dns.injected_bogon", "dns.injection.bogon"},
      {"a denial with the true answer behind it",
       Story().rcode(kSystem, 3).then_came({kTrue}).as(trusted).answers(kDoh, {kTrue}), {}, kDns,
       State::blocked, "dns.injected_nxdomain", "dns.injection.nxdomain"},
      {"a foreign address with the true answer behind it, and a certificate that does not fit",
       truth().answers(kSystem, {kElsewhere}).then_came({kTrue})
           .presents(kElsewhere, ChainTrust::wrong_host, "x", "y").as(trusted).shakes(kTrue),
       {}, kDns, State::blocked, "dns.injected_other", "dns.injection.other"},
      {"one false address before the true answer and from an address that runs no resolver: nothing more is "
       "needed, though the name is cut at both",
       truth().answers(kSystem, {kElsewhere}).then_came({kTrue}).cut(kElsewhere, kReset).as(trusted)
           .cut(kTrue, kReset).as(no_resolver).answers(kUdp, {kElsewhere}),
       {}, kDns, State::blocked, "dns.injected_twice", "dns.injection.other"},
      {"a transparent resolver that gives another edge is no injector",
       truth().answers(kSystem, {kElsewhere}).cut(kElsewhere, kReset).as(trusted).cut(kTrue, kReset)
           .as(no_resolver).answers(kUdp, {kElsewhere}),
       {}, kDns, State::insufficient, "dns.unverified"},
      {"two answers to one query are none either, though nobody proves them right",
       truth().answers(kSystem, {kElsewhere}).then_came({kTrue}).cut(kElsewhere, kReset), {}, kDns,
       State::insufficient, "dns.unverified"},
      {"a blocker's address with the true answer behind it",
       truth().answers(kSystem, {"203.0.113.66"}).then_came({kTrue}), {}, kDns, State::blocked,
       "dns.injected_blockpage", "dns.injection.blockpage"},
      {"two honest answers of a CDN to a repeated query are no injection",
       truth().answers(kSystem, {kElsewhere}).then_came({kTrue}).shakes(kElsewhere), up(), kDns, State::ok,
       "dns.certificate_fits"},
      {"an address that runs no resolver denies the name",
       truth().rcode(kSystem, 3).as(no_resolver).rcode(kUdp, 3), {}, kDns, State::blocked,
       "dns.injected_nxdomain", "dns.injection.nxdomain"},
      {"an address that runs no resolver gives the truth: a transparent proxy, often the owner's router",
       truth().rcode(kSystem, 3).as(no_resolver).answers(kUdp, {kTrue}), {}, kDns, State::blocked,
       "dns.nxdomain", "dns.nxdomain"},
      {"a forger who answers for trusted resolvers too, and is not caught racing",
       Story().answers(kSystem, {kElsewhere}).presents(kElsewhere, ChainTrust::wrong_host, "x", "y")
           .as(trusted).answers(kUdp, {kElsewhere}).answers(kDoh, {kTrue}).shakes(kTrue),
       up(), kDns, State::blocked, "dns.forged_certificate", "dns.forged.other"},
      {"a trusted resolver's contested answer over UDP is nobody's word",
       Story().answers(kSystem, {"10.10.34.35"}).as(trusted).answers(kUdp, {"10.10.34.35"})
           .then_came({kTrue}),
       up(), kDns, State::blocked, "dns.injected_bogon", "dns.injection.bogon"},
  };
  for (const Case& row : rows) check(row);
}

TEST(DnsRules, OnlyTheNetworksResolverAccusesTheNetwork) {
  const Case rows[] = {
      {"a household filter's 0.0.0.0",
       truth().answers(kSystem, {"0.0.0.0"}).resolver(ResolverClass::local_filter), up(), kDns,
       State::insufficient, "dns.resolver_local_filter"},
      {"a family resolver's NXDOMAIN", truth().rcode(kSystem, 3).resolver(ResolverClass::third_party), up(),
       kDns, State::insufficient, "dns.resolver_third_party"},
      {"a resolver nobody knows", truth().rcode(kSystem, 3).resolver(ResolverClass::unknown), up(), kDns,
       State::insufficient, "dns.resolver_unknown"},
      {"a right answer is right whoever gives it", resolved().resolver(ResolverClass::unknown), {}, kDns,
       State::ok, "dns.answers_agree"},
      {"a filter's own page is not the network's block page",
       truth().answers(kSystem, {kElsewhere}).connects(kElsewhere, 80)
           .plain_page(kElsewhere, 200, "Access denied by law", 300).resolver(ResolverClass::local_filter),
       {plain_well()}, Layer::http, State::insufficient, "http.unverified"},
  };
  for (const Case& row : rows) check(row);
}

}  // namespace
}  // namespace kua::verdict::test
