// Web URLs in one normal form: what lists hold, what a request line and a Host header say, and
// where a redirect leads. Takes what browsers take of other people's spelling (spaces, letters
// outside ASCII, backslashes) and refuses the rest. Boost.URL and libidn2 stay inside
// target_url.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/names.h"

namespace kua::protocol {

inline constexpr std::size_t kUrlBytesMax = 8 * 1024;  // what servers and browsers take

enum class UrlScheme : std::uint8_t { http, https };
[[nodiscard]] const char* to_string(UrlScheme scheme) noexcept;
[[nodiscard]] std::uint16_t default_port(UrlScheme scheme) noexcept;

// Always in normal form: parse and resolve are the only ways to one.
struct TargetUrl {
  UrlScheme scheme = UrlScheme::https;
  std::string host;  // DomainName's text, or an address literal without brackets
  std::uint16_t port = 443;
  std::string path = "/";  // begins with '/'; percent-encoding as it was given
  std::string query;       // with its '?', or empty

  [[nodiscard]] std::string text() const;                  // "https://host[:port]/path?query"
  [[nodiscard]] std::string authority() const;             // for the Host header: no default port
  [[nodiscard]] std::string request_target() const;        // for the request line: path and query
  [[nodiscard]] std::optional<IpAddress> address() const;  // engaged when the host is a literal
  friend bool operator==(const TargetUrl&, const TargetUrl&) = default;
};

// An absolute http or https URL. Lower-case host, names outside ASCII as A-labels (UTS #46), no dot
// segments, no fragment. Errors: invalid_input for another scheme, user information, a host that is
// neither a DNS name nor an address ("0x7f.1" is neither), port 0; limit beyond kUrlBytesMax.
[[nodiscard]] Expected<TargetUrl> parse_target_url(std::string_view text);

// Where a Location header leads from `base` (RFC 9110 §10.2.2): `reference` may be relative. Errors
// as for parse_target_url.
[[nodiscard]] Expected<TargetUrl> resolve_reference(const TargetUrl& base,
                                                    std::string_view reference);

// "web:https://www.example.com/path". A target id is a label value and never holds a query: a URL
// that has one, and a text too long for an id, end in '#' and 8 hex digits of the URL's SHA-256.
// The digits depend on nothing but the URL, so an id never changes because another target joined
// the list.
[[nodiscard]] TargetId target_id_of(const TargetUrl& url);

}  // namespace kua::protocol
