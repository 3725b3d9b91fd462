// The client's side of SOCKS5 without authentication (RFC 1928), as bytes: what to send and what the
// proxy's answers mean. No sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "measurement/error.h"

namespace kua::probe {

inline constexpr std::string_view kSocksGreeting{"\x05\x01\x00", 3};  // one method: no authentication
inline constexpr std::size_t kSocksGreetingAnswerBytes = 2;
inline constexpr std::size_t kSocksReplyHeadBytes = 5;  // version, reply, reserved, type, first address byte

// CONNECT by name, so that the proxy resolves it; an address literal is sent as an address.
// `host` of at most 255 bytes.
[[nodiscard]] std::string socks_connect_request(const std::string& host, std::uint16_t port);
// Errors: unavailable with what the proxy said.
[[nodiscard]] Expected<void> check_socks_greeting(std::string_view answer);
// Of the first kSocksReplyHeadBytes: how many more bytes the reply has. Errors: unavailable.
[[nodiscard]] Expected<std::size_t> socks_reply_rest(std::string_view head);

}  // namespace kua::probe
