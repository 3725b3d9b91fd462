#include <algorithm>
#include <cmath>

#include "verdict/residue.h"
#include "verdict/tls_rules.h"

namespace kua::verdict {
namespace {

using E = TlsEvidence;

class TlsExtraction {
 public:
  TlsExtraction(const Scene& scene, const Stop& stop, Family family)
      : scene_(scene), stop_(stop), site_(scene.site_of(stop)), family_(family) {}

  E run() {
    vouched_only_ = has_vouched();
    scene_.each<TlsHandshake>(stop_, [&](std::uint32_t index, const TlsHandshake& step) {
      if (concerns(step)) take_own(index, step);
    });
    if (!e_.tried) return std::move(e_);
    e_.completed_on_retry &= !e_.completed;
    const bool plain_success = e_.completed && cuts_ == 0 && untrusted_ == nullptr;
    if (!plain_success) {
      e_.control = scene_.witnesses(site_).tls(stop_.port);
      e_.line_carries_tls = scene_.line().tls;
      compare();
    }
    look_behind();
    if (e_.completed || e_.completed_on_retry) weigh_rates();
    name();
    return std::move(e_);
  }

 private:
  bool concerns(const TlsHandshake& step) const {
    const IpAddress& address = step.endpoint.address;
    return is_own(step.role) && address.family() == family_ &&
           (!vouched_only_ || site_.is_vouched(address));
  }

  bool has_vouched() const {
    bool found = false;
    scene_.each<TlsHandshake>(stop_, [&](std::uint32_t, const TlsHandshake& step) {
      const IpAddress& address = step.endpoint.address;
      found |= is_own(step.role) && address.family() == family_ && site_.is_vouched(address);
    });
    return found;
  }

  void take_own(std::uint32_t index, const TlsHandshake& step) {
    e_.tried = true;
    e_.confirmed |= standing_of(scene_, site_, step.endpoint.address) != Standing::claimed;
    e_.references.add(index, Part::seen);
    // A volunteer's system may trust a state's root by order: then the list speaks, not the store.
    if (is_trusted(step) && find_root(step) == nullptr) {
      (step.role == StepRole::retry ? e_.completed_on_retry : e_.completed) = true;
    } else if (is_trusted(step) || is_untrusted(step)) {
      take_chain(step);
    } else if (const How how = how_failed(step); how != How::none && how != How::here) {
      ++cuts_;
      e_.repeated = cuts_ > 1;
      if (first_cut_ == nullptr) {
        first_cut_ = &step;
        e_.cut = how;
      }
    }
  }

  void take_chain(const TlsHandshake& step) {
    const InterceptionRoot* root = find_root(step);
    if (untrusted_ != nullptr && root == nullptr) return;
    untrusted_ = &step;
    e_.untrusted = step.trust;
    if (root != nullptr) {
      e_.interception_root = true;
      e_.detail = root->name;
    } else if (!step.chain.empty()) {
      e_.detail = step.chain.back().issuer;
    }
    const Witnesses& controls = scene_.witnesses(site_);
    for (std::size_t i = 0; i < step.chain.size(); ++i) {
      const std::string& key = step.chain[i].spki_sha256;
      if (key.empty()) continue;
      if (i == 0) e_.leaf_of_controls = controls.saw_leaf(stop_.port, key);
      else e_.issuer_of_controls |= controls.saw_issuer(stop_.port, key);
    }
  }

  const InterceptionRoot* find_root(const TlsHandshake& step) const {
    if (step.chain.empty()) return nullptr;
    for (const InterceptionRoot& root : scene_.knowledge().interception_roots) {
      const bool by_key = !root.spki_sha256.empty() &&
                          std::ranges::any_of(step.chain, [&](const Certificate& certificate) {
                            return certificate.spki_sha256 == root.spki_sha256;
                          });
      // A root that the server left out is only seen as the last issuer; a name alone counts only where
      // no key is known, and never for a chain that our store trusts.
      const Certificate& last = step.chain.back();
      const bool by_name = !root.subject.empty() && (last.issuer == root.subject);
      if (by_key || by_name) return &root;
    }
    return nullptr;
  }

  // Whether the same hand signed both: a key of the chain above the leaf, or the leaf's key itself.
  static bool same_authority(const TlsHandshake& a, const TlsHandshake& b) {
    for (std::size_t i = 0; i < a.chain.size(); ++i) {
      for (std::size_t j = 0; j < b.chain.size(); ++j) {
        const bool same_key = !a.chain[i].spki_sha256.empty() &&
                              a.chain[i].spki_sha256 == b.chain[j].spki_sha256;
        if (same_key && (i == 0) == (j == 0)) return true;
      }
    }
    // Chains without the authority's own certificate: its name, copied names of the leaf apart.
    return a.chain.size() == 1 && b.chain.size() == 1 && !a.chain[0].issuer.empty() &&
           a.chain[0].issuer == b.chain[0].issuer;
  }

  void compare() {
    scene_.each<TlsHandshake>(stop_, [&](std::uint32_t index, const TlsHandshake& step) {
      if (step.endpoint.address.family() != family_) return;
      if (step.role == StepRole::same_address) take_pair(index, step);
      if (step.role == StepRole::residual) take_residual(index, step);
    });
    // A pair whose connection already failed has no handshake.
    scene_.each<Connect>(stop_, [&](std::uint32_t index, const Connect& step) {
      const bool at_cut = first_cut_ != nullptr && step.endpoint.address == first_cut_->endpoint.address;
      const How how = how_failed(step);
      if (step.role != StepRole::same_address || !at_cut || how == How::none || how == How::here) return;
      e_.references.add(index, Part::pair);
      if (e_.pair == Compared::absent) e_.pair = Compared::failed;
    });
    // Witnesses have addresses and ports of their own.
    scene_.each<TlsHandshake>(site_, [&](std::uint32_t index, const TlsHandshake& step) {
      if (step.role == StepRole::witness && step.hop == stop_.hop) take_witness(index, step);
    });
    e_.some_cut = e_.completed && e_.cut != How::none && e_.pair == Compared::passed;
    e_.residual_passed &= e_.pair == Compared::failed;
    e_.residual_renewed = e_.residual_passed && is_cut_again(scene_, stop_, *first_cut_, residue_over_);
    // Antivirus opens TLS to wherever it leads. Who opens it at one address only, under any name, is on the path.
    e_.authority_everywhere &= !(witness_unopened_ && scene_.line().unopened_tls);
  }

  void take_pair(std::uint32_t index, const TlsHandshake& step) {
    if (untrusted_ != nullptr && is_untrusted(step) && same_authority(*untrusted_, step)) {
      e_.authority_everywhere = true;
      e_.references.add(index, Part::pair);
    }
    if (first_cut_ == nullptr || step.endpoint.address != first_cut_->endpoint.address) return;
    const How how = how_failed(step);
    if (how == How::here) return;
    e_.references.add(index, Part::pair);
    // Against a transfer that stalled only a handshake that ended counts.
    const bool passed = e_.cut == How::freeze ? how == How::none : answered_tls(step);
    if (passed) e_.pair = Compared::passed;
    else if (e_.pair == Compared::absent) e_.pair = Compared::failed;
  }

  void take_residual(std::uint32_t index, const TlsHandshake& step) {
    if (first_cut_ == nullptr || step.endpoint.address != first_cut_->endpoint.address ||
        !answered_tls(step)) {
      return;
    }
    if (!e_.residual_passed) residue_over_ = step.offset;
    e_.residual_passed = true;
    e_.references.add(index, Part::residual);
    e_.detail = residual_detail(*first_cut_, step);
  }

  void take_witness(std::uint32_t index, const TlsHandshake& step) {
    if (untrusted_ != nullptr && is_untrusted(step) && same_authority(*untrusted_, step)) {
      e_.authority_at_witness = true;
      e_.references.add(index, Part::witness);
    } else if (untrusted_ != nullptr && step.trust == ChainTrust::wrong_host && !step.chain.empty()) {
      // Inspecting gear signs for worse chains by another authority, or passes them on: they tell nothing.
      witness_unopened_ = true;
      e_.references.add(index, Part::witness);
    }
    const How how = how_failed(step);
    if (first_cut_ == nullptr || how == How::here) return;
    e_.references.add(index, Part::witness);
    // An alert is how a witness answers a name it does not host.
    if (how != e_.cut || how == How::alert) e_.witness = Compared::passed;
    else if (e_.witness == Compared::absent) e_.witness = Compared::failed;
  }

  // Transfers over handshakes that completed.
  void look_behind() {
    if (!e_.completed && !e_.completed_on_retry) return;
    std::uint64_t stalled_at = 0;
    const HttpRoundTrip* cut = nullptr;
    bool carried = false;
    scene_.each<HttpRoundTrip>(stop_, [&](std::uint32_t index, const HttpRoundTrip& step) {
      if (!step.over_tls || !is_own(step.role) || step.endpoint.address.family() != family_) return;
      if (vouched_only_ && !site_.is_vouched(step.endpoint.address)) return;
      const How how = how_failed(step);
      carried |= how == How::none || how == How::garbage;
      if (how == How::none || how == How::garbage || how == How::here) return;
      e_.references.add(index, Part::seen);
      e_.after_repeated = cut != nullptr;
      e_.stopped_at = std::max(e_.stopped_at, step.bytes_received);
      stalled_at = cut == nullptr ? step.bytes_received : std::max(stalled_at, step.bytes_received);
      if (cut == nullptr) cut = &step;
    });
    if (carried || cut == nullptr) return;
    // Nothing after the handshake's own bytes is a stall as well.
    const How how = how_failed(*cut);
    e_.after = how == How::timeout ? How::freeze : how;
    scene_.each<HttpRoundTrip>(stop_, [&](std::uint32_t index, const HttpRoundTrip& step) {
      if (step.role != StepRole::same_address || step.endpoint.address != cut->endpoint.address) return;
      e_.references.add(index, Part::pair);
      e_.pair_carried_more |= step.bytes_received > stalled_at;
      e_.pair_stopped |= stopped_likewise(step, stalled_at) && cut->last_byte;
    });
    e_.control_page = scene_.witnesses(site_).http(stop_.port);
    if (e_.after == How::freeze) {
      e_.detail = "stalled_after_bytes=" + std::to_string(stalled_at + handshake_bytes(*cut));
    }
    e_.control = scene_.witnesses(site_).tls(stop_.port);
  }

  // After about as many bytes, and silent since: where an older record does not tell, it may have been slow.
  static bool stopped_likewise(const HttpRoundTrip& step, std::uint64_t bytes) {
    const std::uint64_t apart = std::max(step.bytes_received, bytes) - std::min(step.bytes_received, bytes);
    return how_failed(step) == How::freeze && step.last_byte && 4 * apart <= bytes;
  }

  void weigh_rates() {
    e_.rates = rates_at(scene_, stop_, family_, e_.references);
    if (!e_.rates.are_enough() || e_.rates.ratio() < 4) return;
    const auto kbit = [](double bytes_per_second) { return std::to_string(std::llround(bytes_per_second / 125)); };
    e_.detail = "kbit_s=" + kbit(Rates::median(e_.rates.own)) +
                " other_name_kbit_s=" + kbit(Rates::median(e_.rates.other));
  }

  std::uint64_t handshake_bytes(const HttpRoundTrip& cut) const {
    std::uint64_t bytes = 0;
    scene_.each<TlsHandshake>(stop_, [&](std::uint32_t, const TlsHandshake& step) {
      if (step.role == cut.role && step.endpoint == cut.endpoint && is_trusted(step)) {
        bytes = step.bytes_received;
      }
    });
    return bytes;
  }

  void name() {
    if (e_.after != How::none) e_.how = to_string(e_.after);
    else e_.how = to_string(e_.cut);
    if (e_.cut == How::freeze && e_.detail.empty()) {
      e_.detail = "stalled_after_bytes=" + std::to_string(first_cut_->bytes_received);
    }
  }

  const Scene& scene_;
  const Stop& stop_;
  const Site& site_;
  const Family family_;
  bool vouched_only_ = false;
  int cuts_ = 0;
  bool witness_unopened_ = false;  // its handshake under the target's name showed another authority, a known one
  const TlsHandshake* first_cut_ = nullptr;
  const TlsHandshake* untrusted_ = nullptr;
  Microseconds residue_over_{0};  // offset of the first step under the harmless name that passed again
  E e_;
};

}  // namespace

TlsEvidence extract_tls(const Scene& scene, const Stop& stop, Family family) {
  return TlsExtraction(scene, stop, family).run();
}

}  // namespace kua::verdict
