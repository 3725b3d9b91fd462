// Whatever a measurement holds, it gets an answer; nobody is called blocked without an artifact among the
// evidence; a closed gate accuses nobody. Random measurements from a printed seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "tests/unit/verdict/case.h"
#include "verdict/dns_rules.h"
#include "verdict/gate.h"
#include "verdict/http_rules.h"
#include "verdict/outcome.h"
#include "verdict/rule.h"
#include "verdict/quic_rules.h"
#include "verdict/tcp_rules.h"
#include "verdict/tls_rules.h"

namespace kua::verdict::test {
namespace {

constexpr std::uint64_t kSeed = 20220105;
constexpr int kWorlds = 8'000;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  Measurement measurement() {
    Story story;
    story.link(pick<LinkState>({LinkState::online, LinkState::online, LinkState::online, LinkState::unknown,
                                LinkState::captive, LinkState::offline, LinkState::international_cut,
                                LinkState::dns_broken}));
    story.resolver(pick<ResolverClass>({ResolverClass::network, ResolverClass::network,
                                        ResolverClass::unknown, ResolverClass::local_filter,
                                        ResolverClass::third_party}));
    const int steps = below(14);
    for (int i = 0; i < steps; ++i) add_step(story);
    auto& faults = story.measurement.header.vantage.faults;
    faults.vpn = below(30) == 0;
    faults.clock_wrong = below(30) == 0;
    faults.tls_inspected = below(20) == 0;
    faults.ipv6_broken = below(10) == 0;
    faults.nat64 = below(20) == 0;
    if (below(20) == 0) story.limit("redirects");
    if (below(40) == 0) story.measurement.validity = Validity::instrument;
    if (below(40) == 0) story.measurement.header.role = ProbeRole::control;
    return story.measurement;
  }
  int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }

 private:
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(static_cast<int>(choices.size()))];
  }
  const char* address() { return pick({kTrue, kTrue, kElsewhere, kTrue6, "10.10.34.35", "203.0.113.66"}); }
  FailureCode failure_code() { return static_cast<FailureCode>(below(51)); }
  FailureCode likely_code() {
    return below(4) == 0 ? failure_code() : pick({kReset, kSilence, kClosed, kRefused, kTlsFailed});
  }

  void add_lookup(Story& story) {
    const auto engine = pick({ResolverEngine::system, ResolverEngine::udp, ResolverEngine::doh});
    const auto type = pick({QueryType::a, QueryType::aaaa});
    switch (below(5)) {
      case 0: story.rcode(engine, static_cast<std::uint16_t>(below(7)), type); break;
      case 1: story.no_answer(engine, type); break;
      case 2: story.answers(engine, {}, type); break;
      default: story.answers(engine, {address()}, type);
    }
    auto& step = std::get<Lookup>(story.measurement.observations.back());
    if (step.reply && below(4) == 0) story.then_came({address()});
  }

  void add_http(Story& story) {
    const char* title = pick({"Example Domain", "Stop", "Access denied by law", ""});
    const auto status = static_cast<std::uint16_t>(pick({200, 200, 302, 403, 451, 502}));
    const bool tls = below(2) == 0;
    if (below(3) == 0) {
      story.page_cut(address(), likely_code(), static_cast<std::uint64_t>(below(3) * 8000), tls ? 443 : 80);
    } else if (below(3) == 0) {
      story.redirects(address(), pick({"http://blocked.isp.example/", "https://www.example.com/", "/x", "::"}),
                      tls ? 443 : 80);
    } else if (tls) {
      story.page(address(), status, title, static_cast<std::uint64_t>(below(9000)));
    } else {
      story.plain_page(address(), status, title, static_cast<std::uint64_t>(below(9000)));
    }
    if (below(6) == 0) story.with_body("blocked by order");
  }

  void add_quic(Story& story) {
    switch (below(5)) {
      case 0: story.speaks_quic(address(), static_cast<ChainTrust>(below(7))); break;
      case 1: story.quic_closed(address(), static_cast<std::uint64_t>(below(2) * 2400)); break;
      case 2: story.pongs(address()); break;
      case 3: story.no_pong(address(), likely_code()); break;
      default: story.no_quic(address(), likely_code(), static_cast<std::uint32_t>(below(2)));
    }
  }

  void add_step(Story& story) {
    story.as(pick({StepRole::main, StepRole::main, StepRole::main, StepRole::same_address,
                   StepRole::witness, StepRole::no_resolver, StepRole::retry, StepRole::trusted,
                   StepRole::residual}));
    if (below(5) == 0) story.host(pick({kHost, "www2.example.net", "203.0.113.20"}),
                                  static_cast<std::uint32_t>(below(3)));
    switch (below(7)) {
      case 0: add_lookup(story); break;
      case 6: add_quic(story); break;
      case 1:
        if (below(2) == 0) story.no_connect(address(), likely_code());
        else story.prohibited(address(), static_cast<IcmpOrigin>(below(3)));
        break;
      case 2: story.cut(address(), likely_code(), static_cast<std::uint64_t>(below(2) * 900)); break;
      case 3:
        if (below(3) == 0) story.alerted(address());
        else story.presents(address(), static_cast<ChainTrust>(below(7)), pick({"site", "f", "g"}),
                            pick({"ca", "nobody", "Qaznet Trust Network"}));
        break;
      default: add_http(story);
    }
  }

  std::mt19937_64 random_;
};

struct Judged {
  Measurement measurement;
  std::vector<std::unique_ptr<ControlFacts>> facts;
  std::vector<ControlView> controls;
  std::vector<Verdict> verdicts;
};

Judged judge_world(std::uint64_t seed) {
  World world(seed);
  Judged out;
  out.measurement = world.measurement();
  const int controls = world.below(4);
  for (int i = 0; i < controls; ++i) {
    out.facts.push_back(std::make_unique<ControlFacts>(
        world.below(2) == 0 ? well().measurement : world.measurement()));
    out.controls.push_back({out.facts.back().get(), world.below(2) == 0 ? out.facts[0].get() : nullptr});
  }
  out.verdicts = judge(out.measurement, out.controls, knowledge());
  return out;
}

// An observation that can prove something, told without the rules' help.
bool is_artifact(const Observation& observation) {
  if (const auto* step = std::get_if<Lookup>(&observation)) {
    return step->role == StepRole::no_resolver || !step->late.empty() ||
           (step->engine == ResolverEngine::system && step->reply &&
            (step->reply->rcode == 3 || !step->reply->addresses.empty()));
  }
  if (const auto* step = std::get_if<Connect>(&observation)) {
    return step->icmp && step->icmp->origin == IcmpOrigin::path;
  }
  if (const auto* step = std::get_if<TlsHandshake>(&observation)) {
    return !step->chain.empty() || step->role == StepRole::same_address || step->role == StepRole::witness ||
           step->role == StepRole::residual;
  }
  if (const auto* step = std::get_if<QuicHandshake>(&observation)) return step->role == StepRole::same_address;
  if (const auto* step = std::get_if<HttpRoundTrip>(&observation)) {
    return step->status || step->role == StepRole::same_address || step->role == StepRole::witness;
  }
  return false;
}

std::set<std::string> all_rule_ids() {
  std::set<std::string> ids{"gate.nothing_seen"};
  const auto take = [&](const auto& rules) {
    for (const auto& rule : rules) ids.insert(rule.id);
  };
  take(gate_rules());
  take(resolver_rules());
  take(dns_rules());
  take(tcp_rules());
  take(tls_rules());
  take(http_rules());
  take(quic_rules());
  return ids;
}

TEST(Property, EveryMeasurementGetsAWellFormedAnswer) {
  const std::set<std::string> ids = all_rule_ids();
  for (int i = 0; i < kWorlds; ++i) {
    const Judged j = judge_world(kSeed + static_cast<std::uint64_t>(i));
    ASSERT_FALSE(j.verdicts.empty()) << "seed " << kSeed + static_cast<std::uint64_t>(i);
    for (const Verdict& v : j.verdicts) {
      ASSERT_TRUE(ids.contains(v.rule)) << v.rule;
      ASSERT_TRUE(std::ranges::is_sorted(v.evidence));
      ASSERT_TRUE(v.evidence.empty() || v.evidence.back() < j.measurement.observations.size());
      ASSERT_EQ(v.mechanism.find('*'), std::string::npos);
      ASSERT_FALSE(accuses(v.state) && v.mechanism.empty()) << describe(j.verdicts);
    }
  }
}

TEST(Property, NobodyIsBlockedWithoutAnArtifact) {
  int blocked = 0;
  for (int i = 0; i < kWorlds; ++i) {
    const Judged j = judge_world(kSeed + static_cast<std::uint64_t>(i));
    for (const Verdict& v : j.verdicts) {
      if (v.state != State::blocked) continue;
      ++blocked;
      ASSERT_TRUE(std::ranges::any_of(v.evidence, [&](std::uint32_t index) {
        return is_artifact(j.measurement.observations[index]);
      })) << "seed " << kSeed + static_cast<std::uint64_t>(i) << "\n" << describe(j.verdicts);
    }
  }
  EXPECT_GT(blocked, 200) << "the worlds are too tame to show anything";
}

// A page shows the observations behind a verdict: each layer's names some, of the host it speaks of.
TEST(Property, EveryVerdictNamesWhatCarriedIt) {
  for (int i = 0; i < kWorlds; ++i) {
    const Judged j = judge_world(kSeed + static_cast<std::uint64_t>(i));
    for (const Verdict& v : j.verdicts) {
      if (v.layer == Layer::link) continue;  // of the line, before any step
      ASSERT_FALSE(v.evidence.empty()) << "seed " << kSeed + static_cast<std::uint64_t>(i) << "\n"
                                       << describe(j.verdicts);
      const bool of_its_host = std::ranges::any_of(v.evidence, [&](std::uint32_t index) {
        const StepContext* step = context_of(j.measurement.observations[index]);
        return step != nullptr && step->host == v.host;
      });
      ASSERT_TRUE(of_its_host) << describe(j.verdicts);
    }
  }
}

TEST(Property, AClosedGateAccusesNobody) {
  for (int i = 0; i < kWorlds; ++i) {
    const Judged j = judge_world(kSeed + static_cast<std::uint64_t>(i));
    const Measurement& m = j.measurement;
    const auto& faults = m.header.vantage.faults;
    const bool line = m.link_state == LinkState::online || m.link_state == LinkState::unknown;
    const bool open = m.validity == Validity::ok && line && !faults.vpn && !faults.clock_wrong &&
                      !faults.tls_inspected && m.header.role == ProbeRole::probe;
    for (const Verdict& v : j.verdicts) {
      ASSERT_TRUE(open || !accuses(v.state)) << describe(j.verdicts);
      ASSERT_TRUE(m.header.vantage.resolver_class == ResolverClass::network || v.layer != Layer::dns ||
                  !accuses(v.state))
          << describe(j.verdicts);
    }
  }
}

TEST(Property, WithoutControlsNothingIsDownThatOnlyFailed) {
  for (int i = 0; i < kWorlds; ++i) {
    const Judged j = judge_world(kSeed + static_cast<std::uint64_t>(i));
    for (const Verdict& v : judge(j.measurement, {}, knowledge())) {
      ASSERT_TRUE(v.state != State::down || v.layer == Layer::dns) << describe(j.verdicts);
      ASSERT_NE(v.rule, "tcp.fails_here_only");
      ASSERT_NE(v.rule, "quic.cut_for_all_names");
    }
  }
}

TEST(Property, ARepetitionThatCompletesTakesTheAccusation) {
  int taken = 0;
  for (int i = 0; i < kWorlds; ++i) {
    Judged j = judge_world(kSeed + static_cast<std::uint64_t>(i));
    const auto cut = std::ranges::find_if(j.verdicts, [](const Verdict& v) {
      return v.layer == Layer::tls && accuses(v.state) && !v.mechanism.starts_with("tls.mitm");
    });
    if (cut == j.verdicts.end() || cut->rule.starts_with("tls.frozen") ||
        cut->rule == "tls.cut_behind_handshake") {
      continue;
    }
    const auto found = std::ranges::find_if(
        j.measurement.observations, [&](const Observation& o) {
          const auto* step = std::get_if<TlsHandshake>(&o);
          return step != nullptr && step->host == cut->host && step->hop == cut->hop &&
                 (step->role == StepRole::main || step->role == StepRole::trusted) && step->failure &&
                 (!cut->family || step->endpoint.address.family() == *cut->family);
        });
    if (found == j.measurement.observations.end()) continue;  // cut in a repetition alone
    const TlsHandshake first = std::get<TlsHandshake>(*found);
    for (const Family family : {Family::ip4, Family::ip6}) {
      TlsHandshake again = first;
      if (again.endpoint.address.family() != family) {
        again.endpoint.address = ip(family == Family::ip6 ? kTrue6 : kTrue);
      }
      again.role = StepRole::retry;
      again.failure.reset();
      again.alert.reset();
      again.trust = ChainTrust::trusted;
      j.measurement.observations.emplace_back(again);
    }
    for (const Verdict& v : judge(j.measurement, j.controls, knowledge())) {
      ASSERT_FALSE(v.rule == cut->rule && v.host == cut->host && v.hop == cut->hop &&
                   v.family == cut->family)
          << describe(j.verdicts);
    }
    ++taken;
  }
  EXPECT_GT(taken, 40);
}

TEST(Property, TheSameInputGivesTheSameAnswer) {
  for (int i = 0; i < kWorlds / 10; ++i) {
    const Judged j = judge_world(kSeed + static_cast<std::uint64_t>(i));
    ASSERT_EQ(judge(j.measurement, j.controls, knowledge()), j.verdicts);
  }
}

}  // namespace
}  // namespace kua::verdict::test
