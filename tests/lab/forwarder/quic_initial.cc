#include "tests/lab/forwarder/quic_initial.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "wire/client_hello.h"

namespace kua::lab {
namespace {

constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kSampleBytes = 16;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kConnectionIdBytesMax = 20;
constexpr std::size_t kCryptoBytesMax = 64 * 1024;

// What differs between versions: RFC 9001 §5.2 and RFC 9369 §3.3.
struct QuicVersion {
  std::uint32_t number;
  std::uint8_t initial_type;  // of the long header
  std::array<std::uint8_t, 20> salt;
  std::string_view key_label;
  std::string_view iv_label;
  std::string_view hp_label;
};
constexpr std::array kVersions = {
    QuicVersion{1, 0,
                {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
                "quic key", "quic iv", "quic hp"},
    QuicVersion{0x6b3343cf, 1,
                {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
                "quicv2 key", "quicv2 iv", "quicv2 hp"}};

template <typename T, void (*release)(T*)>
struct Release {
  void operator()(T* pointer) const { release(pointer); }
};
using Kdf = std::unique_ptr<EVP_KDF, Release<EVP_KDF, EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Release<EVP_KDF_CTX, EVP_KDF_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Release<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>>;

// One HKDF step over SHA-256. `extra` is the salt when extracting, the info when expanding.
wire::Bytes hkdf(int mode, wire::BytesView key, wire::BytesView extra, std::size_t bytes) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr));
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  const char* extra_name = mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY ? OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_INFO;
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 5> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(key.data()), key.size()),
      OSSL_PARAM_construct_octet_string(extra_name, const_cast<std::uint8_t*>(extra.data()), extra.size()),
      OSSL_PARAM_construct_end()};
  wire::Bytes out(bytes);
  if (EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) != 1) out.clear();
  return out;
}

// HKDF-Expand-Label of RFC 8446 §7.1 with an empty context.
wire::Bytes expand_label(wire::BytesView secret, std::string_view label, std::size_t bytes) {
  const std::string full = "tls13 " + std::string(label);
  wire::Bytes info;
  wire::put_u16(info, static_cast<std::uint16_t>(bytes));
  wire::put_u8(info, static_cast<std::uint8_t>(full.size()));
  wire::put_bytes(info, wire::as_bytes(full));
  wire::put_u8(info, 0);
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, info, bytes);
}

struct InitialKeys {
  wire::Bytes key;
  wire::Bytes iv;
  wire::Bytes header_protection;
};

InitialKeys client_keys(const QuicVersion& version, wire::BytesView connection_id) {
  const wire::Bytes initial =
      hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, connection_id, version.salt, kSecretBytes);
  const wire::Bytes secret = expand_label(initial, "client in", kSecretBytes);
  return {expand_label(secret, version.key_label, kKeyBytes), expand_label(secret, version.iv_label, kIvBytes),
          expand_label(secret, version.hp_label, kKeyBytes)};
}

std::array<std::uint8_t, kSampleBytes> protection_mask(wire::BytesView key, wire::BytesView sample) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::array<std::uint8_t, kSampleBytes> mask{};
  int written = 0;
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, key.data(), nullptr);
  EVP_EncryptUpdate(context.get(), mask.data(), &written, sample.data(), static_cast<int>(sample.size()));
  return mask;
}

std::optional<wire::Bytes> open_payload(const InitialKeys& keys, std::uint64_t packet_number,
                                        wire::BytesView header, wire::BytesView sealed) {
  if (sealed.size() < kTagBytes) return std::nullopt;
  wire::Bytes nonce = keys.iv;
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[kIvBytes - 1 - i] ^= static_cast<std::uint8_t>(packet_number >> (8 * i));
  }
  const CipherContext context(EVP_CIPHER_CTX_new());
  const std::size_t size = sealed.size() - kTagBytes;
  wire::Bytes out(size);
  wire::Bytes tag(sealed.begin() + static_cast<std::ptrdiff_t>(size), sealed.end());
  int written = 0;
  const bool good =
      EVP_DecryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, keys.key.data(), nonce.data()) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &written, header.data(), static_cast<int>(header.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), out.data(), &written, sealed.data(), static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), out.data() + size, &written) == 1;
  if (!good) return std::nullopt;
  return out;
}

// Variable-length integer of RFC 9000 §16.
std::uint64_t varint(wire::ByteReader& in) {
  const std::uint8_t first = in.u8();
  std::uint64_t value = first & 0x3f;
  for (int i = 1; i < 1 << (first >> 6); ++i) value = value << 8 | in.u8();
  return value;
}

// Takes the CRYPTO frames of an Initial's payload. Other frames that may stand there (RFC 9000 §12.4)
// are stepped over; an unknown one ends the reading.
void take_crypto(wire::BytesView payload, std::map<std::uint64_t, wire::Bytes>& crypto) {
  constexpr std::uint8_t kPadding = 0, kPing = 1, kAck = 2, kAckEcn = 3, kCrypto = 6;
  wire::ByteReader in(payload);
  while (in.remaining() > 0 && !in.failed()) {
    const std::uint8_t type = in.u8();
    if (type == kPadding || type == kPing) continue;
    if (type == kAck || type == kAckEcn) {
      varint(in);
      varint(in);
      const std::uint64_t ranges = varint(in);
      varint(in);
      for (std::uint64_t i = 0; i < 2 * ranges && !in.failed(); ++i) varint(in);
      for (int i = 0; type == kAckEcn && i < 3; ++i) varint(in);
      continue;
    }
    if (type != kCrypto) return;
    const std::uint64_t offset = varint(in);
    const wire::BytesView data = in.take(static_cast<std::size_t>(varint(in)));
    if (!in.failed() && offset < kCryptoBytesMax) crypto[offset] = wire::Bytes(data.begin(), data.end());
  }
}

// Reads one long-header packet at the reader's place, and its CRYPTO data if it is an Initial of a
// version we know. False when nothing behind it can be found.
bool read_packet(wire::BytesView datagram, wire::ByteReader& in, std::map<std::uint64_t, wire::Bytes>& crypto) {
  const std::size_t begin = in.position();
  const std::uint8_t first = in.u8();
  if ((first & 0x80) == 0) return false;
  const std::uint32_t number = in.u32();
  const auto version = std::ranges::find(kVersions, number, &QuicVersion::number);
  const wire::BytesView destination = in.take(in.u8());
  in.skip(in.u8());
  if (version == kVersions.end() || in.failed() || destination.size() > kConnectionIdBytesMax) return false;
  const bool initial = ((first >> 4) & 3) == version->initial_type;
  if (initial) in.skip(static_cast<std::size_t>(varint(in)));  // token
  const std::uint64_t length = varint(in);
  const std::size_t packet_number_at = in.position();
  const wire::BytesView rest = in.take(static_cast<std::size_t>(length));
  if (in.failed()) return false;
  if (!initial || rest.size() < 4 + kSampleBytes) return true;
  const InitialKeys keys = client_keys(*version, destination);
  const auto mask = protection_mask(keys.header_protection, rest.subspan(4, kSampleBytes));
  wire::Bytes header(datagram.begin() + static_cast<std::ptrdiff_t>(begin),
                     datagram.begin() + static_cast<std::ptrdiff_t>(packet_number_at));
  header[0] ^= mask[0] & 0x0f;
  const std::size_t packet_number_bytes = (header[0] & 3u) + 1;
  std::uint64_t packet_number = 0;
  for (std::size_t i = 0; i < packet_number_bytes; ++i) {
    header.push_back(rest[i] ^ mask[i + 1]);
    packet_number = packet_number << 8 | header.back();
  }
  if (const auto payload = open_payload(keys, packet_number, header, rest.subspan(packet_number_bytes))) {
    take_crypto(*payload, crypto);
  }
  return true;
}

// The crypto stream's beginning in TLS records, which is how wire/ reads a ClientHello.
wire::Bytes as_records(const std::map<std::uint64_t, wire::Bytes>& crypto) {
  constexpr std::size_t kRecordBytes = 16384;
  wire::Bytes stream;
  for (const auto& [offset, data] : crypto) {
    if (offset > stream.size()) break;
    const std::size_t known = stream.size() - static_cast<std::size_t>(offset);
    if (known < data.size()) wire::put_bytes(stream, wire::BytesView(data).subspan(known));
  }
  wire::Bytes out;
  for (std::size_t at = 0; at < stream.size(); at += kRecordBytes) {
    const auto part = wire::BytesView(stream).subspan(at, std::min(kRecordBytes, stream.size() - at));
    wire::put_u8(out, 22);
    wire::put_u16(out, 0x0303);
    wire::put_u16(out, static_cast<std::uint16_t>(part.size()));
    wire::put_bytes(out, part);
  }
  return out;
}

}  // namespace

std::optional<std::string> quic_server_name(wire::BytesView datagram,
                                            std::map<std::uint64_t, wire::Bytes>& crypto) {
  const std::size_t before = crypto.size();
  wire::ByteReader in(datagram);
  while (in.remaining() > 0 && read_packet(datagram, in, crypto)) {
  }
  if (crypto.size() == before) return std::nullopt;
  const auto hello = wire::decode_client_hello(as_records(crypto));
  if (!hello) return std::nullopt;
  return hello->server_name.value_or("");
}

}  // namespace kua::lab
