#include "tests/unit/verdict/case.h"

namespace kua::verdict::test {
namespace {

// A story that accuses at every layer when nothing speaks against the vantage.
Story accusing() {
  return Story().answers(ResolverEngine::system, {"10.10.34.35"}).as(StepRole::trusted)
      .answers(ResolverEngine::doh, {kTrue}).cut(kTrue, kReset).as(StepRole::same_address).shakes(kTrue);
}

TEST(Gate, TroubleOfTheProbesOwnIsNoVerdictOnATarget) {
  struct Row {
    const char* claim;
    const char* rule;
    void (*spoil)(Measurement&);
  };
  const Row rows[] = {
      {"the instrument failed", "gate.instrument",
       [](Measurement& m) { m.validity = Validity::instrument; }},
      {"the vantage was at fault", "gate.vantage", [](Measurement& m) { m.validity = Validity::vantage; }},
      {"our own failure comes before the line's state", "gate.instrument",
       [](Measurement& m) { m.validity = Validity::instrument; m.link_state = LinkState::offline; }},
      {"a failed instrument says nothing of its vantage", "gate.instrument",
       [](Measurement& m) { m.validity = Validity::instrument; m.header.vantage.faults.vpn = true; }},
      {"a cut of the border comes before what it was seen through", "gate.international_cut",
       [](Measurement& m) {
         m.link_state = LinkState::international_cut;
         m.header.vantage.faults.vpn = true;
       }},
      {"a VPN comes before the clock", "gate.vpn",
       [](Measurement& m) { m.header.vantage.faults.vpn = m.header.vantage.faults.clock_wrong = true; }},
      {"a wrong clock closes what opened TLS would leave open", "gate.clock",
       [](Measurement& m) {
         m.header.vantage.faults.clock_wrong = m.header.vantage.faults.tls_inspected = true;
       }},
      {"the line is down", "gate.offline", [](Measurement& m) { m.link_state = LinkState::offline; }},
      {"a captive portal", "gate.captive", [](Measurement& m) { m.link_state = LinkState::captive; }},
      {"the resolver is down", "gate.dns_broken",
       [](Measurement& m) { m.link_state = LinkState::dns_broken; }},
      {"the border is cut", "gate.international_cut",
       [](Measurement& m) { m.link_state = LinkState::international_cut; }},
      {"a VPN", "gate.vpn", [](Measurement& m) { m.header.vantage.faults.vpn = true; }},
      {"a wrong clock", "gate.clock", [](Measurement& m) { m.header.vantage.faults.clock_wrong = true; }},
  };
  for (const Row& row : rows) {
    Measurement spoilt = accusing().measurement;
    row.spoil(spoilt);
    const auto verdicts = judge(spoilt, {}, knowledge());
    ASSERT_EQ(verdicts.size(), 1U) << row.claim << "\n" << describe(verdicts);
    EXPECT_EQ(verdicts[0].rule, row.rule) << row.claim;
    EXPECT_EQ(verdicts[0].state, State::insufficient) << row.claim;
    EXPECT_EQ(verdicts[0].layer, Layer::link) << row.claim;
    EXPECT_EQ(verdicts[0].host, kHost) << row.claim;
  }
  const auto open = judge(accusing().measurement, {}, knowledge());
  EXPECT_EQ(summarize(open), State::blocked) << describe(open);
}

TEST(Summary, AWayThatEndsWhereNothingCanBeSaidIsNotOk) {
  struct Row {
    const char* claim;
    Story seen;
    State state;
  };
  const Row rows[] = {
      {"a name that resolves is not a site that is reached", resolved().no_connect(kTrue, kSilence),
       State::insufficient},
      {"nor is an address that connects", resolved().connects(kTrue).cut(kTrue, kSilence),
       State::insufficient},
      {"what is reached at another address is reached",
       resolved().no_connect(kElsewhere, kSilence).shakes(kTrue), State::ok},
  };
  for (const Row& row : rows) {
    const auto verdicts = judge(row.seen.measurement, {}, knowledge());
    EXPECT_EQ(summarize(verdicts), row.state) << row.claim << "\n" << describe(verdicts);
  }
}

TEST(Gate, WhatClosesAccusationsLeavesTheRest) {
  Story inspected = accusing();
  inspected.measurement.header.vantage.faults.tls_inspected = true;
  check({"a company's proxy may filter by itself", inspected, {}, Layer::tls, State::insufficient,
         "gate.tls_inspected"});
  check({"… in every layer", inspected, {}, Layer::dns, State::insufficient, "gate.tls_inspected"});
  Story opened = well();
  opened.measurement.header.vantage.faults.tls_inspected = true;
  check({"… but what works works", opened, {}, Layer::http, State::ok, "http.answered"});

  Story control = accusing();
  control.measurement.header.role = ProbeRole::control;
  check({"a control accuses nobody", control, {}, Layer::tls, State::insufficient, "gate.control"});

  inspected.measurement.header.role = ProbeRole::control;
  check({"a control behind a company's proxy is told by the proxy", inspected, {}, Layer::tls,
         State::insufficient, "gate.tls_inspected"});
  Story offside = Story(control).link(LinkState::unknown);
  check({"a control on an unproven line is still a control", offside, {}, Layer::tls, State::insufficient,
         "gate.control"});

  Story unproven = Story().answers(ResolverEngine::system, {kElsewhere})
                       .presents(kElsewhere, ChainTrust::self_signed, "portal", "portal")
                       .link(LinkState::unknown);
  check({"a portal nobody has noticed yet answers for every name", unproven, {well()}, Layer::tls,
         State::insufficient, "tls.certificate_unjudged"});
  Story cut_off = Story().answers(ResolverEngine::system, {kTrue}).no_connect(kTrue, kReset)
                      .link(LinkState::unknown);
  check({"nothing beyond the network answered: it may be the border", cut_off, {well()}, Layer::tcp,
         State::insufficient, "gate.line_unproven"});
}

TEST(Gate, NothingSeenIsInsufficient) {
  Measurement empty;
  empty.input = "https://www.example.com/";
  const auto verdicts = judge(empty, {}, knowledge());
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].rule, "gate.nothing_seen");
  EXPECT_EQ(verdicts[0].host, empty.input);
}

}  // namespace
}  // namespace kua::verdict::test
