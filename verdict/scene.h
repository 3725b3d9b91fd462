// One measurement laid out for extraction: which host and which stop each observation belongs to, what
// is known of each host's addresses, and what the measurement itself proves about the line. Borrows
// everything it is given.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "verdict/controls.h"
#include "verdict/judge.h"
#include "verdict/outcome.h"

namespace kua::verdict {

// One address of a host and who named it.
struct KnownAddress {
  IpAddress address;
  bool by_system = false;
  bool by_doh = false;
  bool by_udp = false;      // a trusted resolver over UDP, uncontested
  bool by_control = false;
  bool proven = false;      // a chain valid for the host was presented there
};

// A name or address literal that steps are judged under.
struct Site {
  std::string_view host;
  std::uint32_t first_hop = 0;
  bool is_literal = false;
  bool doh_answered = false;
  bool udp_answered = false;
  std::vector<KnownAddress> addresses;  // at most kAddressesMax

  [[nodiscard]] const KnownAddress* find(const IpAddress& address) const noexcept;
  // Somebody other than the system resolver says where the host is.
  [[nodiscard]] bool has_truth() const noexcept;
  // An address that does not rest on the system resolver's word alone: DoH outranks UDP, which the same
  // forger may answer; a literal, a control's word or a valid chain stand by themselves.
  [[nodiscard]] bool is_vouched(const IpAddress& address) const noexcept;
};

// Where steps of one redirect depth met one port of one host.
struct Stop {
  std::uint32_t hop = 0;
  std::uint16_t port = 0;
  std::uint8_t site = 0;
  std::array<bool, 2> family{};  // steps were taken over it; index: is IPv6
};

// What the measurement proves by itself, whoever it was about.
struct LineProof {
  bool far_end = false;              // something unforgeable answered: a trusted chain, DoH, a known line
  bool tls = false;                  // some TLS handshake got an answer
  bool unopened_tls = false;         // some ended under a chain that our store trusts, a DoH resolver's among them
  std::array<bool, 2> family{};      // something answered over the family; index: is IPv6
  [[nodiscard]] bool over(Family which) const noexcept { return family[which == Family::ip6 ? 1 : 0]; }
};

class Scene {
 public:
  Scene(const Measurement& measurement, std::span<const ControlView> controls, const Knowledge& knowledge);

  [[nodiscard]] const Measurement& measurement() const noexcept { return measurement_; }
  [[nodiscard]] const Knowledge& knowledge() const noexcept { return knowledge_; }
  [[nodiscard]] std::span<const Site> sites() const noexcept { return sites_; }
  [[nodiscard]] std::span<const Stop> stops() const noexcept { return stops_; }
  [[nodiscard]] const LineProof& line() const noexcept { return line_; }
  [[nodiscard]] const Witnesses& witnesses(const Site& site) const {
    return witnesses_[static_cast<std::size_t>(&site - sites_.data())];
  }
  [[nodiscard]] const Site& site_of(const Stop& stop) const { return sites_[stop.site]; }
  [[nodiscard]] bool is_public(const IpAddress& address) const noexcept;
  [[nodiscard]] Signs signs() const noexcept {
    return {knowledge_.fingerprints, measurement_.header.vantage.country};
  }

  // Every observation of kind `Step` of a host, or of a stop: visit(index, step).
  template <typename Step, typename Visit>
  void each(const Site& site, Visit visit) const {
    const auto wanted = static_cast<std::uint8_t>(&site - sites_.data());
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
      if (places_[i].site != wanted) continue;
      if (const auto* step = std::get_if<Step>(&measurement_.observations[i])) visit(i, *step);
    }
  }
  template <typename Step, typename Visit>
  void each(const Stop& stop, Visit visit) const {
    const auto wanted = static_cast<std::uint8_t>(&stop - stops_.data());
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
      if (places_[i].stop != wanted) continue;
      if (const auto* step = std::get_if<Step>(&measurement_.observations[i])) visit(i, *step);
    }
  }

 private:
  static constexpr std::uint8_t kNowhere = 255;
  struct Place {
    std::uint8_t site = kNowhere;
    std::uint8_t stop = kNowhere;
  };
  [[nodiscard]] std::uint8_t site_for(const StepContext& step);
  [[nodiscard]] std::uint8_t stop_for(const StepContext& step, std::uint8_t site, const Endpoint& endpoint);
  void place_all();
  void learn_addresses(std::span<const ControlView> controls);
  void learn_line();

  const Measurement& measurement_;
  const Knowledge& knowledge_;
  std::vector<Place> places_;
  std::vector<Site> sites_;
  std::vector<Witnesses> witnesses_;  // by site
  std::vector<Stop> stops_;
  LineProof line_;
};

// Which of the addresses that were tried may speak of the network behind the resolver.
enum class Standing : std::uint8_t {
  vouched,    // somebody other than the system resolver names it
  unopposed,  // nobody else names any address, and the system resolver is the network's
  claimed,    // only the system resolver names it: what fails there may be the answer's fault
};
[[nodiscard]] Standing standing_of(const Scene& scene, const Site& site, const IpAddress& address) noexcept;

// A step of the target's own path: not a pair, not a witness.
[[nodiscard]] constexpr bool is_own(StepRole role) noexcept {
  return role == StepRole::main || role == StepRole::retry || role == StepRole::trusted;
}

}  // namespace kua::verdict
