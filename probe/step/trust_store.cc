#include "probe/step/trust_store.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "measurement/check.h"
#include "probe/limits.h"
#include "probe/step/trust_store_impl.h"
#include "probe/step/verify_chain.h"

namespace kua::probe {
namespace {

// A chain we would reject is evidence, so the handshake itself accepts weak keys and old digests; what we
// think of them is said by verify_chain, at the level browsers hold.
OpensslPtr<SSL_CTX> make_context() {
  OpensslPtr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  KUA_CHECK(context != nullptr);
  SSL_CTX* const c = context.get();
  KUA_CHECK(SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1);
  SSL_CTX_set_security_level(c, 0);
  // One key share, X25519's: what nearly every server takes at once.
  KUA_CHECK(SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384") == 1);
  KUA_CHECK(SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:RSA+AESGCM:RSA+AES:!aNULL:!PSK"
                                       ":!SRP") == 1);
  // No memory from one handshake to the next: a resumed session would show no certificate.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
  // Requests are a few hundred bytes: a write buffer for whole records would be 14 kB a connection idle.
  SSL_CTX_set_max_send_fragment(c, 2048);
  SSL_CTX_set_read_ahead(c, 1);  // a record's header and body in one system call
  SSL_CTX_set_verify(c, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_cert_verify_callback(c, &verify_chain_callback, nullptr);
  SSL_CTX_set_quiet_shutdown(c, 1);
  return context;
}

// Where update-ca-certificates, update-ca-trust and trust(1) take added authorities from: Debian and Alpine,
// Fedora, Arch, SUSE.
constexpr std::array kAddedPlaces = {
    "/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors",
    "/etc/ca-certificates/trust-source/anchors", "/etc/pki/trust/anchors"};

bool is_there(const char* path) {
  struct stat status {};
  return path != nullptr && ::stat(path, &status) == 0;
}

const char* path_from(const char* variable, const char* otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? given : otherwise;
}

// Takes what is there; false when a path was given and could not be read.
bool add_authorities(SSL_CTX* context, const char* file, const char* directory) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  if (file != nullptr && X509_STORE_load_file(store, file) != 1) return false;
  return directory == nullptr || X509_STORE_load_path(store, directory) == 1;
}

}  // namespace

TrustStore::TrustStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TrustStore::TrustStore(TrustStore&&) noexcept = default;
TrustStore& TrustStore::operator=(TrustStore&&) noexcept = default;
TrustStore::~TrustStore() = default;

Expected<TrustStore> TrustStore::system_default() {
  const char* file = path_from(X509_get_default_cert_file_env(), X509_get_default_cert_file());
  const char* directory = path_from(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  if (!is_there(file)) file = nullptr;
  if (!is_there(directory)) directory = nullptr;
  if (file == nullptr && directory == nullptr) {
    return fail(ErrorKind::not_found, "no certificate authorities are installed (package ca-certificates)",
                "opening the system's trust store");
  }
  auto impl = std::make_unique<Impl>(make_context());
  if (!add_authorities(impl->context.get(), file, directory)) {
    ERR_clear_error();
    return fail(ErrorKind::invalid_input, "no certificate could be read",
                "opening the system's trust store");
  }
  TrustStore store(std::move(impl));
  for (const char* place : kAddedPlaces) store.note_added(place);
  return store;
}

void TrustStore::note_added(const std::string& directory) {
  std::error_code error;
  std::size_t files = 0;
  for (std::filesystem::recursive_directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    const std::filesystem::path extension = file->path().extension();
    if ((extension != ".crt" && extension != ".pem") || ++files > kAddedRootFilesMax) continue;
    const OpensslPtr<BIO> in(BIO_new_file(file->path().c_str(), "r"));
    while (in != nullptr) {
      const OpensslPtr<X509> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
      if (certificate == nullptr) break;
      impl_->added_roots.insert(certificate_sha256(certificate.get()));
    }
  }
  ERR_clear_error();
}

Expected<TrustStore> TrustStore::from_file(const std::string& path) {
  if (!is_there(path.c_str())) {
    return fail(ErrorKind::not_found, "no such file", "opening trust store " + path);
  }
  auto impl = std::make_unique<Impl>(make_context());
  if (!add_authorities(impl->context.get(), path.c_str(), nullptr)) {
    ERR_clear_error();
    return fail(ErrorKind::invalid_input, "no PEM certificate could be read",
                "opening trust store " + path);
  }
  return TrustStore(std::move(impl));
}

Expected<TrustStore> TrustStore::from_directory(const std::string& path) {
  if (!is_there(path.c_str())) {
    return fail(ErrorKind::not_found, "no such directory", "opening trust store " + path);
  }
  auto impl = std::make_unique<Impl>(make_context());
  if (!add_authorities(impl->context.get(), nullptr, path.c_str())) {
    ERR_clear_error();
    return fail(ErrorKind::internal, "OpenSSL refused the directory", "opening trust store " + path);
  }
  return TrustStore(std::move(impl));
}

}  // namespace kua::probe
