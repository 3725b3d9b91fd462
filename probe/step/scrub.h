// Keeps the probe's addresses out of records. What servers and block pages send back may say who asked:
// in headers, in a page ("your address is …"), in a redirect's query or in the very name it leads to. A probe
// behind NAT does not know its public address, so every address literal goes that this measurement did not
// itself ask for, and whatever may spell one in a name that only this visitor was sent to.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/fingerprint.h"
#include "measurement/observation.h"
#include "probe/step/scrub_name.h"

namespace kua::probe {

inline constexpr std::string_view kScrubbed = "[scrubbed]";

// Whether an address literal stands in `text` that is not everybody's (loopback, unspecified).
[[nodiscard]] bool holds_address(std::string_view text);

class Scrubber {
 public:
  // `own`: addresses known to be the probe's; removed in every spelling known here (dotted, reversed,
  // dashed, hexadecimal, decimal, IPv6 compressed, full and as nibbles), in any case. `asked`: addresses
  // that were contacted or stood in answers; they stay unless they are own.
  Scrubber(std::span<const IpAddress> own, std::span<const IpAddress> asked);
  // What is known beforehand tells nothing of this visit: addresses and names in `text` stay too.
  void keep(std::string_view text);
  // The patterns: block pages are known by the addresses in them.
  void keep_patterns(std::span<const Fingerprint> fingerprints);

  [[nodiscard]] std::string scrub(std::string_view text) const;
  // A host's name or an address, as a record holds one.
  [[nodiscard]] std::string scrub_name(std::string_view name, NameFrom from) const;

  // Notes the names of an observation that must go. Before any is scrubbed, so that no text says them.
  void learn_names(const Observation& observation);
  [[nodiscard]] std::size_t names_replaced() const noexcept { return replaced_.size(); }
  // All of an observation that came from outside.
  void scrub(Observation& observation) const;

 private:
  [[nodiscard]] std::string scrubbed_once(std::string_view whole) const;
  [[nodiscard]] std::string without_own(std::string text) const;
  [[nodiscard]] bool may_stay(const IpAddress& address) const;
  [[nodiscard]] bool is_kept(std::string_view name) const;
  [[nodiscard]] std::string header_value(std::string_view name, std::string_view value) const;
  [[nodiscard]] std::string scrub_url(std::string_view url) const;
  [[nodiscard]] std::string certificate_name(std::string_view name) const;
  [[nodiscard]] bool holds_own(std::string_view bytes) const;
  // Whether a certificate's alternative names hold an address that may not stay.
  [[nodiscard]] bool names_visitor(std::string_view der) const;
  void learn_name(std::string_view name, NameFrom from);
  void learn_lookup(const Lookup& lookup);
  void learn_round_trip(const HttpRoundTrip& round_trip);
  void scrub_lookup(Lookup& lookup) const;
  void scrub_round_trip(HttpRoundTrip& round_trip) const;
  template <typename Handshake>
  void scrub_handshake(Handshake& handshake) const;

  std::set<IpAddress> own_;
  std::set<IpAddress> asked_;
  std::vector<std::string> own_spellings_;  // lower case
  std::vector<std::string> kept_;           // names, and patterns that may hold some; lower case
  std::map<std::string, std::string> replaced_;  // names that must go, and what stands in their place
};

}  // namespace kua::probe
