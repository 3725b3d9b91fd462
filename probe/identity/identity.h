// Who this probe is: an Ed25519 key made on its first start, the id that follows from it, and a name for
// the present boot. None of them says anything about the owner.
#pragma once

#include <string>

#include "measurement/error.h"
#include "measurement/names.h"
#include "platform/crypto/crypto.h"
#include "probe/state/state_directory.h"

namespace kua::probe {

struct Identity {
  platform::SigningKey key;
  ProbeId id;
};

// Loads the key, or makes and saves one where there is none. A key file that cannot be read is an
// error: a new identity is never taken in silence.
[[nodiscard]] Expected<Identity> load_or_create_identity(const StateDirectory& state);

// 16 lower-case hex digits, new at every boot: a digest of the kernel's boot id and the probe's own id,
// so that it matches nothing that other software on this device may have sent.
[[nodiscard]] Expected<std::string> boot_name(const ProbeId& probe,
                                              const std::string& kernel_boot_id_path);
inline constexpr const char* kKernelBootIdPath = "/proc/sys/kernel/random/boot_id";

}  // namespace kua::probe
