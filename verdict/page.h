// What two answers to the same request have in common, and what a plain-text answer can be told by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/fingerprint.h"
#include "measurement/observation.h"
#include "measurement/record.h"

namespace kua::verdict {

// An HTTP answer as far as comparisons need it; kept of a control.
struct Page {
  std::uint16_t status = 0;  // 0: none came
  std::string title;
  std::string sha256;
  std::string server;              // value of the Server header
  std::string location_host;       // of a redirect, lower case; empty when there is none or it is relative
  std::uint64_t body_bytes = 0;
  bool truncated = false;
  bool unending = false;           // see is_unending
  std::vector<std::string> marks;  // names of headers that few servers send, lower case, sorted

  Page() = default;
  Page(const HttpRoundTrip& step, const LimitCounts& limits);
};

[[nodiscard]] std::string_view header_value(const HttpRoundTrip& step, std::string_view name) noexcept;

// The host of an absolute URL or of a scheme-relative one, as written; empty for anything else.
[[nodiscard]] std::string_view host_of_url(std::string_view url) noexcept;
[[nodiscard]] bool is_redirect(std::uint16_t status) noexcept;

[[nodiscard]] bool same_host(std::string_view a, std::string_view b) noexcept;  // ignoring case
// Two names that plausibly belong to one owner: same registrable part as far as labels tell, or the
// same owner's label under another suffix (example.com, example.kz).
[[nodiscard]] bool related_names(std::string_view a, std::string_view b) noexcept;

// The same page beyond reasonable doubt: same bytes, or same status, redirect and non-empty title.
[[nodiscard]] bool same_page(const HttpRoundTrip& here, const Page& there);
// Another title, and another length or kind of status.
[[nodiscard]] bool is_other_page(const HttpRoundTrip& here, const Page& there);
// Another page altogether: title, length and either status or server say so, and nothing speaks for a
// common origin. After OONI Web Connectivity's http-diff (ts-017), with the server's marks added since
// a site that answers countries differently is no blocking.
[[nodiscard]] bool differs_wholly(const HttpRoundTrip& here, const Page& there);

// The body had no end within what is read on request although nothing packs it and it states no length,
// or it unpacks beyond all measure. `limits` are those of its measurement.
[[nodiscard]] bool is_unending(const HttpRoundTrip& step, const LimitCounts& limits) noexcept;

// The fingerprints that a lookup goes through. Those of another country than the vantage's show up where a
// path leads through that country, and as chance finds: they need something to stand by them.
struct Signs {
  std::span<const Fingerprint> known;
  const CountryCode& country;
  [[nodiscard]] bool are_local(const Fingerprint& fingerprint) const;
};

// The first known sign of a blocker's page in the answer's own text (title, headers, body), in where it
// leads (Location), or an address; the vantage's own country first; nullptr when there is none.
[[nodiscard]] const Fingerprint* find_in_page(const Signs& signs, const HttpRoundTrip& step);
[[nodiscard]] const Fingerprint* find_in_location(const Signs& signs, const HttpRoundTrip& step);
[[nodiscard]] const Fingerprint* find_address(const Signs& signs, const IpAddress& address);
// By a name of the answer's chain of CNAMEs; the list holds names in lower case.
[[nodiscard]] const Fingerprint* find_cname(const Signs& signs, std::string_view cname);

}  // namespace kua::verdict
