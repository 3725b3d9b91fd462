// Addresses that a host's name spells. Networks send a visitor to names made for them alone
// ("203-0-113-7.login.isp.example"), and the name then stands in lookups, handshakes and URLs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "measurement/address.h"

namespace kua::probe {

// Whether an address may stand in a record.
using MayStay = std::function<bool(const IpAddress&)>;

enum class NameFrom : std::uint8_t {
  answer,    // a resolver's: looked at for numbers with separators
  visitor,   // where this visitor was sent: also for what may as well be a hash or a number, as "cb007107"
};

// `name` (a DomainName's text) with every spelling of an address that may not stay replaced by "scrubbed":
// numbers joined by dots, dashes or underscores in either order, also where letters touch them; nibbles; IPv6
// with dashes; eight hexadecimal digits, twelve decimal ones, one number. A DomainName's text again.
[[nodiscard]] std::string without_addresses(std::string_view name, const MayStay& may_stay, NameFrom from);
// What stands in place of a name of which nothing can be left.
inline constexpr std::string_view kScrubbedName = "scrubbed.invalid";

}  // namespace kua::probe
