// TCP: whether an address of the host could be connected to.
#pragma once

#include <span>
#include <string>

#include "verdict/rule.h"
#include "verdict/scene.h"

namespace kua::verdict {

// Of one stop and one family. Attempts at vouched addresses, or at all where there are none such.
struct TcpEvidence {
  bool tried = false;
  bool connected = false;
  bool connected_on_retry = false;   // only a repetition got through
  How first_failure = How::none;     // that is not our own machine's
  bool repeated = false;             // more than one attempt failed
  bool prohibited = false;           // administratively, by a router beyond the home network
  bool prohibited_by_server = false;
  bool confirmed = false;            // the addresses do not rest on the resolver's word alone
  bool family_works = false;         // something answers over this family, or the line is known to work
  bool dead_for_controls = false;    // each address that failed fails for controls too
  Says control = Says::nothing;

  std::string detail;
  References references;
  const char* how = "";
};

// Nothing to say: not tried, or our own machine lacks the family.
[[nodiscard]] bool is_void(const TcpEvidence& evidence) noexcept;

[[nodiscard]] TcpEvidence extract_tcp(const Scene& scene, const Stop& stop, Family family);
[[nodiscard]] const Rule<TcpEvidence>& judge_tcp(const TcpEvidence& evidence);
[[nodiscard]] std::span<const Rule<TcpEvidence>> tcp_rules() noexcept;

}  // namespace kua::verdict
