// The ClientHello of a TCP stream (RFC 8446 §4.1.2), gathered from as many records and segments as
// it was spread over: splitting it is how clients slip past middleboxes, so a reader that wants
// whole records would be blind to just those.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/bytes.h"

namespace kua::wire {

enum class HelloPause : std::uint8_t {
  need_more,         // a beginning of a ClientHello; the rest has not come
  not_tls,           // the bytes are no TLS records
  not_client_hello,  // TLS, but another message
  malformed,         // a ClientHello whose lengths contradict each other
  too_large,         // beyond kClientHelloBytesMax or kClientHelloRecordsMax
};
[[nodiscard]] const char* to_string(HelloPause pause) noexcept;

struct ClientHello {
  std::uint16_t legacy_version = 0;
  std::array<std::uint8_t, 32> random{};
  Bytes session_id;  // at most 32 bytes
  std::vector<std::uint16_t> cipher_suites;
  std::vector<std::uint16_t> extensions;          // types in the order sent, GREASE included
  std::optional<std::string> server_name;         // bytes as sent; absent: no name was sent
  std::vector<std::string> alpn;                  // in order of preference
  std::vector<std::uint16_t> supported_versions;  // empty: the extension was not sent
  bool encrypted_client_hello = false;            // the outer hello of ECH, or GREASE for it
  std::size_t stream_bytes = 0;                   // of the stream, record headers included
  friend bool operator==(const ClientHello&, const ClientHello&) = default;
};

// `stream` holds the client's bytes from the connection's first on. Records that only partly
// arrived are waited for. An extension we know is decoded strictly; the inside of any other is not
// looked at.
[[nodiscard]] std::expected<ClientHello, HelloPause> decode_client_hello(BytesView stream);

// A TLS 1.3 hello fit to be answered, in one record: what a forwarder's own tests and a path trace
// send. Several calls with equal arguments give equal bytes; randomness comes from the caller.
struct ClientHelloRequest {
  std::optional<std::string> server_name;
  std::vector<std::string> alpn;  // each 1–255 bytes
  std::array<std::uint8_t, 32> random{};
  std::array<std::uint8_t, 32> session_id{};
  std::array<std::uint8_t, 32>
      x25519_share{};  // a public key, or random bytes where no reply is read
};
[[nodiscard]] Bytes encode_client_hello(const ClientHelloRequest& request);

}  // namespace kua::wire
