// What a TrustStore holds, for the files of this folder that shake hands.
#pragma once

#include "probe/step/openssl_ptr.h"
#include "probe/step/trust_store.h"

namespace kua::probe {

struct TrustStore::Impl {
  OpensslPtr<SSL_CTX> context;      // HTTP/1.1 as ALPN; its certificate store is the trust store
};

}  // namespace kua::probe
