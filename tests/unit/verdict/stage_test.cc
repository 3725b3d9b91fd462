// Where a verdict says that the network's side failed. Every row that cannot tell is named here, so that a
// new one does not hold accusations up by oversight.
#include "verdict/stage.h"

#include <gtest/gtest.h>

#include <map>
#include <string_view>

#include "verdict/dns_rules.h"
#include "verdict/gate.h"
#include "verdict/http_rules.h"
#include "verdict/quic_rules.h"
#include "verdict/tcp_rules.h"
#include "verdict/tls_rules.h"

namespace kua::verdict::test {
namespace {

const std::map<std::string_view, Stage> kInsufficient = {
    {"dns.unroutable", Stage::lookup},
    {"dns.unverified", Stage::none},
    {"dns.nothing_to_compare", Stage::lookup},
    {"tcp.failed_here", Stage::none},
    {"tcp.unconfirmed_address", Stage::connect},
    {"tcp.dead_for_controls", Stage::none},
    {"tcp.family_unproven", Stage::none},
    {"tcp.nothing_to_compare", Stage::connect},
    {"tls.inspected_here", Stage::none},
    {"tls.issuer_of_controls", Stage::none},
    {"tls.certificate_unjudged", Stage::chain},
    {"tls.failed_here", Stage::none},
    {"tls.nothing_to_compare", Stage::handshake},
    {"http.block_page_host", Stage::none},
    {"http.endless", Stage::none},
    {"http.bad_chain", Stage::none},
    {"http.unverified", Stage::none},
    {"http.cut_behind_handshake", Stage::none},
    {"http.nothing_to_compare", Stage::request},
    {"quic.certificate_unjudged", Stage::none},
    {"quic.failed_here", Stage::none},
    {"quic.tls_fails_too", Stage::none},
    {"quic.nothing_to_compare", Stage::none},
};

template <typename Evidence>
void check(Layer layer, std::span<const Rule<Evidence>> rules) {
  for (const Rule<Evidence>& rule : rules) {
    Verdict verdict;
    verdict.layer = layer;
    verdict.state = rule.state;
    verdict.rule = rule.id;
    verdict.mechanism = fill_mechanism(rule.mechanism, "reset");
    const Stage stage = stage_of(verdict);
    if (rule.state == State::insufficient) {
      ASSERT_TRUE(kInsufficient.contains(rule.id)) << rule.id << " is not classified";
      EXPECT_EQ(stage, kInsufficient.at(rule.id)) << rule.id;
    } else {
      EXPECT_EQ(stage != Stage::none, accuses(rule.state) || rule.state == State::down) << rule.id;
    }
  }
}

TEST(Stage, EveryRowHasItsPlace) {
  check(Layer::dns, dns_rules());
  check(Layer::tcp, tcp_rules());
  check(Layer::tls, tls_rules());
  check(Layer::http, http_rules());
}

TEST(Stage, QuicStandsApart) {
  for (const auto& rule : quic_rules()) {
    Verdict verdict;
    verdict.layer = Layer::quic;
    verdict.state = rule.state;
    verdict.rule = rule.id;
    EXPECT_EQ(stage_of(verdict), Stage::none) << rule.id;
  }
}

TEST(Stage, WhatTheGateWithheldIsNoFailure) {
  for (const auto rules : {gate_rules(), resolver_rules()}) {
    for (const GateRule& rule : rules) {
      Verdict verdict;
      verdict.layer = Layer::tls;
      verdict.rule = rule.id;
      EXPECT_EQ(stage_of(verdict), Stage::none) << rule.id;
    }
  }
}

TEST(Stage, AForgedChainIsNoCutHandshake) {
  Verdict verdict;
  verdict.layer = Layer::tls;
  verdict.state = State::blocked;
  verdict.mechanism = "tls.mitm.untrusted_root";
  EXPECT_EQ(stage_of(verdict), Stage::chain);
  verdict.mechanism = "tls.reset.sni";
  EXPECT_EQ(stage_of(verdict), Stage::handshake);
  verdict.layer = Layer::quic;
  EXPECT_EQ(stage_of(verdict), Stage::none) << "QUIC stands apart";
}

}  // namespace
}  // namespace kua::verdict::test
