// HTTP: what a request for the host was answered with, or how it was cut.
#pragma once

#include <span>
#include <string>

#include "verdict/rule.h"
#include "verdict/scene.h"
#include "verdict/tls_rules.h"

namespace kua::verdict {

// Of one stop and one family. Round trips at vouched addresses, or at all where there are none such.
struct HttpEvidence {
  bool tried = false;
  bool over_tls = false;
  bool authentic = false;        // over a chain valid for the name, or the very key that controls got
  bool behind_bad_chain = false;
  bool confirmed = false;        // see Standing
  Says control = Says::nothing;

  // An answer.
  bool answered = false;
  bool only_on_retry = false;
  bool server_error = false;     // 5xx
  bool turned_away = false;      // 401, 403, 429, 451 or 5xx: what servers tell clients they do not like
  bool refused_here_only = false;  // 4xx or 5xx where controls got a page or a redirect
  bool same_as_control = false;
  bool comparable = false;       // controls got a page or a redirect, or the same status
  bool differs = false;          // wholly, from what controls got
  bool endless = false;          // the body, or the chain of redirects
  bool endless_for_controls = false;
  bool page_of_blocker = false;
  bool sign_is_foreign = false;  // what was found is another country's fingerprint
  bool location_of_blocker = false;
  bool leads_to_blocker = false;   // by a redirect that the site did not give
  bool is_blocker = false;         // this host was reached by such a redirect
  bool redirects_home = false;     // to a related host that proved itself by certificate

  // A cut.
  How cut = How::none;
  bool repeated = false;
  Compared pair = Compared::absent;     // same address, harmless Host
  Compared witness = Compared::absent;  // witness address, target's Host; failed: in the same way
  bool residual_passed = false;         // the pair failed first and passed after the residual time
  bool residual_renewed = false;        // … and after that the Host was cut again, in the same way

  std::string detail;
  References references;
  const char* how = "";
};

[[nodiscard]] bool is_void(const HttpEvidence& evidence) noexcept;
[[nodiscard]] HttpEvidence extract_http(const Scene& scene, const Stop& stop, Family family);
[[nodiscard]] const Rule<HttpEvidence>& judge_http(const HttpEvidence& evidence);
[[nodiscard]] std::span<const Rule<HttpEvidence>> http_rules() noexcept;

}  // namespace kua::verdict
