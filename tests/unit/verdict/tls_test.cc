#include "tests/unit/verdict/case.h"

namespace kua::verdict::test {
namespace {

using enum StepRole;
constexpr Layer kTls = Layer::tls;

// Stories that several rows begin with.
Story reset_once() { return resolved().cut(kTrue, kReset); }
Story silent_twice() { return resolved().cut(kTrue, kSilence).as(retry).cut(kTrue, kSilence).as(main); }
Controls up() { return {well()}; }
Controls down() { return Controls::failed_twice(resolved().cut(kTrue, kReset)); }

TEST(TlsRules, Completed) {
  const Case rows[] = {
      {"a handshake that completes needs no control", resolved().shakes(kTrue), {}, kTls, State::ok,
       "tls.completed"},
      {"a repetition that completes takes the accusation from a lone failure",
       reset_once().as(same_address).shakes(kTrue).as(retry).shakes(kTrue), up(), kTls, State::impaired,
       "tls.completed_on_retry"},
      {"another address that completes takes it too",
       resolved().answers(ResolverEngine::doh, {kElsewhere}).cut(kElsewhere, kReset).shakes(kTrue), up(),
       kTls, State::ok, "tls.completed"},
      {"a name cut at one of two addresses impairs the host",
       resolved().answers(ResolverEngine::doh, {kElsewhere}).cut(kElsewhere, kReset).as(same_address)
           .shakes(kElsewhere).as(main).shakes(kTrue),
       up(), kTls, State::impaired, "tls.some_addresses_cut", "tls.reset.sni"},
      {"a handshake that never left this machine says nothing",
       resolved().cut(kTrue, FailureCode::permission_denied), up(), kTls, State::insufficient,
       "tls.failed_here"},
  };
  for (const Case& row : rows) check(row);
}

TEST(TlsRules, CutForTheName) {
  const Case rows[] = {
      {"a reset for this name only is blocking, without any control",
       reset_once().as(same_address).presents(kTrue, ChainTrust::wrong_host, "site", "ca"), {}, kTls,
       State::blocked, "tls.cut_for_name_only", "tls.reset.sni"},
      {"an alert to the harmless name shows that the path works",
       reset_once().as(same_address).alerted(kTrue), {}, kTls, State::blocked, "tls.cut_for_name_only",
       "tls.reset.sni"},
      {"repeated silence for this name only is blocking",
       silent_twice().as(same_address).shakes(kTrue), {}, kTls, State::blocked, "tls.cut_for_name_only",
       "tls.timeout.sni"},
      {"silence once may be a lost packet", resolved().cut(kTrue, kSilence).as(same_address).shakes(kTrue),
       up(), kTls, State::likely_blocked, "tls.cut_for_name_once", "tls.timeout.sni"},
      {"an orderly close for this name only is blocking",
       resolved().cut(kTrue, kClosed).as(same_address).shakes(kTrue), up(), kTls, State::blocked,
       "tls.cut_for_name_only", "tls.eof.sni"},
      {"an alert for this name only is blocking when controls get through",
       resolved().alerted(kTrue).as(same_address).shakes(kTrue), up(), kTls, State::blocked,
       "tls.cut_for_name_only", "tls.alert.sni"},
      {"an alert is a server's ordinary word for a name it dropped: alone it proves nothing",
       resolved().alerted(kTrue).as(same_address).shakes(kTrue), {}, kTls, State::insufficient,
       "tls.nothing_to_compare"},
      {"an alert of a witness that does not host the name supports nothing",
       resolved().alerted(kTrue).as(same_address).shakes(kTrue).as(witness).alerted(kWitness), {}, kTls,
       State::insufficient, "tls.nothing_to_compare"},
      {"a name cut at a witness address in the same way is blocked although no pair could pass",
       reset_once().as(same_address).cut(kTrue, kReset).as(witness).cut(kWitness, kReset), up(), kTls,
       State::blocked, "tls.cut_at_witness", "tls.reset.sni"},
      {"residue explains more than a witness",
       reset_once().as(same_address).cut(kTrue, kReset).as(witness).cut(kWitness, kReset).as(residual)
           .shakes(kTrue).as(retry).cut(kTrue, kReset),
       up(), kTls, State::blocked, "tls.cut_with_residue", "tls.reset.sni"},
      {"a witness that answers the name supports nothing",
       reset_once().as(same_address).cut(kTrue, kReset).as(witness)
           .presents(kWitness, ChainTrust::wrong_host, "w", "ca"),
       up(), kTls, State::likely_blocked, "tls.both_names_fail", "tls.reset"},
      {"a stall within the handshake against a harmless one that ends is a freeze",
       resolved().cut(kTrue, kSilence, 1400).as(retry).cut(kTrue, kSilence, 1400).as(same_address)
           .shakes(kTrue),
       up(), kTls, State::blocked, "tls.cut_for_name_only", "tls.freeze.sni"},
      {"residual blocking: the address fails for all names, and after two minutes for this one alone",
       reset_once().as(same_address).no_connect(kTrue, kSilence).as(residual).shakes(kTrue).as(retry)
           .cut(kTrue, kReset),
       up(), kTls, State::blocked, "tls.cut_with_residue", "tls.reset.sni"},
      {"that the address passes again after two minutes may be the end of its outage",
       reset_once().as(same_address).no_connect(kTrue, kSilence).as(residual).shakes(kTrue), up(), kTls,
       State::likely_blocked, "tls.both_names_fail", "tls.reset"},
      {"a repetition during the outage tells nothing of what came after",
       reset_once().as(same_address).no_connect(kTrue, kSilence).as(retry).cut(kTrue, kReset).as(residual)
           .shakes(kTrue),
       {}, kTls, State::insufficient, "tls.nothing_to_compare"},
      {"a server that is back and does not know the name is no residue",
       reset_once().as(same_address).no_connect(kTrue, kSilence).as(residual).shakes(kTrue).as(retry)
           .alerted(kTrue),
       {}, kTls, State::insufficient, "tls.nothing_to_compare"},
  };
  for (const Case& row : rows) check(row);
}

TEST(TlsRules, AgainstControls) {
  const Case rows[] = {
      {"failing everywhere is an outage of the site, also where a pair passes",
       reset_once().as(same_address).shakes(kTrue), down(), kTls, State::down, "tls.fails_for_everybody"},
      {"a lone control that failed once does not say down", reset_once(), {resolved().cut(kTrue, kReset)},
       kTls, State::insufficient, "tls.nothing_to_compare"},
      {"what failed in this machine is no outage of the site",
       resolved().cut(kTrue, FailureCode::permission_denied), down(), kTls, State::insufficient,
       "tls.failed_here"},
      {"two of five controls say down", reset_once(), {well(), well(), well(), reset_once(), reset_once()},
       kTls, State::down, "tls.fails_for_everybody"},
      {"one of three does not", reset_once(), {well(), well(), reset_once()}, kTls, State::likely_blocked,
       "tls.fails_here_only", "tls.reset"},
      {"a reset proves nothing without a control or a pair", reset_once(), {}, kTls, State::insufficient,
       "tls.nothing_to_compare"},
      {"both names silent here and the site fine elsewhere is a sign",
       silent_twice().as(same_address).cut(kTrue, kSilence).host("other.example", 1).shakes(kElsewhere),
       up(), kTls, State::likely_blocked, "tls.both_names_fail", "tls.timeout"},
      {"silence of every handshake may be a broken path MTU",
       Story().answers(ResolverEngine::system, {kTrue}).cut(kTrue, kSilence).as(retry).cut(kTrue, kSilence)
           .as(same_address).cut(kTrue, kSilence).as(witness).cut(kWitness, kSilence),
       up(), kTls, State::insufficient, "tls.nothing_to_compare"},
      {"one silence and nothing to compare with accuses nobody", resolved().cut(kTrue, kSilence), up(),
       kTls, State::insufficient, "tls.nothing_to_compare"},
      {"what fails at an address that only the resolver named may be the answer's fault",
       Story().answers(ResolverEngine::system, {kElsewhere}).answers(ResolverEngine::doh, {kTrue})
           .cut(kElsewhere, kReset),
       up(), kTls, State::insufficient, "tls.nothing_to_compare"},
  };
  for (const Case& row : rows) check(row);
}

TEST(TlsRules, Certificates) {
  const auto forged = [] {
    return resolved().presents(kTrue, ChainTrust::unknown_authority, "forged", "nobody");
  };
  const Case rows[] = {
      {"a root that no system trusts, where controls get a trusted one", forged(), up(), kTls,
       State::blocked, "tls.untrusted_root", "tls.mitm.untrusted_root"},
      {"a listed interception root is proof without a control",
       resolved().presents(kTrue, ChainTrust::unknown_authority, "forged", "Qaznet Trust Network"), {}, kTls,
       State::blocked, "tls.interception_root", "tls.mitm.known_root"},
      {"a listed root is proof even where the volunteer's system was told to trust it",
       resolved().presents(kTrue, ChainTrust::trusted, "forged", "Qaznet Trust Network"), up(), kTls,
       State::blocked, "tls.interception_root", "tls.mitm.known_root"},
      {"a site that uses such a root itself is not intercepted",
       resolved().presents(kTrue, ChainTrust::unknown_authority, "own", "Qaznet Trust Network"),
       Controls::failed_twice(
           resolved().presents(kTrue, ChainTrust::unknown_authority, "own", "Qaznet Trust Network")),
       kTls, State::down, "tls.bad_certificate_for_everybody"},
      {"an expired certificate that controls see too is the site's own trouble",
       resolved().presents(kTrue, ChainTrust::expired, "site", "ca"),
       Controls::failed_twice(resolved().presents(kTrue, ChainTrust::expired, "site", "ca")), kTls,
       State::down, "tls.bad_certificate_for_everybody"},
      {"a self-signed one likewise, though each server has its own",
       resolved().presents(kTrue, ChainTrust::self_signed, "a", "a"),
       Controls::failed_twice(resolved().presents(kTrue, ChainTrust::self_signed, "b", "b")), kTls,
       State::down, "tls.bad_certificate_for_everybody"},
      {"the key that controls accept is authentic, whatever our store says",
       resolved().presents(kTrue, ChainTrust::expired, "site", "ca"), up(), kTls, State::ok,
       "tls.certificate_of_controls"},
      {"the site's own issuer under an old root store is no interception",
       resolved().presents(kTrue, ChainTrust::unknown_authority, "edge", "ca"), up(), kTls,
       State::insufficient, "tls.issuer_of_controls"},
      {"the same authority on unrelated names is antivirus or a company's proxy",
       forged().as(same_address).presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody"), up(),
       kTls, State::insufficient, "tls.inspected_here"},
      {"without a control the same authority at a witness address is proof",
       forged().as(witness).presents(kWitness, ChainTrust::unknown_authority, "forged", "nobody"), {}, kTls,
       State::blocked, "tls.untrusted_root_at_witness", "tls.mitm.untrusted_root"},
      {"without a control an unknown authority alone may be the site's own", forged(), {}, kTls,
       State::insufficient, "tls.certificate_unjudged"},
      {"another name's valid chain, here only, is a sign",
       resolved().presents(kTrue, ChainTrust::wrong_host, "other", "other-ca"), up(), kTls,
       State::likely_blocked, "tls.other_certificate_here_only", "tls.mitm.wrong_host"},
      {"an expired chain of another issuer, here only, accuses nobody",
       resolved().presents(kTrue, ChainTrust::expired, "old", "old-ca"), up(), kTls, State::insufficient,
       "tls.certificate_unjudged"},
      {"a forged chain at one of two addresses is not hidden by the other",
       resolved().answers(ResolverEngine::doh, {kElsewhere}).shakes(kElsewhere)
           .presents(kTrue, ChainTrust::unknown_authority, "forged", "nobody"),
       up(), kTls, State::impaired, "tls.some_certificates_forged", "tls.mitm.untrusted_root"},
      {"a repetition that completes comes before a chain that nothing explains",
       resolved().presents(kTrue, ChainTrust::expired, "old", "old-ca").as(retry).shakes(kTrue), up(), kTls,
       State::impaired, "tls.completed_on_retry"},
      {"a bad certificate for everybody is down, whatever program stands in between",
       forged().as(same_address).presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody"),
       Controls::failed_twice(forged()), kTls, State::down, "tls.bad_certificate_for_everybody"},
      {"an authority of unrelated names is the household's, known to controls or not",
       resolved().presents(kTrue, ChainTrust::unknown_authority, "edge", "ca").as(same_address)
           .presents(kTrue, ChainTrust::unknown_authority, "other", "ca"),
       up(), kTls, State::insufficient, "tls.inspected_here"},
      {"with a control the vouched address itself speaks, not the witness",
       forged().as(witness).presents(kWitness, ChainTrust::unknown_authority, "forged", "nobody"), up(), kTls,
       State::blocked, "tls.untrusted_root", "tls.mitm.untrusted_root"},
  };
  for (const Case& row : rows) check(row);
}

TEST(TlsRules, WhoOpensEveryName) {
  const auto forged = [] {
    return resolved().presents(kTrue, ChainTrust::unknown_authority, "forged", "nobody");
  };
  const Case rows[] = {
      {"where the address opens every name and other places are left alone",
       forged().as(same_address).presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody").as(witness)
           .presents(kWitness, ChainTrust::wrong_host, "w", "ca"),
       up(), kTls, State::blocked, "tls.untrusted_root", "tls.mitm.untrusted_root"},
      {"where inspecting gear signs bad chains by an authority that nobody trusts it is still that gear",
       forged().as(same_address).presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody").as(witness)
           .presents(kWitness, ChainTrust::unknown_authority, "forged3", "untrusted"),
       up(), kTls, State::insufficient, "tls.inspected_here"},
      {"where it passes a chain on that it could not verify either",
       forged().as(same_address).presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody").as(witness)
           .presents(kWitness, ChainTrust::expired, "w", "ca"),
       up(), kTls, State::insufficient, "tls.inspected_here"},
      {"where the witness is opened too it is an antivirus",
       forged().as(same_address).presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody").as(witness)
           .presents(kWitness, ChainTrust::unknown_authority, "forged3", "nobody"),
       up(), kTls, State::insufficient, "tls.inspected_here"},
      {"where no witness was asked it may be one",
       forged().as(same_address).presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody"), up(), kTls,
       State::insufficient, "tls.inspected_here"},
      {"where every chain of this machine is opened it is one, whatever a witness shows",
       Story().answers(ResolverEngine::system, {kTrue})
           .presents(kTrue, ChainTrust::unknown_authority, "forged", "nobody").as(same_address)
           .presents(kTrue, ChainTrust::unknown_authority, "forged2", "nobody").as(witness)
           .presents(kWitness, ChainTrust::self_signed, "w", "w").link(LinkState::online),
       up(), kTls, State::insufficient, "tls.inspected_here"},
  };
  for (const Case& row : rows) check(row);
}

TEST(TlsRules, TransfersBehindTheHandshake) {
  const auto frozen = [] { return resolved().shakes(kTrue).page_cut(kTrue, kSilence, 16'000); };
  const auto frozen_twice = [&] {
    return frozen().as(retry).shakes(kTrue).page_cut(kTrue, kSilence, 16'200).as(main);
  };
  const Case rows[] = {
      {"a transfer that stalls again and again under this name only is frozen",
       frozen_twice().as(same_address).shakes(kTrue).page(kTrue, 200, "Other", 60'000), {}, kTls,
       State::blocked, "tls.frozen_for_name_only", "tls.freeze.sni"},
      {"once is a sign", frozen().as(same_address).shakes(kTrue).page(kTrue, 200, "Other", 60'000), up(),
       kTls, State::likely_blocked, "tls.frozen_for_name_once", "tls.freeze.sni"},
      {"a harmless page too short to reach the limit shows nothing",
       frozen_twice().as(same_address).shakes(kTrue).page(kTrue, 404, "Not found", 300), up(),
       Layer::http, State::insufficient, "http.cut_behind_handshake"},
      {"a slow line stalls for every name",
       frozen_twice().as(same_address).shakes(kTrue).page_cut(kTrue, kSilence, 9'000), up(),
       Layer::http, State::insufficient, "http.cut_behind_handshake"},
      {"a reset behind the handshake, for this name only",
       resolved().shakes(kTrue).page_cut(kTrue, kReset, 0).as(same_address).shakes(kTrue).page(kTrue, 200,
                                                                                              "Other", 900),
       up(), kTls, State::likely_blocked, "tls.cut_behind_handshake", "tls.reset.sni"},
      {"a server that drops every request is not the network's doing",
       resolved().shakes(kTrue).page_cut(kTrue, kReset, 0).as(same_address).shakes(kTrue).page(kTrue, 200,
                                                                                              "Other", 900),
       {}, Layer::http, State::insufficient, "http.cut_behind_handshake"},
  };
  for (const Case& row : rows) check(row);
}

// Three transfers of 30 kB under either name; those under the target's take so long.
Story raced(int own_ms, int slowest_other_ms = 20) {
  Story story = resolved().shakes(kTrue).page(kTrue, 200, "Site", 30'000).last_byte_after(own_ms);
  for (const int other_ms : {15, slowest_other_ms, 18}) {
    story.as(same_address).shakes(kTrue).page(kTrue, 200, "Other", 30'000).last_byte_after(other_ms);
  }
  for (int i = 0; i < 2; ++i) {
    story.as(retry).shakes(kTrue).page(kTrue, 200, "Site", 30'000).last_byte_after(own_ms + i);
  }
  return story;
}

// Every transfer stops after as many bytes, and nothing comes for the rest of its time.
Story stops_under_any_name(std::uint64_t other_bytes) {
  return resolved().shakes(kTrue).page_cut(kTrue, kSilence, 12'448).last_byte_after(40, 15'000).as(retry)
      .shakes(kTrue).page_cut(kTrue, kSilence, 12'448).last_byte_after(40, 15'000).as(same_address).shakes(kTrue)
      .page_cut(kTrue, kSilence, other_bytes).last_byte_after(40, 15'000);
}

TEST(TlsRules, Speed) {
  const Case rows[] = {
      {"a tenth of the other name's speed is blocking", raced(190), {}, kTls, State::blocked, "tls.throttled",
       "tls.throttle.sni"},
      {"a quarter impairs", raced(90), {}, kTls, State::impaired, "tls.slowed", "tls.throttle.sni"},
      {"less is nothing", raced(60), {}, kTls, State::ok, "tls.completed"},
      {"one slow transfer of the other name takes the proof away", raced(190, 160), {}, kTls, State::ok,
       "tls.completed"},
      {"one each is chance",
       resolved().shakes(kTrue).page(kTrue, 200, "Site", 30'000).last_byte_after(900).as(same_address)
           .shakes(kTrue).page(kTrue, 200, "Other", 30'000).last_byte_after(15),
       up(), kTls, State::ok, "tls.completed"},
      {"what was still coming when its time was up is slow, not frozen",
       resolved().shakes(kTrue).page_cut(kTrue, kSilence, 16'500).last_byte_after(14'900, 15'000).as(retry)
           .shakes(kTrue).page_cut(kTrue, kSilence, 16'500).last_byte_after(14'900, 15'000).as(same_address)
           .shakes(kTrue).page(kTrue, 200, "Other", 60'000).last_byte_after(20),
       up(), Layer::http, State::insufficient, "http.cut_behind_handshake"},
      {"transfers that stop after as many bytes under any name", stops_under_any_name(12'448), up(), kTls,
       State::likely_blocked, "tls.frozen_for_any_name", "tls.freeze"},
      {"… after other counts may be a line that comes and goes", stops_under_any_name(5'000), up(), Layer::http,
       State::insufficient, "http.cut_behind_handshake"},
      {"… prove nothing without a control", stops_under_any_name(12'448), {}, Layer::http, State::insufficient,
       "http.cut_behind_handshake"},
  };
  for (const Case& row : rows) check(row);
}

TEST(TlsRules, DetailsForPeople) {
  const auto detail_of = [](const Story& story, const Controls& controls) {
    for (const Verdict& v : judge(story.measurement, controls.views(), knowledge())) {
      if (v.layer == kTls) return v.detail;
    }
    return std::string();
  };
  EXPECT_EQ(detail_of(resolved().shakes(kTrue).page_cut(kTrue, kSilence, 13'000).as(same_address)
                          .shakes(kTrue).page(kTrue, 200, "Other", 60'000), {}),
            "stalled_after_bytes=16000");  // the handshake's 3000 included
  EXPECT_EQ(detail_of(raced(190), {}), "kbit_s=1272 other_name_kbit_s=13422");
  EXPECT_EQ(detail_of(resolved().presents(kTrue, ChainTrust::invalid, "f", "Qaznet Trust Network"), {}),
            "Qaznet");
  EXPECT_EQ(detail_of(reset_once().as(same_address).cut(kTrue, kReset).as(residual).shakes(kTrue), up())
                .substr(0, 17),
            "residual_seconds=");
}

}  // namespace
}  // namespace kua::verdict::test
