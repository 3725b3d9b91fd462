// TLS: what became of handshakes under the host's name, and of the transfers behind them.
#pragma once

#include <span>
#include <string>

#include "verdict/rates.h"
#include "verdict/rule.h"
#include "verdict/scene.h"

namespace kua::verdict {

// How a step of comparison ended.
enum class Compared : std::uint8_t { absent, passed, failed };

// Of one stop and one family. Handshakes at vouched addresses, or at all where there are none such.
struct TlsEvidence {
  bool tried = false;
  bool completed = false;           // under a chain valid for the name
  bool completed_on_retry = false;
  bool some_cut = false;            // beside a completed one, another address was cut for this name only
  bool confirmed = false;           // see Standing
  bool line_carries_tls = false;    // some handshake of this measurement got an answer
  Says control = Says::nothing;

  // A chain that our trust store refuses.
  ChainTrust untrusted = ChainTrust::not_presented;
  bool interception_root = false;   // it ends in a listed one
  bool leaf_of_controls = false;    // controls were given the same key
  bool issuer_of_controls = false;  // a certificate above the leaf is one that controls saw
  // The same authority signed for the harmless name, and nothing shows that it leaves other places alone.
  bool authority_everywhere = false;
  bool authority_at_witness = false;  // … for the target's name at an address that does not have it

  // A handshake that was cut.
  How cut = How::none;
  bool repeated = false;            // more than one handshake under the name was cut
  Compared pair = Compared::absent;      // same address, harmless name
  Compared witness = Compared::absent;   // witness address, target's name; failed: in the same way
  bool residual_passed = false;     // the pair failed first and passed after the residual time
  bool residual_renewed = false;    // … and after that the name was cut again, in the same way

  // A transfer that was cut behind a completed handshake.
  How after = How::none;
  bool after_repeated = false;
  bool pair_carried_more = false;   // the harmless name's transfer went further, or ended
  bool pair_stopped = false;        // … or stopped after about as many bytes
  std::uint64_t stopped_at = 0;     // bytes of the transfer that went furthest
  Says control_page = Says::nothing;
  Rates rates;

  std::string detail;
  References references;
  const char* how = "";
};

[[nodiscard]] bool is_void(const TlsEvidence& evidence) noexcept;
[[nodiscard]] TlsEvidence extract_tls(const Scene& scene, const Stop& stop, Family family);
[[nodiscard]] const Rule<TlsEvidence>& judge_tls(const TlsEvidence& evidence);
[[nodiscard]] std::span<const Rule<TlsEvidence>> tls_rules() noexcept;

}  // namespace kua::verdict
