#include "probe/step/contact_guard.h"

#include <algorithm>
#include <array>

namespace kua::probe {
namespace {

bool lies_in(const IpAddress& address, std::span<const Prefix> blocks) {
  return std::ranges::any_of(blocks, [&](const Prefix& block) { return block.contains(address); });
}

}  // namespace

bool may_contact(const IpAddress& address, std::span<const Prefix> routable,
                 std::span<const Prefix> own_networks) {
  return is_public(address, routable) && !lies_in(address, own_networks);
}

std::optional<IpAddress> stand_in_for(const IpAddress& address, std::span<const Prefix> own_networks) {
  static const IpAddress kHome4 = *IpAddress::parse("192.168.0.0");
  static const IpAddress kHome6 = *IpAddress::parse("fd00::");
  if (is_home_address(address) || !lies_in(address, own_networks)) return std::nullopt;
  return address.family() == Family::ip4 ? kHome4 : kHome6;
}

bool is_home_address(const IpAddress& address) {
  static const std::array kBlocks = {
      *Prefix::parse("10.0.0.0/8"),     *Prefix::parse("172.16.0.0/12"), *Prefix::parse("192.168.0.0/16"),
      *Prefix::parse("169.254.0.0/16"), *Prefix::parse("127.0.0.0/8"),   *Prefix::parse("fc00::/7"),
      *Prefix::parse("fe80::/10"),      *Prefix::parse("::1/128")};
  return lies_in(address, kBlocks);
}

}  // namespace kua::probe
