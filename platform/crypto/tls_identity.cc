#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "measurement/address.h"
#include "measurement/check.h"
#include "platform/crypto/crypto.h"
#include "platform/crypto/openssl_ptr.h"

namespace kua::platform {
namespace {

constexpr std::string_view kDoing = "making a TLS identity";

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, internal::Freer<X509_EXTENSION_free>>;

std::string pin_of(X509* certificate) {
  // The digest covers the DER of the SubjectPublicKeyInfo, RFC 7469 §2.4.
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  KUA_CHECK(size > 0);
  const auto digest = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return to_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<std::uint8_t, 16> serial{};
  random_bytes(serial);
  serial[0] &= 0x7f;  // positive
  BIGNUM* number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  const bool done = number != nullptr &&
                    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return done;
}

// A volunteer's clock may lag, so the certificate is valid from yesterday; the pin decides trust.
bool set_names_and_validity(X509* certificate, const std::string& name, int days) {
  constexpr long kDaySeconds = 24 * 60 * 60;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto common_name = name.substr(0, 64);  // ub-common-name of RFC 5280
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text,
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kDaySeconds) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), days * kDaySeconds) != nullptr;
}

Expected<void> fill(X509* certificate, EVP_PKEY* key, const std::string& name, int days) {
  const auto address = IpAddress::parse(name);
  const std::string alternative = (address ? "IP:" : "DNS:") + name;
  const bool done = X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
                    set_names_and_validity(certificate, name, days) &&
                    X509_set_pubkey(certificate, key) == 1 &&
                    add_extension(certificate, NID_subject_alt_name, alternative) &&
                    add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
                    X509_sign(certificate, key, EVP_sha256()) > 0;
  if (!done) return fail(ErrorKind::internal, internal::take_openssl_error(), std::string(kDoing));
  return {};
}

}  // namespace

Expected<TlsIdentity> make_tls_identity(const std::string& name, int days) {
  if (!IpAddress::parse(name) && !DomainName::parse(name)) {
    return fail(ErrorKind::invalid_input, "'" + name + "' is neither a DNS name nor an address",
                std::string(kDoing));
  }
  if (days < 1 || days > 36'500) {
    return fail(ErrorKind::invalid_input, "a validity of 1 to 36500 days is possible",
                std::string(kDoing));
  }
  const internal::PkeyPtr key(EVP_EC_gen("P-256"));
  const internal::X509Ptr certificate(X509_new());
  KUA_CHECK(key != nullptr && certificate != nullptr);
  if (const auto filled = fill(certificate.get(), key.get(), name, days); !filled) {
    return std::unexpected(filled.error());
  }
  const internal::BioPtr key_text(BIO_new(BIO_s_secmem()));
  const internal::BioPtr certificate_text(BIO_new(BIO_s_mem()));
  KUA_CHECK(key_text != nullptr && certificate_text != nullptr);
  KUA_CHECK(PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                          nullptr) == 1);
  KUA_CHECK(PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1);
  return TlsIdentity{internal::text_of(key_text.get()), internal::text_of(certificate_text.get()),
                     pin_of(certificate.get())};
}

Expected<std::string> spki_pin_of(std::string_view certificate_pem) {
  const internal::BioPtr bio(
      BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  KUA_CHECK(bio != nullptr);
  const internal::X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return fail(ErrorKind::invalid_input,
                "no certificate in the text: " + internal::take_openssl_error(),
                "reading a PEM certificate");
  }
  return pin_of(certificate.get());
}

}  // namespace kua::platform
