#include "probe/step/verify_chain.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"
#include "probe/limits.h"

namespace kua::probe {
namespace {

constexpr int kAuthLevel = 2;  // 112 bits: what Debian and browsers ask of keys and digests

// All problems of a chain, not only the first: a chain that is expired and untrusted is untrusted.
struct Problems {
  bool self_signed = false;
  bool unknown_authority = false;
  bool invalid = false;
  bool expired = false;
  bool wrong_host = false;
};

void note(Problems& problems, int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      problems.self_signed = true;
      return;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      problems.unknown_authority = true;
      return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      problems.expired = true;
      return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      problems.wrong_host = true;
      return;
    default:  // OpenSSL's set grows
      problems.invalid = true;
  }
}

ChainTrust conclude(const Problems& problems) {
  if (problems.self_signed) return ChainTrust::self_signed;
  if (problems.unknown_authority) return ChainTrust::unknown_authority;
  if (problems.invalid) return ChainTrust::invalid;
  if (problems.expired) return ChainTrust::expired;
  if (problems.wrong_host) return ChainTrust::wrong_host;
  return ChainTrust::trusted;
}

int verdict_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Where collect() finds the problems of the verification under way.
int problems_index() {
  static const int index =
      X509_STORE_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int collect(int accepted, X509_STORE_CTX* context) {
  if (accepted == 1) return 1;
  auto* problems = static_cast<Problems*>(X509_STORE_CTX_get_ex_data(context, problems_index()));
  note(*problems, X509_STORE_CTX_get_error(context));
  return 1;  // go on, to see the rest
}

std::string name_text(const X509_NAME* name) {
  const OpensslPtr<BIO> out(BIO_new(BIO_s_mem()));
  KUA_CHECK(out != nullptr);
  // RFC 2253 order with UTF-8 kept: names that operators gave their roots are not all ASCII.
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* data = nullptr;
  const long length = BIO_get_mem_data(out.get(), &data);
  std::string text(data, static_cast<std::size_t>(length));
  if (text.size() > kCertificateNameBytesMax) text.resize(kCertificateNameBytesMax);
  return text;
}

std::optional<std::string> name_text(const GENERAL_NAME& name) {
  const bool is_text = name.type == GEN_DNS || name.type == GEN_EMAIL || name.type == GEN_URI;
  if (!is_text && name.type != GEN_IPADD) return std::nullopt;
  const ASN1_STRING* value = is_text ? name.d.ia5 : name.d.iPAddress;
  const std::span bytes(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value)));
  if (is_text) return std::string(bytes.begin(), bytes.end());
  const auto address = IpAddress::from_bytes(bytes);
  return address ? std::optional(address->text()) : std::nullopt;
}

std::string spki_sha256(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return platform::to_hex(platform::sha256(bytes));
}

std::string der_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length <= 0) return {};
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return bytes;
}

Certificate describe(X509* certificate) {
  Certificate out;
  out.der = der_of(certificate);
  out.sha256 = platform::to_hex(platform::sha256(out.der));
  out.spki_sha256 = spki_sha256(certificate);
  out.subject = name_text(X509_get_subject_name(certificate));
  out.issuer = name_text(X509_get_issuer_name(certificate));
  return out;
}

// A trusted chain is told by its leaf and its issuer; any other is kept whole, within limits.
void keep_chain(ChainVerdict& verdict, X509* leaf, STACK_OF(X509) * presented) {
  const bool trusted = verdict.trust == ChainTrust::trusted;
  const int count = presented == nullptr ? 0 : sk_X509_num(presented);
  const int wanted = trusted ? 2 : static_cast<int>(kCertificatesMax);
  std::size_t bytes = 0;
  for (int i = 0; i < count && i < wanted; ++i) {
    Certificate certificate = describe(sk_X509_value(presented, i));
    bytes += certificate.der.size();
    if (trusted || bytes > kChainBytesMax) certificate.der.clear();
    if (bytes > kChainBytesMax) verdict.cut = true;
    verdict.chain.push_back(std::move(certificate));
  }
  if (count == 0 && leaf != nullptr) verdict.chain.push_back(describe(leaf));
  if (!trusted && count > wanted) verdict.cut = true;
}

// What the verified chain ends in, where that is an authority which somebody added to the system's.
void note_added_root(ChainVerdict& verdict, X509_STORE_CTX* context) {
  verdict.added_root.reset();
  if (verdict.trust != ChainTrust::trusted || verdict.added_roots == nullptr) return;
  if (verdict.added_roots->empty()) return;
  STACK_OF(X509)* const built = X509_STORE_CTX_get0_chain(context);
  const int count = built == nullptr ? 0 : sk_X509_num(built);
  if (count == 0) return;
  Certificate root = describe(sk_X509_value(built, count - 1));
  if (verdict.added_roots->contains(root.sha256)) verdict.added_root = std::move(root);
}

void judge(X509_STORE_CTX* context, ChainVerdict& verdict) {
  Problems problems;
  X509_STORE_CTX_set_ex_data(context, problems_index(), &problems);
  X509_STORE_CTX_set_verify_cb(context, &collect);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_auth_level(parameters, kAuthLevel);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(verdict.now.time_since_epoch());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<std::time_t>(seconds.count()));
  if (X509_verify_cert(context) != 1) note(problems, X509_STORE_CTX_get_error(context));
  ERR_clear_error();

  verdict.trust = conclude(problems);
  verdict.other_name = problems.wrong_host;
  note_added_root(verdict, context);
  verdict.chain.clear();
  keep_chain(verdict, X509_STORE_CTX_get0_cert(context), X509_STORE_CTX_get0_untrusted(context));
}

}  // namespace

std::string certificate_sha256(X509* certificate) {
  return platform::to_hex(platform::sha256(der_of(certificate)));
}

std::vector<std::string> alternative_names(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const OpensslPtr<X509> certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  std::vector<std::string> out;
  if (certificate != nullptr) {
    const OpensslPtr<GENERAL_NAMES> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
    const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
    for (int i = 0; i < count; ++i) {
      if (auto text = name_text(*sk_GENERAL_NAME_value(names.get(), i))) out.push_back(std::move(*text));
    }
  }
  ERR_clear_error();
  return out;
}

void attach_verdict(SSL* ssl, ChainVerdict* verdict) {
  KUA_CHECK(SSL_set_ex_data(ssl, verdict_index(), verdict) == 1);
}

int verify_chain_callback(X509_STORE_CTX* context, void* /*unused*/) {
  auto* ssl = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* verdict = static_cast<ChainVerdict*>(SSL_get_ex_data(ssl, verdict_index()));
  if (verdict != nullptr) judge(context, *verdict);
  return 1;
}

void judge_chain(SSL_CTX* context, const std::vector<std::string>& der, const std::string& name,
                 ChainVerdict& verdict) {
  if (der.empty()) return;
  const OpensslPtr<STACK_OF(X509)> presented(sk_X509_new_null());
  KUA_CHECK(presented != nullptr);
  for (const std::string& one : der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(one.data());
    X509* const certificate = d2i_X509(nullptr, &bytes, static_cast<long>(one.size()));
    if (certificate == nullptr) break;  // what follows an unreadable one proves nothing
    KUA_CHECK(sk_X509_push(presented.get(), certificate) > 0);
  }
  ERR_clear_error();
  verdict.trust = ChainTrust::invalid;
  if (sk_X509_num(presented.get()) == 0) return;
  const OpensslPtr<X509_STORE_CTX> store(X509_STORE_CTX_new());
  KUA_CHECK(store != nullptr);
  KUA_CHECK(X509_STORE_CTX_init(store.get(), SSL_CTX_get_cert_store(context), sk_X509_value(presented.get(), 0),
                                presented.get()) == 1);
  KUA_CHECK(X509_STORE_CTX_set_default(store.get(), "ssl_server") == 1);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(store.get());
  if (IpAddress::parse(name)) {
    KUA_CHECK(X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1);
  } else {
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    KUA_CHECK(X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size()) == 1);
  }
  judge(store.get(), verdict);
}

}  // namespace kua::probe
