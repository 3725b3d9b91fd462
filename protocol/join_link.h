// kua://… — everything a volunteer needs to trust one operator, in one line of text that fits a QR
// code: endpoints, pins, list keys, the hash of the minimum list, the operator's name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"
#include "platform/crypto/crypto.h"

namespace kua::protocol {

struct CollectorEndpoint {
  std::string host;  // address literal or name to connect to
  std::uint16_t port = 443;
  std::string server_name;  // SNI to show; empty: none
  std::string socks5;       // "host:port", empty: direct
  friend bool operator==(const CollectorEndpoint&, const CollectorEndpoint&) = default;
};

struct JoinLink {
  std::string operator_name;
  std::vector<CollectorEndpoint> endpoints;    // in order of preference, 1–8
  std::vector<std::string> pins;               // base64url SHA-256 of SPKI, 1–8
  std::vector<platform::PublicKey> list_keys;  // 1–4
  std::string minimum_list_sha256;             // hex of the minimum list's envelope
  std::string invitation;                      // empty: none
  friend bool operator==(const JoinLink&, const JoinLink&) = default;
};

// "kua://HOST:PORT/join?n=NAME&e=HOST:PORT[,SERVER_NAME[,SOCKS5]]&p=PIN&k=LIST_KEY&m=SHA256&i=INVITATION",
// percent-encoded; e, p and k may repeat. The address at the front is the first `e` again, for
// people to see where a link leads. `link` must be complete.
[[nodiscard]] std::string write_join_link(const JoinLink& link);
// Space around the link is dropped and parameters of later versions are passed over. Errors:
// invalid_input naming the damaged or missing part, limit beyond 4096 bytes.
[[nodiscard]] Expected<JoinLink> read_join_link(std::string_view text);

}  // namespace kua::protocol
