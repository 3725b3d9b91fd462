// The server name in a QUIC client's first packets. Initial packets are encrypted with keys that
// anybody on the path can derive from the connection id (RFC 9001 §5.2), which is what boxes that
// filter QUIC by name do. Versions 1 and 2 (RFC 9369).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "wire/bytes.h"

namespace kua::lab {

// Decrypts every client Initial of a datagram and adds its CRYPTO data to `crypto`, by offset. Returns
// the server name once the ClientHello is whole ("" when it carries none), else nullopt.
[[nodiscard]] std::optional<std::string> quic_server_name(wire::BytesView datagram,
                                                          std::map<std::uint64_t, wire::Bytes>& crypto);

}  // namespace kua::lab
