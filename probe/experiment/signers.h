// Who signs for the controls abroad: they themselves, or somebody who opens TLS between them and this machine.
#pragma once

#include "probe/step/tls_handshake.h"
#include "protocol/target_list.h"

namespace kua::probe {

enum class Signer {
  none,          // no chain that stands for the name
  own,           // the control's own authority
  added,         // one that was added on this machine
  nobody_knows,  // a chain for the very name under an authority that the store does not know
  listed,        // an interception root on the list
};

[[nodiscard]] Signer signer_of(const TlsResult& shaken, const protocol::TargetList& list);

// The signers of one look.
class Signers {
 public:
  void note(Signer signer);
  [[nodiscard]] int opened() const noexcept { return opened_; }
  void forget_opened() noexcept { opened_ = 0; }
  // Whether one control alone was opened, and none showed a chain of its own.
  [[nodiscard]] bool is_lone() const noexcept { return opened_ == 1 && !own_; }
  // Leaves `inspected` as it is where nothing was learnt.
  void conclude(bool& inspected) const noexcept;

 private:
  int opened_ = 0;  // by somebody whom nobody knows
  bool own_ = false;
  bool added_ = false;
  bool listed_ = false;
};

}  // namespace kua::probe
