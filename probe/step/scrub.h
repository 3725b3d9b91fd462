// Keeps the probe's addresses out of records. What servers and block pages send back may say who asked:
// in headers, in a page ("your address is …"), in a redirect's query. A probe behind NAT does not know
// its public address, so every address literal goes that this measurement did not itself ask for.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/fingerprint.h"
#include "measurement/observation.h"

namespace kua::probe {

inline constexpr std::string_view kScrubbed = "[scrubbed]";

class Scrubber {
 public:
  // `own`: addresses known to be the probe's; removed in every spelling known here (dotted, reversed,
  // dashed, hexadecimal, decimal, IPv6 compressed, full and as nibbles), in any case. `asked`: addresses
  // that were contacted or stood in answers; they stay unless they are own.
  Scrubber(std::span<const IpAddress> own, std::span<const IpAddress> asked);
  // Addresses that patterns are written with stay too: block pages are known by them.
  void keep_patterns(std::span<const Fingerprint> fingerprints);

  [[nodiscard]] std::string scrub(std::string_view text) const;
  // All text of an observation that came from outside.
  void scrub(Observation& observation) const;

 private:
  [[nodiscard]] std::string scrubbed_once(std::string_view whole) const;
  [[nodiscard]] std::string without_own(std::string text) const;
  [[nodiscard]] bool may_stay(const IpAddress& address) const;
  [[nodiscard]] std::string header_value(std::string_view name, std::string_view value) const;

  std::set<IpAddress> own_;
  std::set<IpAddress> asked_;
  std::vector<std::string> own_spellings_;  // lower case
};

}  // namespace kua::probe
