#include "protocol/join_link.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "measurement/address.h"
#include "measurement/check.h"
#include "measurement/names.h"

namespace kua::protocol {
namespace {

constexpr std::string_view kDoing = "reading a join link";
constexpr std::string_view kScheme = "kua://";
constexpr std::string_view kPath = "/join";

constexpr std::size_t kLinkBytesMax =
    4096;  // a QR code holds 2,953 bytes; longer ones travel as text
constexpr std::size_t kEndpointsMax = 8;
constexpr std::size_t kPinsMax = 8;
constexpr std::size_t kListKeysMax = 4;
constexpr std::size_t kOperatorBytesMax = 200;
constexpr std::size_t kInvitationBytesMax = 200;

std::unexpected<Error> refused(std::string message) {
  return fail(ErrorKind::invalid_input, std::move(message), std::string(kDoing));
}

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~").contains(c);
}

// Also keeps what endpoints are made of readable: none of it means anything inside a query.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) || std::string_view(":,[]").contains(c)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      out += "%" + platform::to_hex(std::span(&byte, 1));
    }
  }
  return out;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '%') {
      out.push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    const auto byte = text.size() < 3 ? std::nullopt : platform::from_hex(text.substr(1, 2));
    if (!byte) return std::nullopt;
    out += *byte;
    text.remove_prefix(3);
  }
  return out;
}

bool is_host(const std::string& host) { return IpAddress::parse(host) || DomainName::parse(host); }

std::string host_and_port(const CollectorEndpoint& endpoint) {
  const bool literal6 = endpoint.host.contains(':');
  return (literal6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" +
         std::to_string(endpoint.port);
}

// "host:port" or "[address]:port".
bool take_host_and_port(std::string_view text, std::string& host, std::uint16_t& port) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  auto name = text.substr(0, colon);
  if (name.starts_with('[') != name.ends_with(']')) return false;
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  host = name;
  const auto digits = text.substr(colon + 1);
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return result.ec == std::errc() && result.ptr == digits.data() + digits.size() && port != 0 &&
         is_host(host);
}

bool is_socks5(std::string_view text) {
  std::string host;
  std::uint16_t port = 0;
  return take_host_and_port(text, host, port);
}

// "host:port[,server_name[,socks5]]"
std::string write_endpoint(const CollectorEndpoint& endpoint) {
  std::string out = host_and_port(endpoint);
  if (!endpoint.server_name.empty() || !endpoint.socks5.empty()) out += "," + endpoint.server_name;
  if (!endpoint.socks5.empty()) out += "," + endpoint.socks5;
  return out;
}

std::optional<CollectorEndpoint> read_endpoint(std::string_view text) {
  CollectorEndpoint endpoint;
  const auto comma = text.find(',');
  if (!take_host_and_port(text.substr(0, comma), endpoint.host, endpoint.port)) return std::nullopt;
  if (comma == std::string_view::npos) return endpoint;
  const auto options = text.substr(comma + 1);
  const auto second = options.find(',');
  endpoint.server_name = options.substr(0, second);
  if (!endpoint.server_name.empty() && !DomainName::parse(endpoint.server_name))
    return std::nullopt;
  if (second == std::string_view::npos) return endpoint;
  endpoint.socks5 = options.substr(second + 1);
  return is_socks5(endpoint.socks5) ? std::optional(endpoint) : std::nullopt;
}

// A name that a terminal or a page will show.
bool is_showable(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size()) &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool set_once(std::string& field, const std::string& value, std::size_t bytes_max) {
  if (!field.empty() || value.empty() || value.size() > bytes_max || !is_showable(value))
    return false;
  field = value;
  return true;
}

bool add_endpoint(const std::string& value, JoinLink& link) {
  const auto endpoint = read_endpoint(value);
  if (!endpoint || link.endpoints.size() >= kEndpointsMax) return false;
  link.endpoints.push_back(*endpoint);
  return true;
}

bool add_pin(const std::string& value, JoinLink& link) {
  const auto digest = platform::from_base64url(value);
  if (!digest || digest->size() != 32 || link.pins.size() >= kPinsMax) return false;
  link.pins.push_back(value);
  return true;
}

bool add_list_key(const std::string& value, JoinLink& link) {
  const auto key = platform::parse_public_key(value);
  if (!key || link.list_keys.size() >= kListKeysMax) return false;
  link.list_keys.push_back(*key);
  return true;
}

bool set_minimum_list(const std::string& value, JoinLink& link) {
  const auto digest = platform::from_hex(value);
  if (!digest || digest->size() != 32 || !link.minimum_list_sha256.empty()) return false;
  link.minimum_list_sha256 = value;
  std::ranges::transform(link.minimum_list_sha256, link.minimum_list_sha256.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return true;
}

// Parameters of later versions are passed over.
Expected<void> take_parameter(std::string_view parameter, JoinLink& link) {
  const auto equals = parameter.find('=');
  const auto name = parameter.substr(0, equals);
  const auto value = decoded(equals == std::string_view::npos ? "" : parameter.substr(equals + 1));
  bool good = value.has_value();
  if (good && name == "n") good = set_once(link.operator_name, *value, kOperatorBytesMax);
  if (good && name == "e") good = add_endpoint(*value, link);
  if (good && name == "p") good = add_pin(*value, link);
  if (good && name == "k") good = add_list_key(*value, link);
  if (good && name == "m") good = set_minimum_list(*value, link);
  if (good && name == "i") good = set_once(link.invitation, *value, kInvitationBytesMax);
  if (!good)
    return refused("the part '" + std::string(name.substr(0, 16)) +
                   "=' is damaged or given too often");
  return {};
}

Expected<void> check_complete(const JoinLink& link, std::string_view authority) {
  if (link.endpoints.empty()) return refused("the part 'e=' is missing: where the collector is");
  if (host_and_port(link.endpoints.front()) != authority) {
    return refused("the address at the front is not the first of the parts 'e='");
  }
  if (link.operator_name.empty())
    return refused("the part 'n=' is missing: who runs the collector");
  if (link.pins.empty()) return refused("the part 'p=' is missing: the collector's key");
  if (link.list_keys.empty()) return refused("the part 'k=' is missing: the key that signs lists");
  if (link.minimum_list_sha256.empty())
    return refused("the part 'm=' is missing: the minimum list");
  return {};
}

}  // namespace

std::string write_join_link(const JoinLink& link) {
  KUA_CHECK(!link.endpoints.empty());
  std::string out =
      std::string(kScheme) + host_and_port(link.endpoints.front()) + std::string(kPath);
  out += "?n=" + encoded(link.operator_name);
  for (const auto& endpoint : link.endpoints) out += "&e=" + encoded(write_endpoint(endpoint));
  for (const auto& pin : link.pins) out += "&p=" + encoded(pin);
  for (const auto& key : link.list_keys) out += "&k=" + platform::to_text(key);
  out += "&m=" + encoded(link.minimum_list_sha256);
  if (!link.invitation.empty()) out += "&i=" + encoded(link.invitation);
  return out;
}

Expected<JoinLink> read_join_link(std::string_view text) {
  while (!text.empty() && std::string_view(" \t\r\n").contains(text.front())) text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r\n").contains(text.back())) text.remove_suffix(1);
  if (text.size() > kLinkBytesMax) {
    return fail(ErrorKind::limit, "longer than " + std::to_string(kLinkBytesMax) + " bytes",
                std::string(kDoing));
  }
  if (!text.starts_with(kScheme)) return refused("a join link begins with kua://");
  text.remove_prefix(kScheme.size());
  const auto slash = std::min(text.find('/'), text.size());
  const auto authority = text.substr(0, slash);
  text.remove_prefix(slash);
  const std::string begin = std::string(kPath) + "?";
  if (!text.starts_with(begin)) return refused("'/join?' is missing after the address");
  text.remove_prefix(begin.size());

  JoinLink link;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    if (const auto taken = take_parameter(text.substr(0, end), link); !taken)
      return std::unexpected(taken.error());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (const auto complete = check_complete(link, authority); !complete)
    return std::unexpected(complete.error());
  return link;
}

}  // namespace kua::protocol
