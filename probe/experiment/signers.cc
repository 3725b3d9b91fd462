#include "probe/experiment/signers.h"

#include <algorithm>
#include <string>

namespace kua::probe {
namespace {

// A chain made for this very name under an authority that our store does not know. A portal shows its own
// certificate; who signs for others opens TLS and passes it on: an antivirus, a company's edge, a state.
bool is_opened(const TlsResult& shaken) {
  return !shaken.observation.failure && !shaken.other_name &&
         shaken.observation.trust == ChainTrust::unknown_authority;
}

bool is_listed(const TlsResult& shaken, const protocol::TargetList& list) {
  const auto is_root = [](const InterceptionRoot& root, const std::string& key, const std::string& subject) {
    return (!root.spki_sha256.empty() && root.spki_sha256 == key) ||
           (!root.subject.empty() && root.subject == subject);
  };
  return std::ranges::any_of(list.interception_roots, [&](const InterceptionRoot& root) {
    if (shaken.added_root && is_root(root, shaken.added_root->spki_sha256, shaken.added_root->subject)) return true;
    if (!is_opened(shaken)) return false;
    return std::ranges::any_of(shaken.observation.chain, [&](const Certificate& certificate) {
      return is_root(root, certificate.spki_sha256, certificate.issuer);
    });
  });
}

}  // namespace

Signer signer_of(const TlsResult& shaken, const protocol::TargetList& list) {
  const bool opened = is_opened(shaken);
  if (!opened && shaken.observation.trust != ChainTrust::trusted) return Signer::none;
  if (is_listed(shaken, list)) return Signer::listed;
  if (opened) return Signer::nobody_knows;
  return shaken.added_root ? Signer::added : Signer::own;
}

void Signers::note(Signer signer) {
  switch (signer) {
    case Signer::none: break;
    case Signer::own: own_ = true; break;
    case Signer::added: added_ = true; break;
    case Signer::nobody_knows: ++opened_; break;
    case Signer::listed: listed_ = true; break;
  }
}

// No site abroad is signed for by an authority that somebody added on this machine, or that nobody knows,
// unless its traffic is opened. One that nobody knows may stand before one control alone: it says nothing of
// the rest of the line where another control has a chain of its own. A listed interception root speaks for
// itself: it is judged, not excused.
void Signers::conclude(bool& inspected) const noexcept {
  if (added_ || (opened_ > 0 && !own_)) {
    inspected = true;
  } else if (own_ || listed_) {
    inspected = false;
  }
}

}  // namespace kua::probe
