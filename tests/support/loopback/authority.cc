#include "tests/support/loopback/authority.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "measurement/check.h"

namespace kua::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, OpensslFree>;
using Certificate = std::unique_ptr<X509, OpensslFree>;

Key make_key() { return Key(EVP_EC_gen("P-256")); }

template <typename Write>
std::string to_pem(Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  KUA_CHECK(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  KUA_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(EVP_PKEY* key, const std::string& common_name, int from_days, int until_days) {
  static long serial = 1;
  Certificate certificate(X509_new());
  X509* const c = certificate.get();
  X509_set_version(c, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(c), from_days * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(c), until_days * 86400L);
  X509_set_pubkey(c, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return certificate;
}

Identity make_leaf(const LeafOptions& options, X509* issuer, EVP_PKEY* issuer_key) {
  const Key key = make_key();
  const Certificate leaf =
      make_certificate(key.get(), options.names.front(), options.from_days, options.until_days);
  X509* const signer = issuer != nullptr ? issuer : leaf.get();
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(signer));
  std::string names;
  for (const std::string& name : options.names) {
    if (!names.empty()) names += ",";
    names += name.starts_with("IP:") ? name : "DNS:" + name;
  }
  add_extension(leaf.get(), signer, NID_subject_alt_name, names);
  KUA_CHECK(X509_sign(leaf.get(), issuer != nullptr ? issuer_key : key.get(), EVP_sha256()) > 0);
  Identity out;
  out.chain_pem = to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, leaf.get()); });
  if (issuer != nullptr) out.chain_pem += to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, issuer); });
  out.key_pem = to_pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return out;
}

}  // namespace

Authority::Authority(const std::string& common_name)
    : key_(make_key()), certificate_(make_certificate(key_.get(), common_name, -10, 365)) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  KUA_CHECK(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
}

std::string Authority::pem() const {
  return to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
}

Identity Authority::issue(const LeafOptions& options) const {
  return make_leaf(options, certificate_.get(), key_.get());
}

Identity Authority::self_signed(const LeafOptions& options) { return make_leaf(options, nullptr, nullptr); }

}  // namespace kua::test
