#include "platform/privilege/privilege.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <vector>

namespace kua::platform {
namespace {

std::unexpected<Error> refused(int error_number, std::string doing) {
  return fail(ErrorKind::permission, std::generic_category().message(error_number),
              std::move(doing));
}

unsigned number_of(Capability capability) {
  switch (capability) {
    case Capability::net_raw:
      return CAP_NET_RAW;
  }
  return CAP_LAST_CAP;
}

// Permitted and effective become exactly `keep`; nothing is inheritable.
bool set_capabilities(std::span<const Capability> keep) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  for (const auto capability : keep) {
    const unsigned number = number_of(capability);
    sets[number / 32].permitted |= 1U << number % 32;
    sets[number / 32].effective |= 1U << number % 32;
  }
  return ::syscall(SYS_capset, &header, sets.data()) == 0;
}

bool has_one_thread() {
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/self/task", error);
  return !error && std::distance(begin(tasks), end(tasks)) == 1;
}

bool is_now(const Account& account) {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  if (::getresuid(&real, &effective, &saved) != 0) return false;
  if (real != account.uid || effective != account.uid || saved != account.uid) return false;
  return ::getgid() == account.gid && ::getegid() == account.gid && ::setuid(0) != 0;
}

}  // namespace

Expected<Account> find_account(const std::string& name) {
  const std::string doing = "looking up user " + name;
  std::vector<char> buffer(16 * 1024);  // the longest entry that any name service gives
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0) return fail(ErrorKind::io, std::generic_category().message(error), doing);
  if (found == nullptr) return fail(ErrorKind::not_found, "there is no such user", doing);
  return Account{name, entry.pw_uid, entry.pw_gid};
}

bool is_root() noexcept { return ::geteuid() == 0; }

Expected<void> leave_root(const Account& account, std::span<const Capability> keep) {
  const std::string doing = "becoming user " + account.name;
  if (!is_root()) return fail(ErrorKind::permission, "only root can become another user", doing);
  if (account.uid == 0 || account.gid == 0) {
    return fail(ErrorKind::permission, "this user is root itself, or of its group", doing);
  }
  if (!has_one_thread()) return fail(ErrorKind::internal, "there is more than one thread", doing);

  // Groups first: without root they can no longer be changed.
  if (::setgroups(0, nullptr) != 0) return refused(errno, doing);
  if (::setresgid(account.gid, account.gid, account.gid) != 0) return refused(errno, doing);
  if (::prctl(PR_SET_KEEPCAPS, keep.empty() ? 0L : 1L, 0L, 0L, 0L) != 0)
    return refused(errno, doing);
  if (::setresuid(account.uid, account.uid, account.uid) != 0) return refused(errno, doing);
  if (!set_capabilities(keep)) return refused(errno, doing);
  if (::prctl(PR_SET_KEEPCAPS, 0L, 0L, 0L, 0L) != 0) return refused(errno, doing);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0) return refused(errno, doing);
  if (!is_now(account)) return fail(ErrorKind::permission, "root could be taken back", doing);
  return {};
}

}  // namespace kua::platform
