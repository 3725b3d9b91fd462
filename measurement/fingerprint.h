// What is known beforehand about how networks show that they block. Rules read it; it comes with the
// signed target list.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measurement/names.h"

namespace kua {

// A block page or forged answer that is known. Patterns are literal, never regular expressions.
struct Fingerprint {
  std::string name;
  enum class Where : std::uint8_t { body, title, header, location, dns_answer } where = Where::body;
  enum class Match : std::uint8_t { full, prefix, contains } match = Match::contains;
  std::string header;   // for Where::header, lower case
  std::string pattern;  // for Where::dns_answer an address, or a name in the chain of CNAMEs
  std::vector<CountryCode> countries;  // empty: valid everywhere
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

struct InterceptionRoot {
  std::string name;
  std::string spki_sha256;  // lower-case hex, or empty where only the subject is known
  std::string subject;      // RFC 2253 text that the chain's last issuer must equal
  friend bool operator==(const InterceptionRoot&, const InterceptionRoot&) = default;
};

}  // namespace kua
