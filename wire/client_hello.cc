#include "wire/client_hello.h"

#include <algorithm>

#include "measurement/check.h"
#include "wire/limits.h"
#include "wire/tls_record.h"

namespace kua::wire {
namespace {

constexpr std::uint8_t kClientHelloType = 1;
constexpr std::size_t kHandshakeHeaderBytes = 4;

// Extension types of the IANA registry.
constexpr std::uint16_t kServerName = 0;
constexpr std::uint16_t kSupportedGroups = 10;
constexpr std::uint16_t kSignatureAlgorithms = 13;
constexpr std::uint16_t kAlpn = 16;
constexpr std::uint16_t kSupportedVersions = 43;
constexpr std::uint16_t kKeyShare = 51;
constexpr std::uint16_t kEncryptedClientHello = 0xfe0d;
constexpr std::uint16_t kX25519 = 0x001d;
constexpr std::uint8_t kHostNameType = 0;

struct Gathered {
  Bytes message;  // behind the handshake header
  std::size_t stream_bytes = 0;
};

// Joins handshake fragments until the message that begins with the first one is whole.
std::expected<Gathered, HelloPause> gather(BytesView stream) {
  Bytes handshake;
  std::size_t at = 0;
  for (std::size_t records = 0; records < kClientHelloRecordsMax; ++records) {
    const auto record = decode_tls_record(stream.subspan(at));
    if (!record) {
      const bool wait = record.error() == TlsPause::need_more;
      // The record's own type says already what it will not be.
      if (wait && at < stream.size() && stream[at] != kTlsHandshake) {
        return std::unexpected(HelloPause::not_client_hello);
      }
      return std::unexpected(wait ? HelloPause::need_more : HelloPause::not_tls);
    }
    if (record->content_type != kTlsHandshake) return std::unexpected(HelloPause::not_client_hello);
    at += record->bytes();
    put_bytes(handshake, record->fragment);
    if (handshake[0] != kClientHelloType) return std::unexpected(HelloPause::not_client_hello);
    if (handshake.size() < kHandshakeHeaderBytes) continue;
    const std::size_t length = static_cast<std::size_t>(handshake[1]) << 16 |
                               static_cast<std::size_t>(handshake[2]) << 8 | handshake[3];
    if (length > kClientHelloBytesMax) return std::unexpected(HelloPause::too_large);
    if (handshake.size() < kHandshakeHeaderBytes + length) continue;
    Gathered out;
    out.message.assign(
        handshake.begin() + kHandshakeHeaderBytes,
        handshake.begin() + static_cast<std::ptrdiff_t>(kHandshakeHeaderBytes + length));
    out.stream_bytes = at;
    return out;
  }
  return std::unexpected(HelloPause::too_large);
}

std::vector<std::uint16_t> read_u16_list(ByteReader reader, bool& well_formed) {
  std::vector<std::uint16_t> out;
  if (reader.remaining() % 2 != 0) well_formed = false;
  while (reader.remaining() >= 2) out.push_back(reader.u16());
  return out;
}

// RFC 6066 §3: a list with one host_name; lists with other name types are passed over.
bool read_server_name(BytesView data, ClientHello& out) {
  ByteReader outer(data);
  ByteReader list(outer.take(outer.u16()));
  if (outer.failed() || outer.remaining() > 0) return false;
  while (list.remaining() > 0) {
    const std::uint8_t type = list.u8();
    const BytesView name = list.take(list.u16());
    if (list.failed()) return false;
    if (type == kHostNameType && !out.server_name) out.server_name = std::string(as_text(name));
  }
  return true;
}

bool read_alpn(BytesView data, ClientHello& out) {
  ByteReader outer(data);
  ByteReader list(outer.take(outer.u16()));
  if (outer.failed() || outer.remaining() > 0) return false;
  while (list.remaining() > 0) {
    const BytesView protocol = list.take(list.u8());
    if (list.failed() || protocol.empty()) return false;
    out.alpn.emplace_back(as_text(protocol));
  }
  return true;
}

bool read_supported_versions(BytesView data, ClientHello& out) {
  ByteReader outer(data);
  const BytesView list = outer.take(outer.u8());
  if (outer.failed() || outer.remaining() > 0) return false;
  bool well_formed = true;
  out.supported_versions = read_u16_list(ByteReader(list), well_formed);
  return well_formed;
}

bool read_extension(std::uint16_t type, BytesView data, ClientHello& out) {
  out.extensions.push_back(type);
  if (type == kServerName) return read_server_name(data, out);
  if (type == kAlpn) return read_alpn(data, out);
  if (type == kSupportedVersions) return read_supported_versions(data, out);
  if (type == kEncryptedClientHello) out.encrypted_client_hello = true;
  return true;
}

bool read_message(BytesView message, ClientHello& out) {
  ByteReader reader(message);
  out.legacy_version = reader.u16();
  std::ranges::copy(reader.take(out.random.size()), out.random.begin());
  const BytesView session_id = reader.take(reader.u8());
  out.session_id.assign(session_id.begin(), session_id.end());
  bool well_formed = session_id.size() <= 32;
  out.cipher_suites = read_u16_list(ByteReader(reader.take(reader.u16())), well_formed);
  const BytesView compression = reader.take(reader.u8());
  if (reader.failed() || compression.empty() || !well_formed) return false;
  if (reader.remaining() == 0) return true;  // a hello without extensions, as before TLS 1.2
  ByteReader extensions(reader.take(reader.u16()));
  if (reader.failed() || reader.remaining() > 0) return false;
  while (extensions.remaining() > 0) {
    const std::uint16_t type = extensions.u16();
    const BytesView data = extensions.take(extensions.u16());
    if (extensions.failed() || !read_extension(type, data, out)) return false;
  }
  return true;
}

// A vector behind its length of two octets.
void put_sized_u16(Bytes& out, BytesView bytes) {
  KUA_CHECK(bytes.size() <= 0xffff);
  put_u16(out, static_cast<std::uint16_t>(bytes.size()));
  put_bytes(out, bytes);
}

void put_extension(Bytes& out, std::uint16_t type, BytesView data) {
  put_u16(out, type);
  put_sized_u16(out, data);
}

Bytes server_name_data(std::string_view name) {
  Bytes entry;
  put_u8(entry, kHostNameType);
  put_sized_u16(entry, as_bytes(name));
  Bytes out;
  put_sized_u16(out, entry);
  return out;
}

Bytes alpn_data(const std::vector<std::string>& protocols) {
  Bytes list;
  for (const auto& protocol : protocols) {
    KUA_CHECK(!protocol.empty() && protocol.size() <= 0xff);
    put_u8(list, static_cast<std::uint8_t>(protocol.size()));
    put_bytes(list, as_bytes(protocol));
  }
  Bytes out;
  put_sized_u16(out, list);
  return out;
}

Bytes key_share_data(BytesView x25519_share) {
  Bytes entry;
  put_u16(entry, kX25519);
  put_sized_u16(entry, x25519_share);
  Bytes out;
  put_sized_u16(out, entry);
  return out;
}

Bytes extensions_of(const ClientHelloRequest& request) {
  // Lists with their own length in front. Signature schemes: ECDSA and RSA-PSS and PKCS#1 with
  // SHA-256 and SHA-384 (RFC 8446 §4.2.3); versions: 1.3 and 1.2.
  constexpr std::array<std::uint8_t, 4> kGroups = {0, 2, 0x00, 0x1d};
  constexpr std::array<std::uint8_t, 14> kSignatures = {0,    12,   0x04, 0x03, 0x08, 0x04, 0x04,
                                                        0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01};
  constexpr std::array<std::uint8_t, 5> kVersions = {4, 0x03, 0x04, 0x03, 0x03};
  Bytes out;
  if (request.server_name) put_extension(out, kServerName, server_name_data(*request.server_name));
  put_extension(out, kSupportedGroups, kGroups);
  put_extension(out, kSignatureAlgorithms, kSignatures);
  if (!request.alpn.empty()) put_extension(out, kAlpn, alpn_data(request.alpn));
  put_extension(out, kSupportedVersions, kVersions);
  put_extension(out, kKeyShare, key_share_data(request.x25519_share));
  return out;
}

}  // namespace

const char* to_string(HelloPause pause) noexcept {
  switch (pause) {
    case HelloPause::need_more:
      return "need_more";
    case HelloPause::not_tls:
      return "not_tls";
    case HelloPause::not_client_hello:
      return "not_client_hello";
    case HelloPause::malformed:
      return "malformed";
    case HelloPause::too_large:
      return "too_large";
  }
  return "malformed";
}

std::expected<ClientHello, HelloPause> decode_client_hello(BytesView stream) {
  const auto gathered = gather(stream);
  if (!gathered) return std::unexpected(gathered.error());
  ClientHello out;
  out.stream_bytes = gathered->stream_bytes;
  if (!read_message(gathered->message, out)) return std::unexpected(HelloPause::malformed);
  return out;
}

Bytes encode_client_hello(const ClientHelloRequest& request) {
  // TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, and for TLS 1.2
  // the ECDHE suites with the same ciphers.
  constexpr std::array<std::uint8_t, 14> kCipherSuites = {0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0,
                                                          0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30};
  Bytes body;
  put_u16(body, kTls12);
  put_bytes(body, request.random);
  put_u8(body, static_cast<std::uint8_t>(request.session_id.size()));
  put_bytes(body, request.session_id);
  put_sized_u16(body, kCipherSuites);
  put_u8(body, 1);
  put_u8(body, 0);  // no compression
  put_sized_u16(body, extensions_of(request));
  Bytes handshake;
  put_u8(handshake, kClientHelloType);
  put_u24(handshake, static_cast<std::uint32_t>(body.size()));
  put_bytes(handshake, body);
  KUA_CHECK(handshake.size() <= 16384);  // one record, RFC 8446 §5.1
  Bytes out;
  put_u8(out, kTlsHandshake);
  put_u16(out, kTls10);
  put_sized_u16(out, handshake);
  return out;
}

}  // namespace kua::wire
