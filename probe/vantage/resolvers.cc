#include "probe/vantage/resolvers.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>

#include "probe/step/contact_guard.h"

namespace kua::probe {
namespace {

constexpr std::size_t kResolversMax = 3;  // MAXNS of glibc
constexpr const char* kBehindSystemdStub = "/run/systemd/resolve/resolv.conf";
constexpr std::uint16_t kDnsPort = 53;

// Public resolvers that people choose for themselves, from their operators' own pages: Google,
// Cloudflare (also its family filters), Quad9, OpenDNS (also FamilyShield), AdGuard, Yandex (also its
// safe and family services), CleanBrowsing, Comodo, NextDNS, Control D, DNS.SB, Level3, Verisign.
constexpr std::array kPublicResolvers = {
    "8.8.8.0/24",         "8.8.4.0/24",         "1.1.1.0/24",        "1.0.0.0/24",
    "9.9.9.0/24",         "149.112.112.0/24",   "208.67.220.0/23",   "208.67.222.0/23",
    "94.140.14.0/24",     "94.140.15.0/24",     "77.88.8.0/24",      "185.228.168.0/23",
    "8.26.56.0/24",       "8.20.247.0/24",      "45.90.28.0/22",     "76.76.2.0/24",
    "76.76.10.0/24",      "185.222.222.0/24",   "45.11.45.0/24",     "4.2.2.0/24",
    "64.6.64.0/23",       "2001:4860:4860::/48", "2606:4700:4700::/48", "2620:fe::/48",
    "2620:119:35::/48",   "2620:119:53::/48",   "2a10:50c0::/32",    "2a02:6b8::feed:0/112",
    "2a0d:2a00:1::/48",   "2a0d:2a00:2::/48",   "2a07:a8c0::/32",    "2a07:a8c1::/32",
    "2606:1a40::/32"};

bool is_public_service(const IpAddress& address) {
  static const auto blocks = [] {
    std::vector<Prefix> out;
    for (const char* text : kPublicResolvers) out.push_back(*Prefix::parse(text));
    return out;
  }();
  return std::ranges::any_of(blocks, [&](const Prefix& block) { return block.contains(address); });
}

Expected<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorKind::not_found, "no such file, or not readable", "reading " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::vector<Endpoint> read_resolv_conf(std::string_view text) {
  std::vector<Endpoint> out;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line) && out.size() < kResolversMax;) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    if (!(words >> key >> value) || key != "nameserver") continue;
    const auto address = IpAddress::parse(std::string_view(value).substr(0, value.find('%')));
    if (address) out.push_back(Endpoint{*address, kDnsPort, Transport::udp});
  }
  return out;
}

Expected<std::vector<Endpoint>> load_system_resolvers(const std::string& resolv_conf) {
  const auto text = read_text(resolv_conf);
  if (!text) return std::unexpected(text.error());
  std::vector<Endpoint> resolvers = read_resolv_conf(*text);
  static const IpAddress kStub = *IpAddress::parse("127.0.0.53");
  if (resolvers.size() == 1 && resolvers.front().address == kStub) {
    if (const auto behind = read_text(kBehindSystemdStub)) {
      if (auto found = read_resolv_conf(*behind); !found.empty()) return found;
    }
  }
  return resolvers;
}

ResolverClass classify_resolvers(std::span<const Endpoint> resolvers, std::span<const IpAddress> trusted) {
  std::optional<ResolverClass> common;
  for (const Endpoint& resolver : resolvers) {
    const IpAddress& address = resolver.address;
    ResolverClass own = ResolverClass::network;
    if (is_home_address(address)) own = ResolverClass::unknown;
    if (is_public_service(address) || std::ranges::find(trusted, address) != trusted.end()) {
      own = ResolverClass::third_party;
    }
    if (common && *common != own) return ResolverClass::unknown;
    common = own;
  }
  return common.value_or(ResolverClass::unknown);
}

}  // namespace kua::probe
