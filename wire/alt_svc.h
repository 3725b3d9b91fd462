// The Alt-Svc header field (RFC 7838): where else a site says it can be had. Only HTTP/3 at the very same
// host is looked for; an alternative on another host would be a contact that nobody listed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kua::wire {

// The UDP port of the first "h3" alternative that names no host. nullopt: none, or not the field's grammar.
[[nodiscard]] std::optional<std::uint16_t> http3_port(std::string_view alt_svc) noexcept;

}  // namespace kua::wire
