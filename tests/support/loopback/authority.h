// Certificate authorities and leaves made for one test, P-256 throughout.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace kua::test {

struct OpensslFree {
  void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
  void operator()(X509* p) const noexcept { X509_free(p); }
};

// What a TLS server shows: PEM texts.
struct Identity {
  std::string chain_pem;  // leaf first
  std::string key_pem;
};

struct LeafOptions {
  std::vector<std::string> names;  // DNS names, or "IP:127.0.0.1"
  int from_days = -1;              // validity, from now
  int until_days = 90;
};

class Authority {
 public:
  explicit Authority(const std::string& common_name);
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] Identity issue(const LeafOptions& options) const;
  // A leaf that signs itself.
  [[nodiscard]] static Identity self_signed(const LeafOptions& options);

 private:
  std::unique_ptr<EVP_PKEY, OpensslFree> key_;
  std::unique_ptr<X509, OpensslFree> certificate_;
};

}  // namespace kua::test
