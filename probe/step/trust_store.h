// The certificate authorities against which a presented chain is judged, and the TLS client settings all
// handshakes share. Loaded once; a hashed directory is read as names come up, so that idle memory stays
// small. OpenSSL's types stay inside probe/step.
#pragma once

#include <memory>
#include <string>

#include "measurement/error.h"

namespace kua::probe {

class TrustStore {
 public:
  // The system's hashed directory and file, or those SSL_CERT_DIR and SSL_CERT_FILE name. What lies where
  // systems keep authorities that were added on this machine is noted as such. Error: not_found when
  // there is neither.
  [[nodiscard]] static Expected<TrustStore> system_default();
  // A PEM file of certificates. Errors: not_found, invalid_input.
  [[nodiscard]] static Expected<TrustStore> from_file(const std::string& path);
  // A directory as `openssl rehash` makes it. Error: not_found.
  [[nodiscard]] static Expected<TrustStore> from_directory(const std::string& path);

  // Certificates (PEM, *.crt and *.pem) of a directory are authorities that somebody added on this machine: an
  // inspecting antivirus, a company. Trusts none by itself. Unreadable files are passed over.
  void note_added(const std::string& directory);

  TrustStore(TrustStore&&) noexcept;
  TrustStore& operator=(TrustStore&&) noexcept;
  ~TrustStore();

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

 private:
  explicit TrustStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::probe
