// Judging a presented chain during the handshake, and describing its certificates. The judgement is
// written down and never ends a handshake.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/observation.h"
#include "measurement/time.h"
#include "probe/step/openssl_ptr.h"

namespace kua::probe {

// What verify_chain_callback reads and fills; hung on the SSL object (attach_verdict).
struct ChainVerdict {
  WallTime now;  // the instrument's wall clock, in
  ChainTrust trust = ChainTrust::not_presented;
  std::vector<Certificate> chain;
  bool cut = false;  // certificates beyond the limits were left out
  bool other_name = false;  // the leaf is for another name than was asked for, whoever signed it
  // SHA-256 of roots that were added on this machine, in; what a trusted chain ends in if it is one, out.
  const std::set<std::string>* added_roots = nullptr;
  std::optional<Certificate> added_root;
};
// Borrows `verdict` until the handshake is over.
void attach_verdict(SSL* ssl, ChainVerdict* verdict);

[[nodiscard]] std::string certificate_sha256(X509* certificate);  // of its DER, hexadecimal

// The subject's alternative names (RFC 5280 §4.2.1.6): hosts, addresses, mail addresses and URIs as text. Empty
// where there are none or where `der` is no certificate.
[[nodiscard]] std::vector<std::string> alternative_names(std::string_view der);

// The same judgement of a chain that came another way than through OpenSSL: DER, leaf first, presented for
// `name`. An empty chain is `not_presented`.
void judge_chain(SSL_CTX* context, const std::vector<std::string>& der, const std::string& name,
                 ChainVerdict& verdict);

// For SSL_CTX_set_cert_verify_callback. Always accepts.
int verify_chain_callback(X509_STORE_CTX* context, void* unused);

}  // namespace kua::probe
