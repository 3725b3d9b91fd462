#include <algorithm>

#include "verdict/http_rules.h"
#include "verdict/page.h"
#include "verdict/residue.h"

namespace kua::verdict {
namespace {

using E = HttpEvidence;
using ControlPort = ControlFacts::Host::Port;

class HttpExtraction {
 public:
  HttpExtraction(const Scene& scene, const Stop& stop, Family family)
      : scene_(scene), stop_(stop), site_(scene.site_of(stop)), family_(family),
        controls_(scene.witnesses(site_)) {}

  E run() {
    vouched_only_ = has_vouched();
    scene_.each<HttpRoundTrip>(stop_, [&](std::uint32_t index, const HttpRoundTrip& step) {
      if (concerns(step)) take_own(index, step);
    });
    if (!e_.tried) return std::move(e_);
    e_.control = controls_.http(stop_.port);
    if (answer_ != nullptr) {
      e_.only_on_retry &= first_cut_ != nullptr;
      read(*answer_);
    } else if (first_cut_ != nullptr) {
      compare();
    }
    return std::move(e_);
  }

 private:
  bool concerns(const HttpRoundTrip& step) const {
    const IpAddress& address = step.endpoint.address;
    return is_own(step.role) && address.family() == family_ &&
           (!vouched_only_ || site_.is_vouched(address));
  }

  bool has_vouched() const {
    bool found = false;
    scene_.each<HttpRoundTrip>(stop_, [&](std::uint32_t, const HttpRoundTrip& step) {
      const IpAddress& address = step.endpoint.address;
      found |= is_own(step.role) && address.family() == family_ && site_.is_vouched(address);
    });
    return found;
  }

  void take_own(std::uint32_t index, const HttpRoundTrip& step) {
    e_.tried = true;
    e_.over_tls |= step.over_tls;
    e_.confirmed |= standing_of(scene_, site_, step.endpoint.address) != Standing::claimed;
    e_.references.add(index, Part::seen);
    const How how = how_failed(step);
    if (is_answered(step)) {
      // A forged page at one address is not hidden by the true one at another: the worst answer is read.
      if (answer_ == nullptr || (blocker_in(*answer_) == nullptr && blocker_in(step) != nullptr)) {
        e_.only_on_retry = step.role == StepRole::retry;
        answer_ = &step;
      }
      e_.answered = true;
    } else if (how != How::none && how != How::here) {
      e_.repeated = first_cut_ != nullptr;
      if (first_cut_ == nullptr) {
        first_cut_ = &step;
        e_.cut = how;
        e_.how = to_string(how);
      }
    }
  }

  const Fingerprint* blocker_in(const HttpRoundTrip& step) const {
    if (is_authentic(step)) return nullptr;
    return find_in_page(scene_.signs(), step);
  }

  // The handshake under which a round trip ran proves who answered.
  bool is_authentic(const HttpRoundTrip& step) const {
    if (!step.over_tls) return false;
    bool authentic = false;
    scene_.each<TlsHandshake>(site_, [&](std::uint32_t, const TlsHandshake& handshake) {
      if (!is_own(handshake.role) || handshake.endpoint != step.endpoint) return;
      const bool key_of_controls =
          is_untrusted(handshake) && !handshake.chain.empty() &&
          controls_.saw_leaf(stop_.port, handshake.chain[0].spki_sha256);
      authentic |= is_trusted(handshake) || key_of_controls;
    });
    return authentic;
  }

  void read(const HttpRoundTrip& step) {
    const std::uint16_t status = *step.status;
    e_.authentic = is_authentic(step);
    e_.behind_bad_chain = step.over_tls && !e_.authentic;
    e_.server_error = status >= 500;
    e_.turned_away = status >= 500 || status == 401 || status == 403 || status == 429 || status == 451;
    e_.same_as_control =
        controls_.any_port(stop_.port, [&](const ControlPort& port) { return same_page(step, port.page); });
    // Controls in data centres are often turned away themselves; then they know nothing of the page.
    const auto let_in = [](const ControlPort& port) {
      return port.page.status >= 200 && port.page.status < 400;
    };
    const bool any_let_in = controls_.any_port(stop_.port, let_in);
    // Where the site itself answers, that the server is the same is no argument.
    const bool resembles = controls_.any_port(stop_.port, [&](const ControlPort& port) {
      return let_in(port) && !(e_.authentic ? is_other_page(step, port.page)
                                            : differs_wholly(step, port.page));
    });
    const bool same_status = controls_.any_port(
        stop_.port, [&](const ControlPort& port) { return port.page.status == status; });
    e_.comparable = any_let_in || same_status;
    e_.differs = any_let_in && !e_.same_as_control && !resembles;
    e_.refused_here_only = status >= 400 && any_let_in && !same_status;
    find_end(step);
    if (!e_.authentic) find_blocker(step);
    if (is_redirect(status)) follow(step);
  }

  void find_end(const HttpRoundTrip& step) {
    const bool unfollowed = is_redirect(*step.status) && !step.failure &&
                            scene_.measurement().limits.contains("redirects") && is_last_hop();
    e_.endless = is_unending(step, scene_.measurement().limits) || unfollowed;
    if (!e_.endless) return;
    e_.endless_for_controls = controls_.any_port(stop_.port, [&](const ControlPort& port) {
      return unfollowed ? port.unfollowed_redirect : port.page.unending;
    });
  }

  bool is_last_hop() const {
    return std::ranges::none_of(scene_.stops(),
                                [this](const Stop& other) { return other.hop > stop_.hop; });
  }

  void find_blocker(const HttpRoundTrip& step) {
    if (const Fingerprint* page = find_in_page(scene_.signs(), step)) {
      e_.page_of_blocker = true;
      take_sign(*page);
    }
    if (const Fingerprint* location = find_in_location(scene_.signs(), step)) {
      e_.location_of_blocker = true;
      take_sign(*location);
    }
    if (stop_.hop > 0 && e_.page_of_blocker) e_.is_blocker = came_by_forged_redirect();
  }

  void take_sign(const Fingerprint& sign) {
    e_.sign_is_foreign = !scene_.signs().are_local(sign);
    e_.detail = sign.name;
  }

  // Whether the site itself sends its clients where `step` leads: controls were sent there too, or
  // without controls, the place is the same owner's.
  bool is_genuine_redirect(const Site& from, std::uint16_t port, const HttpRoundTrip& step) const {
    const std::string_view leads_to = host_of_url(header_value(step, "location"));
    if (leads_to.empty() || related_names(leads_to, from.host)) return true;
    return scene_.witnesses(from).any_port(
        port, [&](const ControlPort& facts) { return same_host(facts.page.location_host, leads_to); });
  }

  bool came_by_forged_redirect() const {
    bool forged = false;
    for (const Stop& before : scene_.stops()) {
      if (before.hop + 1 != stop_.hop) continue;
      scene_.each<HttpRoundTrip>(before, [&](std::uint32_t, const HttpRoundTrip& step) {
        if (!is_own(step.role) || !is_answered(step) || !is_redirect(*step.status) || step.over_tls) return;
        forged |= !is_genuine_redirect(scene_.site_of(before), before.port, step);
      });
    }
    return forged;
  }

  void follow(const HttpRoundTrip& redirect) {
    const std::string_view leads_to = host_of_url(header_value(redirect, "location"));
    const bool related = leads_to.empty() || related_names(leads_to, site_.host);
    const bool genuine = is_genuine_redirect(site_, stop_.port, redirect);
    for (const Stop& next : scene_.stops()) {
      if (next.hop != stop_.hop + 1) continue;
      scene_.each<TlsHandshake>(next, [&](std::uint32_t, const TlsHandshake& step) {
        e_.redirects_home |= related && is_own(step.role) && is_trusted(step);
      });
      if (genuine || e_.authentic) continue;
      scene_.each<HttpRoundTrip>(next, [&](std::uint32_t index, const HttpRoundTrip& step) {
        const Fingerprint* page =
            is_own(step.role) ? find_in_page(scene_.signs(), step) : nullptr;
        if (page == nullptr) return;
        e_.leads_to_blocker = true;
        take_sign(*page);
        e_.references.add(index, Part::truth);
      });
    }
  }

  void compare() {
    scene_.each<HttpRoundTrip>(stop_, [&](std::uint32_t index, const HttpRoundTrip& step) {
      if (step.endpoint.address != first_cut_->endpoint.address || how_failed(step) == How::here) return;
      if (step.role == StepRole::same_address) {
        e_.references.add(index, Part::pair);
        if (has_passed(step)) e_.pair = Compared::passed;
        else if (e_.pair == Compared::absent) e_.pair = Compared::failed;
      } else if (step.role == StepRole::residual && has_passed(step)) {
        take_residual(index, step);
      }
    });
    // A pair whose connection already failed has no round trip.
    scene_.each<Connect>(stop_, [&](std::uint32_t index, const Connect& step) {
      const How how = how_failed(step);
      const bool at_cut = step.endpoint.address == first_cut_->endpoint.address;
      if (step.role != StepRole::same_address || !at_cut || how == How::none || how == How::here) return;
      e_.references.add(index, Part::pair);
      if (e_.pair == Compared::absent) e_.pair = Compared::failed;
    });
    e_.residual_passed &= e_.pair == Compared::failed;
    e_.residual_renewed = e_.residual_passed && is_cut_again(scene_, stop_, *first_cut_, residue_over_);
    scene_.each<HttpRoundTrip>(site_, [&](std::uint32_t index, const HttpRoundTrip& step) {
      const How how = how_failed(step);
      if (step.role != StepRole::witness || step.hop != stop_.hop || how == How::here) return;
      e_.references.add(index, Part::witness);
      if (how != e_.cut) e_.witness = Compared::passed;
      else if (e_.witness == Compared::absent) e_.witness = Compared::failed;
    });
  }

  // Under the harmless Host, against the cut.
  bool has_passed(const HttpRoundTrip& step) const {
    const How how = how_failed(step);
    const bool passed = how == How::none || (how == How::garbage && step.bytes_received > 0);
    return passed && (e_.cut != How::freeze || step.bytes_received > first_cut_->bytes_received);
  }

  void take_residual(std::uint32_t index, const HttpRoundTrip& step) {
    if (!e_.residual_passed) residue_over_ = step.offset;
    e_.residual_passed = true;
    e_.references.add(index, Part::residual);
    e_.detail = residual_detail(*first_cut_, step);
  }

  const Scene& scene_;
  const Stop& stop_;
  const Site& site_;
  const Family family_;
  const Witnesses& controls_;
  bool vouched_only_ = false;
  const HttpRoundTrip* answer_ = nullptr;
  const HttpRoundTrip* first_cut_ = nullptr;
  Microseconds residue_over_{0};  // offset of the first step under the harmless Host that passed again
  E e_;
};

}  // namespace

HttpEvidence extract_http(const Scene& scene, const Stop& stop, Family family) {
  return HttpExtraction(scene, stop, family).run();
}

}  // namespace kua::verdict
