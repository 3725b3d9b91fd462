#include "verdict/quic_rules.h"

#include <algorithm>

namespace kua::verdict {
namespace {

using E = QuicEvidence;

// Datagrams that open a server's side are padded to this (RFC 9000 §14.1). A refusal is smaller: it passes a
// line too narrow for the others, and an edge may give it for names whose own QUIC is dead for everybody.
constexpr std::uint64_t kFullDatagramBytes = 1200;

bool unanswered(const E& e) { return e.cut != How::none && e.silent && e.repeated; }

constexpr std::array kQuicRules = {
    Rule<E>{"quic.completed", State::ok, "", only(Part::seen),
            "a handshake ended under a certificate that is valid for the name", [](const E& e) { return e.completed; }},
    Rule<E>{"quic.completed_on_retry", State::impaired, "", only(Part::seen), "only a repetition ended",
            [](const E& e) { return e.completed_on_retry; }},
    Rule<E>{"quic.certificate_unjudged", State::insufficient, "", only(Part::seen),
            "a handshake ended under a certificate that is not valid for the name: TLS over TCP tells whose it is",
            [](const E& e) { return e.refused_chain; }},
    Rule<E>{"quic.failed_here", State::insufficient, "", only(Part::seen),
            "nothing that bears the name left this machine", [](const E& e) { return e.cut == How::none; }},
    Rule<E>{"quic.fails_for_everybody", State::down, "", only(Part::seen),
            "controls get no QUIC handshake either", [](const E& e) { return e.control == Says::down; }},
    Rule<E>{"quic.tls_fails_too", State::insufficient, "", only(Part::seen),
            "nothing shows that the address is the site's and works: TLS over TCP failed there as well",
            [](const E& e) { return !e.tls_works; }},
    Rule<E>{"quic.cut_for_name_only", State::blocked, "quic.*.sni", Part::seen | Part::pair | Part::truth,
            "again and again nothing answers the site's name, while the same address answers it over TCP and a "
            "harmless name over QUIC: in full, or controls get through under the site's",
            [](const E& e) {
              return unanswered(e) && e.pair == Compared::passed && (e.pair_in_full || e.control == Says::up);
            }},
    Rule<E>{"quic.cut_beside_refusal", State::likely_blocked, "quic.*.sni", Part::seen | Part::pair | Part::truth,
            "the same, but the harmless name was only refused, and no control shows that the site's QUIC works",
            [](const E& e) { return unanswered(e) && e.pair == Compared::passed; }},
    Rule<E>{"quic.cut_for_all_names", State::likely_blocked, "quic.*",
            Part::seen | Part::pair | Part::witness | Part::truth,
            "again and again the name is not answered from this network, nor is a harmless one after it was shown, "
            "while TLS over TCP works at the same address and controls get through",
            [](const E& e) { return unanswered(e) && e.pair == Compared::failed && e.control == Says::up; }},
    Rule<E>{"quic.nothing_to_compare", State::insufficient, "", only(Part::seen),
            "the handshake failed, and nothing shows whether by chance or for others too",
            [](const E&) { return true; }},
};

// A server got the datagram and said so.
bool is_answered(const QuicHandshake& step) noexcept {
  return !step.failure || step.close_code || !step.version.empty() ||
         step.failure->code == FailureCode::quic_incompatible_version;
}

class QuicExtraction {
 public:
  QuicExtraction(const Scene& scene, const Stop& stop, Family family)
      : scene_(scene), stop_(stop), site_(scene.site_of(stop)), family_(family) {}

  E run() {
    scene_.each<QuicHandshake>(stop_, [&](std::uint32_t index, const QuicHandshake& step) {
      if (is_own(step.role) && step.endpoint.address.family() == family_) take_own(index, step);
    });
    if (!e_.tried) return std::move(e_);
    e_.completed_on_retry &= !e_.completed;
    if (first_cut_ == nullptr) return std::move(e_);
    e_.control = scene_.witnesses(site_).quic(stop_.port);
    compare();
    e_.how = to_string(e_.cut);
    tell();
    return std::move(e_);
  }

 private:
  void take_own(std::uint32_t index, const QuicHandshake& step) {
    e_.tried = true;
    e_.references.add(index, Part::seen);
    const How how = how_failed(step);
    if (how == How::none) {
      if (step.trust != ChainTrust::trusted) e_.refused_chain = true;
      else (step.role == StepRole::retry ? e_.completed_on_retry : e_.completed) = true;
      return;
    }
    if (how == How::here) return;
    // A refusal may come from this machine or its router: nothing here tells whose message it was.
    const bool silent = how == How::timeout;
    e_.repeated = first_cut_ != nullptr;
    e_.silent = silent && (first_cut_ == nullptr || e_.silent);
    if (first_cut_ != nullptr) return;
    first_cut_ = &step;
    e_.cut = how;
  }

  void compare() {
    const IpAddress& address = first_cut_->endpoint.address;
    scene_.each<TlsHandshake>(site_, [&](std::uint32_t index, const TlsHandshake& step) {
      if (!is_own(step.role) || step.endpoint.address != address || !is_trusted(step)) return;
      e_.tls_works = true;
      e_.references.add(index, Part::truth);
    });
    scene_.each<QuicHandshake>(stop_, [&](std::uint32_t index, const QuicHandshake& step) {
      if (step.role != StepRole::same_address || step.endpoint.address != address) return;
      if (!is_answered(step) && how_failed(step) != How::timeout) return;  // neither answer nor silence
      e_.references.add(index, Part::pair);
      note(e_.pair, is_answered(step));
      // As many bytes as only full datagrams bring.
      e_.pair_in_full |= is_answered(step) && step.bytes_received >= kFullDatagramBytes &&
                         step.bytes_received >= step.replies * (kFullDatagramBytes / 2);
    });
    scene_.each<QuicPing>(site_, [&](std::uint32_t index, const QuicPing& step) {
      // Who refuses elsewhere does not speak QUIC; who refuses here may be this machine's own router.
      const bool tells = !step.failure || how_failed(step) == How::timeout;
      if (step.endpoint.address.family() != family_ || !tells) return;
      const bool here = step.role == StepRole::same_address && step.endpoint.address == address;
      if (!here && step.role != StepRole::witness) return;
      e_.references.add(index, here ? Part::pair : Part::witness);
      note(here ? e_.ping : e_.elsewhere, !step.failure);
    });
  }

  static void note(Compared& into, bool passed) {
    if (into != Compared::passed) into = passed ? Compared::passed : Compared::failed;
  }

  static const char* word(Compared compared) {
    switch (compared) {
      case Compared::absent: return "not_asked";
      case Compared::passed: return "answered";
      case Compared::failed: return "silent";
    }
    return "not_asked";
  }

  // How far it reaches: the address, or everything on this port.
  void tell() {
    e_.detail = std::string("ping=") + word(e_.ping) + " elsewhere=" + word(e_.elsewhere);
  }

  const Scene& scene_;
  const Stop& stop_;
  const Site& site_;
  const Family family_;
  const QuicHandshake* first_cut_ = nullptr;
  E e_;
};

}  // namespace

QuicEvidence extract_quic(const Scene& scene, const Stop& stop, Family family) {
  return QuicExtraction(scene, stop, family).run();
}

bool is_void(const QuicEvidence& e) noexcept {
  return !e.tried || (!e.completed && !e.completed_on_retry && !e.refused_chain && e.cut == How::none);
}

const Rule<QuicEvidence>& judge_quic(const QuicEvidence& evidence) { return first_match(kQuicRules, evidence); }
std::span<const Rule<QuicEvidence>> quic_rules() noexcept { return kQuicRules; }

}  // namespace kua::verdict
