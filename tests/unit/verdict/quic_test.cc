#include "tests/unit/verdict/case.h"

namespace kua::verdict::test {
namespace {

using enum StepRole;
constexpr Layer kQuic = Layer::quic;

Story reached() { return well(); }
Controls up() { return {well().speaks_quic(kTrue)}; }
Controls down() { return Controls::failed_twice(well().no_quic(kTrue)); }
// The site's name is met with silence, twice.
Story cut() { return reached().no_quic(kTrue).as(retry).no_quic(kTrue); }

TEST(QuicRules, TheNameAndItsPair) {
  const Case rows[] = {
      {"a handshake under a valid certificate is one", reached().speaks_quic(kTrue), {}, kQuic, State::ok,
       "quic.completed"},
      {"one address that answers is enough",
       reached().speaks_quic(kTrue).no_quic(kElsewhere).as(retry).no_quic(kElsewhere), up(), kQuic, State::ok,
       "quic.completed"},
      {"a repetition that ends leaves the line impaired",
       reached().no_quic(kTrue).as(same_address).speaks_quic(kTrue).as(retry).speaks_quic(kTrue), up(), kQuic,
       State::impaired, "quic.completed_on_retry"},
      {"a certificate that is not the site's is for TLS to judge",
       reached().speaks_quic(kTrue, ChainTrust::unknown_authority), up(), kQuic, State::insufficient,
       "quic.certificate_unjudged"},
      {"silence for the name alone, again and again, is proven by the pair",
       cut().as(same_address).speaks_quic(kTrue), {}, kQuic, State::blocked, "quic.cut_for_name_only",
       "quic.timeout.sni"},
      {"… with a control the same", cut().as(same_address).speaks_quic(kTrue), up(), kQuic, State::blocked,
       "quic.cut_for_name_only", "quic.timeout.sni"},
      {"a server that refuses the harmless name at length is a pair, too",
       cut().as(same_address).quic_closed(kTrue, 2400), {}, kQuic, State::blocked, "quic.cut_for_name_only",
       "quic.timeout.sni"},
      {"… a small refusal may come from an edge that knows nothing of the site's own dead QUIC",
       cut().as(same_address).quic_closed(kTrue, 90), {}, kQuic, State::likely_blocked, "quic.cut_beside_refusal",
       "quic.timeout.sni"},
      {"… a control that gets through shows that it is not dead", cut().as(same_address).quic_closed(kTrue, 90),
       up(), kQuic, State::blocked, "quic.cut_for_name_only", "quic.timeout.sni"},
      {"… many refusals are not an answer in full",
       cut().as(same_address).quic_closed(kTrue, 90).quic_closed(kTrue, 1199), {}, kQuic, State::likely_blocked,
       "quic.cut_beside_refusal", "quic.timeout.sni"},
      {"silence once may be loss", reached().no_quic(kTrue).as(same_address).speaks_quic(kTrue), up(), kQuic,
       State::insufficient, "quic.nothing_to_compare"},
      {"a pair at another address is none",
       cut().as(same_address).speaks_quic(kElsewhere), up(), kQuic, State::insufficient, "quic.nothing_to_compare"},
  };
  for (const Case& row : rows) check(row);
}

TEST(QuicRules, WhatIsNoProofForTheName) {
  const Case rows[] = {
      {"where TLS failed at the address, QUIC shows nothing of its own",
       resolved().cut(kTrue, kReset).no_quic(kTrue).as(retry).no_quic(kTrue).as(same_address).speaks_quic(kTrue),
       up(), kQuic, State::insufficient, "quic.tls_fails_too"},
      {"… TLS at another address shows nothing of this one",
       resolved().answers(ResolverEngine::doh, {kElsewhere}).cut(kTrue, kReset).shakes(kElsewhere).no_quic(kTrue)
           .as(retry).no_quic(kTrue).as(same_address).speaks_quic(kTrue),
       up(), kQuic, State::insufficient, "quic.tls_fails_too"},
      {"all names silent, from this network only, is a sign",
       cut().as(same_address).no_quic(kTrue).no_pong(kTrue).as(witness).no_pong(kWitness), up(), kQuic,
       State::likely_blocked, "quic.cut_for_all_names", "quic.timeout"},
      {"… where a ping passes, too: version 1 may be what is dropped",
       cut().as(same_address).no_quic(kTrue).pongs(kTrue), up(), kQuic, State::likely_blocked,
       "quic.cut_for_all_names", "quic.timeout"},
      {"without a control nobody knows whether the server listens there at all",
       cut().as(same_address).no_quic(kTrue).no_pong(kTrue), {}, kQuic, State::insufficient,
       "quic.nothing_to_compare"},
      {"a control that does not try QUIC says nothing of it",
       cut().as(same_address).no_quic(kTrue).no_pong(kTrue), {well()}, kQuic, State::insufficient,
       "quic.nothing_to_compare"},
      {"without a pair silence is not told from the server's own",
       cut().as(same_address).no_pong(kTrue), up(), kQuic, State::insufficient, "quic.nothing_to_compare"},
      {"a site that says HTTP/3 and answers nobody is down there",
       cut().as(same_address).no_quic(kTrue), down(), kQuic, State::down, "quic.fails_for_everybody"},
      {"… whatever the pair says", cut().as(same_address).speaks_quic(kTrue), down(), kQuic, State::down,
       "quic.fails_for_everybody"},
      {"a server that closes the connection was reached",
       reached().quic_closed(kTrue, 2400).as(retry).quic_closed(kTrue, 2400).as(same_address).speaks_quic(kTrue),
       up(), kQuic, State::insufficient, "quic.nothing_to_compare"},
      {"a handshake that stalls half-way may be a narrow line",
       reached().no_quic(kTrue, kSilence, 1).as(retry).no_quic(kTrue, kSilence, 1).as(same_address)
           .speaks_quic(kTrue),
       up(), kQuic, State::insufficient, "quic.nothing_to_compare"},
      {"one stall among silences is enough to doubt",
       reached().no_quic(kTrue).as(retry).no_quic(kTrue, kSilence, 1).as(same_address).speaks_quic(kTrue), up(),
       kQuic, State::insufficient, "quic.nothing_to_compare"},
      {"a refusal by ICMP may be this machine's own or its router's",
       reached().no_quic(kTrue, kRefused).as(retry).no_quic(kTrue, kRefused).as(same_address).speaks_quic(kTrue),
       up(), kQuic, State::insufficient, "quic.nothing_to_compare"},
      {"… one among silences", reached().no_quic(kTrue).as(retry).no_quic(kTrue, kRefused).as(same_address)
           .speaks_quic(kTrue), up(), kQuic, State::insufficient, "quic.nothing_to_compare"},
      {"… of the harmless name, too", cut().as(same_address).no_quic(kTrue, kRefused), up(), kQuic,
       State::insufficient, "quic.nothing_to_compare"},
      {"other versions are no silence",
       reached().no_quic(kTrue, FailureCode::quic_incompatible_version, 1).as(retry)
           .no_quic(kTrue, FailureCode::quic_incompatible_version, 1).as(same_address).speaks_quic(kTrue),
       up(), kQuic, State::insufficient, "quic.nothing_to_compare"},
      {"the rest of the site is judged as ever", cut().as(same_address).speaks_quic(kTrue), {}, Layer::tls,
       State::ok, "tls.completed"},
  };
  for (const Case& row : rows) check(row);
}

TEST(QuicRules, Families) {
  const Story both = resolved().answers(ResolverEngine::system, {kTrue6}, QueryType::aaaa)
                         .answers(ResolverEngine::doh, {kTrue6}, QueryType::aaaa).shakes(kTrue).shakes(kTrue6);
  const Story four = Story(both).no_quic(kTrue).speaks_quic(kTrue6).as(retry).no_quic(kTrue).as(same_address)
                         .speaks_quic(kTrue);
  check({"cut over IPv4", four, {}, kQuic, State::blocked, "quic.cut_for_name_only", "quic.timeout.sni", kHost,
         Family::ip4});
  check({"… open over IPv6", four, {}, kQuic, State::ok, "quic.completed", "", kHost, Family::ip6});

  Story broken = Story(both).speaks_quic(kTrue).no_quic(kTrue6).as(retry).no_quic(kTrue6).as(same_address)
                     .speaks_quic(kTrue6);
  broken.measurement.header.vantage.faults.ipv6_broken = true;
  check({"broken IPv6 is a fact about the vantage", broken, up(), kQuic, State::ok, "quic.completed"});
}

std::vector<Verdict> of_layer(const Story& story, Layer layer) {
  std::vector<Verdict> out;
  for (const Verdict& verdict : judge(story.measurement, {}, knowledge())) {
    if (verdict.layer == layer) out.push_back(verdict);
  }
  return out;
}

TEST(QuicRules, NothingThatLeftThisMachineIsNoVerdict) {
  Story here = reached().no_quic(kTrue, FailureCode::network_unreachable);
  std::get<QuicHandshake>(here.measurement.observations.back()).initial_sent = false;
  EXPECT_TRUE(of_layer(here, kQuic).empty());
  EXPECT_TRUE(of_layer(reached().pongs(kTrue), kQuic).empty()) << "a ping alone says nothing of the site";
}

TEST(QuicRules, SayHowFarItReachesAndWhatCarriedThem) {
  const auto verdicts =
      of_layer(cut().as(same_address).speaks_quic(kTrue).pongs(kTrue).as(witness).no_pong(kWitness), kQuic);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].detail, "ping=answered elsewhere=silent");
  // connect, handshake and page follow two lookups; then the QUIC steps, the witness's ping apart.
  EXPECT_EQ(verdicts[0].evidence, (std::vector<std::uint32_t>{3, 5, 6, 7, 8}));
}

TEST(QuicRules, DoNotChangeWhatIsSaidOfTheTarget) {
  const Controls none;
  const auto fine = judge(cut().measurement, none.views(), knowledge());
  EXPECT_EQ(summarize(fine), State::ok) << describe(fine);
  const Story stopped = resolved().cut(kTrue, kSilence).speaks_quic(kTrue);
  const auto unexplained = judge(stopped.measurement, none.views(), knowledge());
  EXPECT_EQ(summarize(unexplained), State::insufficient) << describe(unexplained);
  for (const Verdict& verdict : unexplained) {
    EXPECT_TRUE(verdict.layer == kQuic || verdict.state != State::ok) << describe(unexplained);
  }
}

}  // namespace
}  // namespace kua::verdict::test
