#include "measurement/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "measurement/check.h"

namespace kua {
namespace {

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::span<const Prefix> special_blocks() {
  static const auto blocks = [] {
    // IANA IPv4 and IPv6 special-purpose address registries, "Globally reachable: False", and
    // multicast. Sorted as the registries are.
    constexpr std::array kTexts = {
        "0.0.0.0/8",       "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",
        "172.16.0.0/12",   "192.0.0.0/24",    "192.0.2.0/24",   "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24",  "224.0.0.0/4",    "240.0.0.0/4",   "::/128",
        "::1/128",         "::ffff:0:0/96",   "64:ff9b:1::/48", "100::/64",      "2001:2::/48",
        "2001:db8::/32",   "3fff::/20",       "fc00::/7",       "fe80::/10",     "ff00::/8"};
    std::vector<Prefix> out;
    for (const char* text : kTexts) out.push_back(*Prefix::parse(text));
    return out;
  }();
  return blocks;
}

// The IPv4 address that a translator's IPv6 address stands for (RFC 6052 §2.1).
std::optional<IpAddress> inside_nat64(const IpAddress& address) noexcept {
  static const Prefix well_known = *Prefix::parse("64:ff9b::/96");
  if (!well_known.contains(address)) return std::nullopt;
  return IpAddress::from_bytes(address.bytes().subspan(12));
}

}  // namespace

const char* to_string(Family family) noexcept { return family == Family::ip4 ? "ip4" : "ip6"; }
const char* to_string(Transport transport) noexcept {
  return transport == Transport::tcp ? "tcp" : "udp";
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  IpAddress out;
  if (::inet_pton(AF_INET, terminated.c_str(), out.bytes_.data()) == 1) return out;
  out.family_ = Family::ip6;
  out.bytes_ = {};
  if (::inet_pton(AF_INET6, terminated.c_str(), out.bytes_.data()) == 1) return out;
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress out;
  out.family_ = bytes.size() == 4 ? Family::ip4 : Family::ip6;
  std::ranges::copy(bytes, out.bytes_.begin());
  return out;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const int family = family_ == Family::ip4 ? AF_INET : AF_INET6;
  KUA_CHECK(::inet_ntop(family, bytes_.data(), buffer.data(), buffer.size()) != nullptr);
  return buffer.data();
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto length = parse_number<int>(text.substr(slash + 1));
  if (!address || !length || *length < 0 || *length > static_cast<int>(address->bytes().size()) * 8) {
    return std::nullopt;
  }
  const Prefix prefix = of(*address, *length);
  if (prefix.base() != *address) return std::nullopt;  // host bits set: more likely a slip than a wish
  return prefix;
}

Prefix Prefix::of(const IpAddress& address, int length) {
  KUA_CHECK(length >= 0 && length <= static_cast<int>(address.bytes().size()) * 8);
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(address.bytes(), bytes.begin());
  for (int bit = length; bit < static_cast<int>(address.bytes().size()) * 8; ++bit) {
    bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80 >> (bit % 8)));
  }
  return Prefix(*IpAddress::from_bytes(std::span(bytes).first(address.bytes().size())), length);
}

bool Prefix::contains(const IpAddress& address) const noexcept {
  if (address.family() != base_.family()) return false;
  const auto ours = base_.bytes();
  const auto theirs = address.bytes();
  const auto whole = static_cast<std::size_t>(length_ / 8);
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin())) {
    return false;
  }
  const int rest = length_ % 8;
  return rest == 0 || (ours[whole] ^ theirs[whole]) >> (8 - rest) == 0;
}

std::string Prefix::text() const { return base_.text() + "/" + std::to_string(length_); }

bool is_public(const IpAddress& address, std::span<const Prefix> routable) noexcept {
  const IpAddress meant = inside_nat64(address).value_or(address);
  return is_globally_routable(meant) ||
         std::ranges::any_of(routable, [&](const Prefix& block) { return block.contains(meant); });
}

bool is_globally_routable(const IpAddress& address) noexcept {
  if (const auto inner = inside_nat64(address)) return is_globally_routable(*inner);
  // Most addresses have a first octet that begins no special block at all.
  static const auto suspects = [] {
    std::array<std::array<bool, 256>, 2> out{};
    for (const Prefix& block : special_blocks()) {
      const bool six = block.base().family() == Family::ip6;
      const unsigned first = block.base().bytes()[0];
      const unsigned span = block.length() >= 8 ? 1U : 1U << (8 - block.length());
      for (unsigned octet = first; octet < first + span; ++octet) out[six ? 1 : 0][octet] = true;
    }
    return out;
  }();
  if (!suspects[address.family() == Family::ip6 ? 1 : 0][address.bytes()[0]]) return true;
  return std::ranges::none_of(special_blocks(),
                              [&](const Prefix& block) { return block.contains(address); });
}

std::string Endpoint::text() const {
  const bool six = address.family() == Family::ip6;
  return (six ? "[" : "") + address.text() + (six ? "]:" : ":") + std::to_string(port);
}

std::optional<Endpoint> Endpoint::parse(std::string_view text, Transport transport) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port || *port == 0 || (address->family() == Family::ip6) != bracketed) {
    return std::nullopt;
  }
  return Endpoint{*address, *port, transport};
}

}  // namespace kua
