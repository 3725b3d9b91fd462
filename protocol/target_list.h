// The signed target list: what probes may contact, nothing else. Signed offline with a list key
// that never touches the collector; the collector only hands the envelope on.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/fingerprint.h"
#include "measurement/names.h"
#include "measurement/target.h"
#include "measurement/time.h"
#include "platform/crypto/crypto.h"

namespace kua::protocol {

struct TargetList {
  std::uint64_t serial = 0;  // an older serial is refused
  WallTime issued;
  WallTime expires;  // at most 14 days after `issued`
  std::optional<CountryCode> country;
  std::vector<Target> targets;
  std::vector<Endpoint> witnesses;      // addresses known to answer TLS for any name (X)
  std::vector<IpAddress> no_resolvers;  // addresses that run no resolver
  struct TrustedResolver {
    std::string name;
    std::string doh_url;               // empty: none
    std::vector<IpAddress> addresses;  // where the DoH host or the UDP resolver is
    bool udp = false;
    friend bool operator==(const TrustedResolver&, const TrustedResolver&) = default;
  };
  std::vector<TrustedResolver> trusted_resolvers;
  std::string harmless_name;  // SNI and Host for S
  std::vector<Fingerprint> fingerprints;
  std::vector<InterceptionRoot> interception_roots;
  std::vector<Prefix> routable;  // blocks to be treated as public: the lab's, empty elsewhere
  friend bool operator==(const TargetList&, const TargetList&) = default;
};

// Bytes of a list's JSON; a list for a country with all fingerprints in use is a quarter of it. The
// envelope is a third longer.
inline constexpr std::size_t kTargetListBytesMax = 2 * 1024 * 1024;
inline constexpr std::size_t kTargetListEnvelopeBytesMax = kTargetListBytesMax / 3 * 4 + 4096;
inline constexpr std::chrono::days kTargetListLifeMax{14};

// Canonical JSON: members in one order, no spaces; equal lists give equal bytes.
[[nodiscard]] std::string write_target_list(const TargetList& list);
// Errors: invalid_input naming the member at fault, limit.
[[nodiscard]] Expected<TargetList> read_target_list(std::string_view json);

// {"format":"kua/1 list","key":base64url,"signature":base64,"list":base64 of the list's bytes}. The
// signature covers "kua/1 list\n" and the list's bytes. Errors: invalid_input and limit for a list
// that no probe would take, expiry later than kTargetListLifeMax after its issue among them.
[[nodiscard]] Expected<std::string> sign_target_list(const TargetList& list,
                                                     const platform::SigningKey& key);
// Verifies against any of `keys`, then reads, then looks at expiry against `now` and at the serial.
// `serial_min`: the last serial seen. Errors: permission (no known key signed it, or the serial is
// older), unavailable (expired), invalid_input, limit.
[[nodiscard]] Expected<TargetList> open_target_list(std::string_view envelope,
                                                    const std::vector<platform::PublicKey>& keys,
                                                    WallTime now, std::uint64_t serial_min);

// Citizen Lab's columns: url,category_code,category_description,date_added,source,notes. Further
// columns of ours: tier,scope,country,service,endpoints,rule (config/targets/README.md). RFC 4180;
// a byte order mark and LF line ends are taken too. Ids are target_id_of(url), or "service:" and
// the name. Of two rows that differ only in their category the first counts; two rows of one id
// that differ otherwise are an error. Errors: invalid_input and limit, with name:line:column.
[[nodiscard]] Expected<std::vector<Target>> read_targets_csv(std::string_view text,
                                                             const std::string& name);
[[nodiscard]] std::string write_targets_csv(const std::vector<Target>& targets);

// Rows of a table of known signs that must not accuse a network, by why they were left out.
struct SkippedSigns {
  std::size_t regular_expression = 0;  // matched by nothing of ours
  std::size_t scope = 0;  // not `nat`, `isp` or `prod`: false positives, vague words, one institution
  std::size_t confidence = 0;  // below 5: the authors themselves expect ordinary pages to match
  [[nodiscard]] std::size_t sum() const noexcept { return regular_expression + scope + confidence; }
  friend bool operator==(const SkippedSigns&, const SkippedSigns&) = default;
};
// OONI/Censored Planet column names: name,scope,other_names,location_found,pattern_type,pattern,
// confidence_no_fp,expected_countries,source,exp_url,notes. What is skipped is added to `skipped`.
// Errors as above.
[[nodiscard]] Expected<std::vector<Fingerprint>> read_fingerprints_csv(std::string_view text,
                                                                       const std::string& name,
                                                                       SkippedSigns& skipped);
// name,spki_sha256,subject,countries,source,notes (config/fingerprints/README.md). Errors as above.
[[nodiscard]] Expected<std::vector<InterceptionRoot>> read_interception_roots_csv(
    std::string_view text, const std::string& name);

}  // namespace kua::protocol
