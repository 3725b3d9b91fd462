// TLS records as they stand in a TCP stream (RFC 8446 §5.1), and the alerts among them that are not
// encrypted. Works on a buffer that grows: "more bytes are needed" is told apart from "this is not
// TLS", because a path that cuts a stream and a path that answers with something else are two
// findings.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "wire/bytes.h"

namespace kua::wire {

inline constexpr std::size_t kTlsRecordHeaderBytes = 5;

// Content types of RFC 8446 §5.1.
inline constexpr std::uint8_t kTlsChangeCipherSpec = 20;
inline constexpr std::uint8_t kTlsAlert = 21;
inline constexpr std::uint8_t kTlsHandshake = 22;
inline constexpr std::uint8_t kTlsApplicationData = 23;

inline constexpr std::uint16_t kTls10 = 0x0301;
inline constexpr std::uint16_t kTls12 = 0x0303;
inline constexpr std::uint16_t kTls13 = 0x0304;

enum class TlsPause : std::uint8_t {
  need_more,  // a beginning of TLS
  not_tls,
};
[[nodiscard]] const char* to_string(TlsPause pause) noexcept;

struct TlsRecord {
  std::uint8_t content_type = 0;
  std::uint16_t version = 0;  // legacy_record_version; 0x0300–0x0304 are taken
  BytesView fragment;         // empty only for application data

  [[nodiscard]] std::size_t bytes() const noexcept {
    return kTlsRecordHeaderBytes + fragment.size();
  }
};

// The record at the beginning of `stream`; what follows it is left alone. As soon as the bytes
// there are excludes TLS the answer is not_tls, from the first byte on.
[[nodiscard]] std::expected<TlsRecord, TlsPause> decode_tls_record(BytesView stream) noexcept;
// A view of bytes that die at the end of the expression is no view.
std::expected<TlsRecord, TlsPause> decode_tls_record(Bytes&&) = delete;

// RFC 8446 §6.
inline constexpr std::uint8_t kTlsAlertWarning = 1;
inline constexpr std::uint8_t kTlsAlertFatal = 2;
inline constexpr std::uint8_t kTlsCloseNotify = 0;
inline constexpr std::uint8_t kTlsHandshakeFailure = 40;
inline constexpr std::uint8_t kTlsUnrecognizedName = 112;

struct TlsAlert {
  std::uint8_t level = kTlsAlertFatal;
  std::uint8_t description = kTlsHandshakeFailure;
  friend bool operator==(const TlsAlert&, const TlsAlert&) = default;
};

// nullopt for a record that is no alert, and for one that is encrypted (its fragment is longer).
[[nodiscard]] std::optional<TlsAlert> decode_tls_alert(const TlsRecord& record) noexcept;
// A whole record that holds one alert in the clear.
[[nodiscard]] std::array<std::uint8_t, 7> encode_tls_alert(TlsAlert alert,
                                                           std::uint16_t version = kTls12) noexcept;

}  // namespace kua::wire
