#include "platform/crypto/certificate.h"

#include <openssl/x509.h>

#include <ctime>

#include "platform/crypto/crypto.h"
#include "platform/crypto/openssl_ptr.h"

namespace kua::platform {
namespace {

using internal::BioPtr;
using internal::X509Ptr;

std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  return internal::text_of(out.get());
}

std::optional<WallTime> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

}  // namespace

std::optional<CertificateFacts> describe_certificate(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = bytes;
  const X509Ptr certificate(d2i_X509(nullptr, &end, static_cast<long>(der.size())));
  if (certificate == nullptr || end != bytes + der.size()) {
    (void)internal::take_openssl_error();
    return std::nullopt;
  }
  CertificateFacts out;
  unsigned char* spki = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &spki);
  if (length <= 0) return std::nullopt;
  out.spki_sha256 =
      to_hex(sha256({reinterpret_cast<const char*>(spki), static_cast<std::size_t>(length)}));
  OPENSSL_free(spki);
  out.subject = name_text(X509_get_subject_name(certificate.get()));
  out.issuer = name_text(X509_get_issuer_name(certificate.get()));
  out.not_before = time_of(X509_get0_notBefore(certificate.get()));
  out.not_after = time_of(X509_get0_notAfter(certificate.get()));
  return out;
}

}  // namespace kua::platform
