// What a TrustStore holds, for the files of this folder that shake hands.
#pragma once

#include <set>
#include <string>

#include "probe/step/openssl_ptr.h"
#include "probe/step/trust_store.h"

namespace kua::probe {

struct TrustStore::Impl {
  explicit Impl(OpensslPtr<SSL_CTX> with) : context(std::move(with)) {}
  std::set<std::string> added_roots;  // SHA-256 of certificates, hexadecimal
  OpensslPtr<SSL_CTX> context;      // HTTP/1.1 as ALPN; its certificate store is the trust store
};

}  // namespace kua::probe
