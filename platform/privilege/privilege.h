// Leaving root for good. A program that was started as root becomes an ordinary user before it
// meets the network, and keeps at most the capabilities that it names.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "measurement/error.h"

namespace kua::platform {

// A user of the machine.
struct Account {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// Errors: not_found, io.
[[nodiscard]] Expected<Account> find_account(const std::string& name);

// Whether the effective user is root.
[[nodiscard]] bool is_root() noexcept;

enum class Capability : std::uint8_t {
  net_raw,  // capture and crafted packets, for those who consented to them
};

// From here on the process is `account`: real, effective and saved ids, no supplementary groups, no
// way back, no gain through set-uid programs it may start. Only `keep` stays, for this process and
// not for those it starts. Call it while there is one thread, since capabilities belong to threads.
// Errors: permission (not root, `account` is root, or the system refuses), internal (more than one
// thread). After an error the process may be neither one nor the other: end it.
[[nodiscard]] Expected<void> leave_root(const Account& account, std::span<const Capability> keep);

}  // namespace kua::platform
