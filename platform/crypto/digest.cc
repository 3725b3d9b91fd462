#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"
#include "platform/crypto/openssl_ptr.h"

namespace kua::platform {
namespace {

// Looking an algorithm up costs more than digesting a short message, so it is done once.
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);  // lives as long as the process
  KUA_CHECK(algorithm != nullptr);
  return algorithm;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  thread_local const internal::MdContextPtr context(EVP_MD_CTX_new());
  KUA_CHECK(context != nullptr);
  Digest digest{};
  KUA_CHECK(EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1);
  KUA_CHECK(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  KUA_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest digest{};
  unsigned size = 0;
  // HMAC() refuses a null key pointer even for an empty key.
  const char* key_data = key.empty() ? "" : key.data();
  KUA_CHECK(HMAC(sha256_algorithm(), key_data, static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(),
                 &size) != nullptr);
  KUA_CHECK(size == digest.size());
  return digest;
}

void random_bytes(std::span<std::uint8_t> out) {
  KUA_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> bytes{};
  random_bytes(bytes);
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace kua::platform
