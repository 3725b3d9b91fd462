// QUIC: whether a host that says it speaks HTTP/3 can be spoken to so. It stands apart from the other
// layers: a browser whose QUIC is cut goes on over TCP.
#pragma once

#include <span>
#include <string>

#include "verdict/rule.h"
#include "verdict/scene.h"
#include "verdict/tls_rules.h"

namespace kua::verdict {

// Of one stop and one family. Only addresses at which TLS succeeded under the name speak.
struct QuicEvidence {
  bool tried = false;
  bool completed = false;           // under a chain valid for the name
  bool completed_on_retry = false;
  bool refused_chain = false;       // completed under a chain that is not valid for it
  bool tls_works = false;           // the same address completed a TLS handshake under the name
  How cut = How::none;              // of the first that failed
  bool repeated = false;            // more than one failed
  bool silent = false;              // each that failed met silence: no answer, and no refusal by ICMP
  Compared pair = Compared::absent;       // same address, harmless name; passed: a server answered, failed: silence
  bool pair_in_full = false;              // … with datagrams as large as the target's would be
  Compared ping = Compared::absent;       // same address, no name
  Compared elsewhere = Compared::absent;  // a witness address, no name
  Says control = Says::nothing;

  std::string detail;
  References references;
  const char* how = "";
};

[[nodiscard]] bool is_void(const QuicEvidence& evidence) noexcept;
[[nodiscard]] QuicEvidence extract_quic(const Scene& scene, const Stop& stop, Family family);
[[nodiscard]] const Rule<QuicEvidence>& judge_quic(const QuicEvidence& evidence);
[[nodiscard]] std::span<const Rule<QuicEvidence>> quic_rules() noexcept;

}  // namespace kua::verdict
