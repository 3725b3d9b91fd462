#include "protocol/target_url.h"

#include <idn2.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"

namespace kua::protocol {
namespace {

namespace urls = boost::urls;

constexpr std::size_t kQuotedBytesMax = 120;  // of a foreign URL inside an error

std::unexpected<Error> refused(std::string_view url, std::string why,
                               ErrorKind kind = ErrorKind::invalid_input) {
  std::string quoted(url.substr(0, kQuotedBytesMax));
  std::ranges::replace_if(quoted, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return fail(kind, std::move(why),
              "reading URL '" + quoted + (url.size() > kQuotedBytesMax ? "…'" : "'"));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

// pchar, '/' and '?' of RFC 3986 §3.4.
bool stays_as_it_is(char c) {
  return is_digit(c) || is_alpha(c) || std::string_view("-._~!$&'()*+,;=:@/?").contains(c);
}

// Browsers send other people's URLs with what the grammar excludes percent-encoded, and so do we.
std::string encode_excluded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded =
        text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    if (encoded || stays_as_it_is(text[i])) {
      out.push_back(text[i]);
    } else {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(text[i]);
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

std::string decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
      out += *platform::from_hex(text.substr(i + 1, 2));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<std::string> to_a_label(const std::string& name) {
  if (is_ascii(name)) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
  }
  char* ascii = nullptr;
  if (idn2_to_ascii_8z(name.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) {
    return std::nullopt;
  }
  std::string out(ascii);
  idn2_free(ascii);
  return out;
}

// Some resolvers read "127.1" or "0x7f000001" as an address: a name whose last label is a number
// would be one thing here and another there.
bool ends_in_a_number(std::string_view name) {
  const auto dot = name.rfind('.');
  const auto last = dot == std::string_view::npos ? name : name.substr(dot + 1);
  return std::ranges::all_of(last, is_digit) ||
         (last.starts_with("0x") && std::ranges::all_of(last.substr(2), is_hex));
}

// The host in its normal form; nullopt when it is neither a name nor an address.
std::optional<std::string> normal_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto address = IpAddress::parse(host.substr(1, host.size() - 2));
    if (!address || address->family() != Family::ip6) return std::nullopt;
    return address->text();
  }
  const auto decoded = decode_percent(host);
  if (decoded.contains('\0')) return std::nullopt;
  auto name = to_a_label(decoded);
  if (!name) return std::nullopt;
  if (name->ends_with('.')) name->pop_back();
  if (const auto address = IpAddress::parse(*name); address && address->family() == Family::ip4)
    return name;
  if (!DomainName::parse(*name) || ends_in_a_number(*name)) return std::nullopt;
  return name;
}

std::string bracketed(const std::string& host) {
  return host.contains(':') ? "[" + host + "]" : host;
}

// "host:port" with the host in normal form.
Expected<std::string> normal_authority(std::string_view url, std::string_view authority) {
  if (authority.contains('@')) return refused(url, "user information in a URL is not allowed");
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const auto host = normal_host(authority.substr(0, has_port ? colon : std::string_view::npos));
  if (!host) return refused(url, "the host is neither a DNS name nor an address");
  const auto port = has_port ? authority.substr(colon + 1) : std::string_view();
  if (port.empty()) return bracketed(*host);
  if (!std::ranges::all_of(port, is_digit)) return refused(url, "the port is not a number");
  return bracketed(*host) + ":" + std::string(port);
}

// The length of "scheme:" at the front, or 0.
std::size_t scheme_length(std::string_view text) {
  if (text.empty() || !is_alpha(text.front())) return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':') return i + 1;
    if (!is_alpha(text[i]) && !is_digit(text[i]) && !std::string_view("+-.").contains(text[i]))
      break;
  }
  return 0;
}

// A reference as RFC 3986 wants it, from one as people and servers write it; without its fragment.
Expected<std::string> strict_reference(std::string_view url) {
  if (url.size() > kUrlBytesMax) {
    return refused(url, "longer than " + std::to_string(kUrlBytesMax) + " bytes", ErrorKind::limit);
  }
  auto rest = url;
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  while (rest.ends_with(' ')) rest.remove_suffix(1);
  if (std::ranges::any_of(rest, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return refused(url, "control characters are not allowed");
  }
  rest = rest.substr(0, rest.find('#'));
  const auto query_at = std::min(rest.find('?'), rest.size());
  const auto query = rest.substr(query_at);
  std::string before(rest.substr(0, query_at));
  std::ranges::replace(before, '\\', '/');  // as browsers do, except in a query

  std::string out = before.substr(0, scheme_length(before));
  std::string_view path = std::string_view(before).substr(out.size());
  if (path.starts_with("//")) {
    const auto authority = path.substr(2, path.find('/', 2) - 2);
    const auto normal = normal_authority(url, authority);
    if (!normal) return std::unexpected(normal.error());
    out += "//" + *normal;
    path.remove_prefix(2 + authority.size());
  }
  return out + encode_excluded(path) + encode_excluded(query);
}

std::string_view plain(urls::string_view text) { return {text.data(), text.size()}; }

// RFC 3986 §5.2.4. Boost's resolver would also rewrite percent-encodings, and keep a ".." that has
// nothing left to remove; both would ask a server for something else than a browser does.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const auto segment = path.substr(0, end);  // with its leading slash
    path.remove_prefix(end);
    if (segment == "/.." || segment == "/.") {
      if (segment == "/..") out.resize(std::min(out.size(), out.rfind('/')));
      if (path.empty()) out.push_back('/');
    } else {
      out += segment;
    }
  }
  return out;
}

Expected<UrlScheme> web_scheme(std::string_view url, const urls::url_view& view) {
  if (view.scheme_id() == urls::scheme::http) return UrlScheme::http;
  if (view.scheme_id() == urls::scheme::https) return UrlScheme::https;
  return refused(url, "only http and https are allowed");
}

// Scheme, host and port of a view that has an authority.
Expected<TargetUrl> origin_of(std::string_view url, const urls::url_view& view, UrlScheme scheme) {
  TargetUrl out;
  out.scheme = scheme;
  out.host = plain(view.encoded_host_address());
  if (out.host.empty()) return refused(url, "there is no host");
  out.port = default_port(scheme);
  if (view.has_port() && !view.port().empty()) {
    out.port = view.port_number();  // 0 also for what does not fit 16 bits
    if (out.port == 0) return refused(url, "the port is outside 1 to 65535");
  }
  return out;
}

std::string query_of(const urls::url_view& view) {
  return view.has_query() ? "?" + std::string(plain(view.encoded_query())) : std::string();
}

// RFC 3986 §5.2.2 for a reference without scheme and authority.
TargetUrl relative_to(const TargetUrl& base, const urls::url_view& view) {
  TargetUrl out = base;
  const auto path = plain(view.encoded_path());
  if (path.empty()) {
    if (view.has_query()) out.query = query_of(view);
    return out;
  }
  const auto merged = path.starts_with('/')
                          ? std::string(path)
                          : base.path.substr(0, base.path.rfind('/') + 1) + std::string(path);
  out.path = without_dot_segments(merged);
  out.query = query_of(view);
  return out;
}

// `base` is null where only an absolute URL will do.
Expected<TargetUrl> read_reference(const TargetUrl* base, std::string_view text) {
  const auto strict = strict_reference(text);
  if (!strict) return std::unexpected(strict.error());
  const auto view = urls::parse_uri_reference(*strict);
  if (!view) return refused(text, "not a URL: " + view.error().message());
  if (!view->has_scheme() && base == nullptr) {
    return refused(text, "not an absolute URL: http:// or https:// is missing");
  }
  if (!view->has_scheme() && !view->has_authority()) return relative_to(*base, *view);
  const auto scheme =
      view->has_scheme() ? web_scheme(text, *view) : Expected<UrlScheme>(base->scheme);
  if (!scheme) return std::unexpected(scheme.error());
  if (!view->has_authority()) return refused(text, "there is no host");
  auto out = origin_of(text, *view, *scheme);
  if (!out) return out;
  out->path = without_dot_segments(plain(view->encoded_path()));
  if (out->path.empty()) out->path = "/";
  out->query = query_of(*view);
  return out;
}

}  // namespace

const char* to_string(UrlScheme scheme) noexcept {
  switch (scheme) {
    case UrlScheme::http:
      return "http";
    case UrlScheme::https:
      return "https";
  }
  return "";
}

std::uint16_t default_port(UrlScheme scheme) noexcept {
  return scheme == UrlScheme::http ? 80 : 443;
}

std::string TargetUrl::authority() const {
  return port == default_port(scheme) ? bracketed(host)
                                      : bracketed(host) + ":" + std::to_string(port);
}
std::string TargetUrl::request_target() const { return path + query; }
std::string TargetUrl::text() const {
  return std::string(to_string(scheme)) + "://" + authority() + request_target();
}
std::optional<IpAddress> TargetUrl::address() const { return IpAddress::parse(host); }

Expected<TargetUrl> parse_target_url(std::string_view text) {
  return read_reference(nullptr, text);
}

Expected<TargetUrl> resolve_reference(const TargetUrl& base, std::string_view reference) {
  return read_reference(&base, reference);
}

TargetId target_id_of(const TargetUrl& url) {
  constexpr std::size_t kIdBytesMax = 200;  // names.h
  constexpr std::size_t kSuffixBytes = 9;
  std::string id = "web:" + std::string(to_string(url.scheme)) + "://" + url.authority();
  for (const char c : url.path) id += c == '\'' ? "%27" : std::string(1, c);
  if (!url.query.empty() || id.size() > kIdBytesMax) {
    const auto digest = platform::sha256(url.text());
    id.resize(std::min(id.size(), kIdBytesMax - kSuffixBytes));
    id += "#" + platform::to_hex(std::span(digest).first(4));
  }
  const auto checked = TargetId::parse(id);
  // A host of 253 characters still leaves "web:https://" and the suffix no room for a bad
  // character.
  KUA_CHECK(checked.has_value());
  return *checked;
}

}  // namespace kua::protocol
