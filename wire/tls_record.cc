#include "wire/tls_record.h"

#include "wire/limits.h"

namespace kua::wire {

const char* to_string(TlsPause pause) noexcept {
  switch (pause) {
    case TlsPause::need_more:
      return "need_more";
    case TlsPause::not_tls:
      return "not_tls";
  }
  return "not_tls";
}

std::expected<TlsRecord, TlsPause> decode_tls_record(BytesView stream) noexcept {
  ByteReader reader(stream);
  TlsRecord out;
  out.content_type = reader.u8();
  if (reader.failed()) return std::unexpected(TlsPause::need_more);
  if (out.content_type < kTlsChangeCipherSpec || out.content_type > kTlsApplicationData) {
    return std::unexpected(TlsPause::not_tls);
  }
  if (reader.remaining() >= 1 && reader.rest()[0] != 3) return std::unexpected(TlsPause::not_tls);
  if (reader.remaining() >= 2 && reader.rest()[1] > 4) return std::unexpected(TlsPause::not_tls);
  out.version = reader.u16();
  const std::size_t length = reader.u16();
  if (reader.failed()) return std::unexpected(TlsPause::need_more);
  // RFC 8446 §5.1: zero-length fragments are for application data only.
  const bool empty = length == 0 && out.content_type != kTlsApplicationData;
  if (length > kTlsFragmentBytesMax || empty) return std::unexpected(TlsPause::not_tls);
  out.fragment = reader.take(length);
  if (reader.failed()) return std::unexpected(TlsPause::need_more);
  return out;
}

std::optional<TlsAlert> decode_tls_alert(const TlsRecord& record) noexcept {
  if (record.content_type != kTlsAlert || record.fragment.size() != 2) return std::nullopt;
  const TlsAlert alert{record.fragment[0], record.fragment[1]};
  if (alert.level != kTlsAlertWarning && alert.level != kTlsAlertFatal) return std::nullopt;
  return alert;
}

std::array<std::uint8_t, 7> encode_tls_alert(TlsAlert alert, std::uint16_t version) noexcept {
  return {kTlsAlert,
          static_cast<std::uint8_t>(version >> 8),
          static_cast<std::uint8_t>(version),
          0,
          2,
          alert.level,
          alert.description};
}

}  // namespace kua::wire
