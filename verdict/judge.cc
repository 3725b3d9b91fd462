#include "verdict/judge.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "verdict/dns_rules.h"
#include "verdict/gate.h"
#include "verdict/http_rules.h"
#include "verdict/quic_rules.h"
#include "verdict/scene.h"
#include "verdict/tcp_rules.h"
#include "verdict/tls_rules.h"

namespace kua::verdict {
namespace {

constexpr std::array kFamilies = {Family::ip4, Family::ip6};
template <typename Evidence>
using ByFamily = std::array<std::optional<Evidence>, 2>;

// The host a closed gate is reported under: the target's own.
std::string_view host_of_target(const Measurement& measurement) {
  for (const Observation& observation : measurement.observations) {
    const StepContext* step = context_of(observation);
    if (step != nullptr && step->hop == 0 && !step->host.empty()) return step->host;
  }
  return measurement.input;
}

class Judgement {
 public:
  Judgement(const Measurement& measurement, std::span<const ControlView> controls,
            const Knowledge& knowledge)
      : scene_(measurement, controls, knowledge), gate_(pass_gate(scene_)) {}

  std::vector<Verdict> run() {
    if (scene_.measurement().experiment == "link_state") return {link_verdict()};
    if (gate_.gate == Gate::closed) return {closed_verdict(gate_.id)};
    out_.reserve(4 * scene_.sites().size());
    for (const Site& site : scene_.sites()) judge_names(site);
    for (const Stop& stop : scene_.stops()) judge_stop(stop);
    if (out_.empty()) return {closed_verdict("gate.nothing_seen")};
    withhold_hollow_successes();
    return std::move(out_);
  }

 private:
  Verdict closed_verdict(const char* rule) const {
    Verdict verdict;
    verdict.host = host_of_target(scene_.measurement());
    verdict.layer = Layer::link;
    verdict.rule = rule;
    if (scene_.measurement().validity != Validity::ok) {
      verdict.detail = scene_.measurement().validity_reason;
    }
    return verdict;
  }

  // A statement about the line, under no host's name; never an accusation.
  Verdict link_verdict() const {
    Verdict verdict;
    verdict.layer = Layer::link;
    const bool valid = scene_.measurement().validity == Validity::ok;
    const LinkState state = valid ? conclude_link_state(scene_.measurement()) : LinkState::unknown;
    switch (state) {
      case LinkState::unknown: verdict.state = State::insufficient; break;
      case LinkState::online: verdict.state = State::ok; break;
      case LinkState::captive:
      case LinkState::dns_broken:
      case LinkState::international_cut: verdict.state = State::impaired; break;
      case LinkState::offline: verdict.state = State::down; break;
    }
    verdict.rule = std::string("link.") + to_string(state);
    if (state != LinkState::unknown && state != LinkState::online) verdict.mechanism = verdict.rule;
    if (valid && passes_clear_text_only(scene_.measurement())) verdict.rule = "link.offline_but_clear_text";
    for (std::uint32_t i = 0; i < scene_.measurement().observations.size(); ++i) {
      if (std::holds_alternative<LinkCheck>(scene_.measurement().observations[i])) {
        verdict.evidence.push_back(i);
      }
    }
    return verdict;
  }

  void judge_names(const Site& site) {
    if (site.is_literal) return;
    ByFamily<DnsEvidence> families;
    families[0].emplace(extract_dns(scene_, site, Family::ip4));
    families[1].emplace(extract_dns(scene_, site, Family::ip6));
    add_families(Layer::dns, site.host, site.first_hop, families, judge_dns);
  }

  void judge_stop(const Stop& stop) {
    const Site& site = scene_.site_of(stop);
    add_families(Layer::tcp, site.host, stop.hop, of_stop(stop, extract_tcp), judge_tcp);
    add_families(Layer::tls, site.host, stop.hop, of_stop(stop, extract_tls), judge_tls);
    add_families(Layer::http, site.host, stop.hop, of_stop(stop, extract_http), judge_http);
    add_families(Layer::quic, site.host, stop.hop, of_stop(stop, extract_quic), judge_quic);
  }

  // Broken IPv6 is a property of the vantage: such a family has no say.
  template <typename Evidence>
  ByFamily<Evidence> of_stop(const Stop& stop,
                             Evidence (*extract)(const Scene&, const Stop&, Family)) const {
    const bool six = stop.family[1] && !scene_.measurement().header.vantage.faults.ipv6_broken;
    ByFamily<Evidence> out;
    if (stop.family[0]) out[0].emplace(extract(scene_, stop, Family::ip4));
    if (six) out[1].emplace(extract(scene_, stop, Family::ip6));
    return out;
  }

  // One verdict for both families where they agree, one each where they do not.
  template <typename Evidence, typename Judge>
  void add_families(Layer layer, std::string_view host, std::uint32_t hop,
                    const ByFamily<Evidence>& families, Judge judge_layer) {
    std::array<const Rule<Evidence>*, 2> rules{};
    for (std::size_t i = 0; i < 2; ++i) {
      if (families[i] && !is_void(*families[i])) rules[i] = &judge_layer(*families[i]);
    }
    const bool both = rules[0] != nullptr && rules[1] != nullptr;
    for (std::size_t i = 0; i < 2; ++i) {
      if (rules[i] == nullptr) continue;
      Verdict verdict = make_verdict(layer, host, hop, *families[i], *rules[i]);
      if (both) verdict.family = kFamilies[i];
      merge(std::move(verdict));
    }
    if (both) unite(layer, host, hop);
  }

  template <typename Evidence>
  Verdict make_verdict(Layer layer, std::string_view host, std::uint32_t hop, const Evidence& evidence,
                       const Rule<Evidence>& rule) const {
    Verdict verdict;
    verdict.host = host;
    verdict.hop = hop;
    verdict.layer = layer;
    verdict.evidence = evidence.references.carried_by(rule.carried);
    const char* refused_by = accuses(rule.state) ? refusal(layer) : nullptr;
    if (refused_by != nullptr) {
      verdict.rule = refused_by;
      verdict.detail = rule.id;  // what it would have been
      return verdict;
    }
    verdict.state = rule.state;
    verdict.mechanism = fill_mechanism(rule.mechanism, evidence.how);
    verdict.rule = rule.id;
    verdict.detail = evidence.detail;
    return verdict;
  }

  // The row that forbids an accusation at this layer, or nullptr.
  const char* refusal(Layer layer) const {
    if (gate_.gate == Gate::no_accusation) return gate_.id;
    if (layer != Layer::dns) return nullptr;
    const GateRule* row = refuse_dns_accusation(scene_);
    return row == nullptr ? nullptr : row->id;
  }

  static bool same_finding(const Verdict& a, const Verdict& b) {
    return a.layer == b.layer && a.state == b.state && a.rule == b.rule && a.mechanism == b.mechanism &&
           a.host == b.host;
  }

  static void take_evidence(Verdict& into, const Verdict& from) {
    into.evidence.insert(into.evidence.end(), from.evidence.begin(), from.evidence.end());
    std::ranges::sort(into.evidence);
    into.evidence.erase(std::unique(into.evidence.begin(), into.evidence.end()), into.evidence.end());
  }

  // An answered lookup before a failure that nothing explains is no success of the host: where its way
  // ended in `insufficient`, the layers passed on the way are not told as ok.
  void withhold_hollow_successes() {
    if (std::ranges::find(out_, State::insufficient, &Verdict::state) == out_.end()) return;
    std::erase_if(out_, [this](const Verdict& verdict) {
      return verdict.state == State::ok && verdict.layer != Layer::quic && verdict.mechanism.empty() &&
             ends_unexplained(verdict.host);
    });
  }

  // QUIC stands apart, here too.
  bool ends_unexplained(std::string_view host) const {
    Layer deepest = Layer::dns;
    for (const Verdict& verdict : out_) {
      if (verdict.host == host && verdict.layer != Layer::quic) deepest = std::max(deepest, verdict.layer);
    }
    return std::ranges::none_of(out_, [&](const Verdict& verdict) {
      return verdict.host == host && verdict.layer == deepest && verdict.state != State::insufficient;
    });
  }

  // The same finding of one host at a later hop or another port is one verdict.
  void merge(Verdict verdict) {
    for (Verdict& earlier : out_) {
      if (same_finding(earlier, verdict) && earlier.family == verdict.family) {
        return take_evidence(earlier, verdict);
      }
    }
    out_.push_back(std::move(verdict));
  }

  void unite(Layer layer, std::string_view host, std::uint32_t hop) {
    const auto of = [&](Family family) {
      return std::ranges::find_if(out_, [&](const Verdict& verdict) {
        return verdict.layer == layer && verdict.host == host && verdict.hop == hop &&
               verdict.family == family;
      });
    };
    const auto four = of(Family::ip4);
    const auto six = of(Family::ip6);
    if (four == out_.end() || six == out_.end() || !same_finding(*four, *six)) return;
    Verdict united = std::move(*four);
    take_evidence(united, *six);
    united.family.reset();
    out_.erase(std::max(four, six));
    out_.erase(std::min(four, six));
    merge(std::move(united));
  }

  Scene scene_;
  const GateRule& gate_;
  std::vector<Verdict> out_;
};

}  // namespace

std::vector<Verdict> judge(const Measurement& measurement, std::span<const ControlView> controls,
                           const Knowledge& knowledge) {
  return Judgement(measurement, controls, knowledge).run();
}

}  // namespace kua::verdict
