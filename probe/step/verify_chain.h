// Judging a presented chain during the handshake, and describing its certificates. The judgement is
// written down and never ends a handshake.
#pragma once

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
};
// Borrows `verdict` until the handshake is over.
void attach_verdict(SSL* ssl, ChainVerdict* verdict);

// For SSL_CTX_set_cert_verify_callback. Always accepts.
int verify_chain_callback(X509_STORE_CTX* context, void* unused);

}  // namespace kua::probe
