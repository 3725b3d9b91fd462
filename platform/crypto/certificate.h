// What stands in a certificate that somebody else received: described, never verified.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "measurement/time.h"

namespace kua::platform {

struct CertificateFacts {
  std::string spki_sha256;  // lower-case hex
  std::string subject;      // RFC 2253 order, UTF-8 kept
  std::string issuer;
  std::optional<WallTime> not_before;
  std::optional<WallTime> not_after;
};

// nullopt for what is no X.509 certificate, or has bytes behind it.
[[nodiscard]] std::optional<CertificateFacts> describe_certificate(std::string_view der);

}  // namespace kua::platform
