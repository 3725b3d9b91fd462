// Digests, encodings, random bytes and Ed25519 keys over OpenSSL's EVP interface. No OpenSSL type
// leaves this folder. Every function may be called from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "measurement/error.h"
#include "measurement/names.h"

namespace kua::platform {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(std::string_view bytes);
[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view bytes);

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);        // lower case
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);     // either case
[[nodiscard]] std::string to_base64(std::string_view bytes);                  // RFC 4648 §4, padded
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);  // strict
[[nodiscard]] std::string to_base64url(std::string_view bytes);               // §5, unpadded
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

// From the system's generator; aborts if it cannot give any, since nothing safe could follow.
void random_bytes(std::span<std::uint8_t> out);
[[nodiscard]] std::uint64_t random_u64();

// 32 raw bytes, RFC 8032.
using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

[[nodiscard]] std::optional<PublicKey> parse_public_key(std::string_view base64url);
[[nodiscard]] std::string to_text(const PublicKey& key);  // base64url, what parse_public_key reads
[[nodiscard]] ProbeId probe_id_of(const PublicKey& key);

// An Ed25519 private key. Not copyable: one owner. The file form is PEM PKCS#8, mode 0600.
class SigningKey {
 public:
  [[nodiscard]] static SigningKey generate();
  // Errors: not_found, permission (file open to others), invalid_input, io.
  [[nodiscard]] static Expected<SigningKey> load(const std::string& path);
  // Writes a new file with mode 0600, synced; fails if it exists.
  [[nodiscard]] Expected<void> save_new(const std::string& path) const;
  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }
  [[nodiscard]] Signature sign(std::string_view message) const;

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

 private:
  struct Impl;
  explicit SigningKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  PublicKey public_key_{};
};

// A public key made ready once, for whoever checks many signatures of the same signer.
class VerifyingKey {
 public:
  explicit VerifyingKey(const PublicKey& key);
  [[nodiscard]] bool verify(std::string_view message, const Signature& signature) const;

  VerifyingKey(VerifyingKey&&) noexcept;
  VerifyingKey& operator=(VerifyingKey&&) noexcept;
  ~VerifyingKey();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The same for a single use.
[[nodiscard]] bool verify_signature(const PublicKey& key, std::string_view message,
                                    const Signature& signature);
[[nodiscard]] std::optional<Signature> parse_signature(std::string_view base64);
// Base64, what parse_signature reads.
[[nodiscard]] std::string to_text(const Signature& signature);

// A TLS server key (P-256) with a self-signed certificate for `name`, a DNS name or an address
// literal, valid from yesterday for `days`; PEM texts.
struct TlsIdentity {
  std::string key_pem;
  std::string certificate_pem;
  std::string spki_pin;  // base64url of SHA-256 of the SubjectPublicKeyInfo
};
[[nodiscard]] Expected<TlsIdentity> make_tls_identity(const std::string& name, int days);
// Pin of the first certificate in a PEM text.
[[nodiscard]] Expected<std::string> spki_pin_of(std::string_view certificate_pem);

}  // namespace kua::platform
