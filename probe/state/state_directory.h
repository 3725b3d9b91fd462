// The one folder the probe writes to: key, consent, join link, list, spool, diary, status socket. Mode
// 0700, files 0600. A file is replaced whole or not at all, so a power cut leaves the old or the new one.
#pragma once

#include <string>
#include <string_view>

#include "measurement/error.h"

namespace kua::probe {

class StateDirectory {
 public:
  // Creates the directory and its parents where they are missing. Errors: permission where it belongs
  // to somebody else or is open to others and cannot be closed, io.
  [[nodiscard]] static Expected<StateDirectory> open(std::string path);
  // As open(), but an absent directory is not_found and nothing is created.
  [[nodiscard]] static Expected<StateDirectory> open_existing(std::string path);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string path_of(std::string_view name) const;

  // Errors: not_found, limit beyond kStateFileBytesMax, permission, io.
  [[nodiscard]] Expected<std::string> read(std::string_view name) const;
  // Written aside, synced, renamed; the directory is synced after it. Errors: no_space, io.
  [[nodiscard]] Expected<void> write(std::string_view name, std::string_view bytes) const;
  // A file that is not there is no error.
  [[nodiscard]] Expected<void> remove(std::string_view name) const;

 private:
  explicit StateDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Held by the one process that measures on a schedule. The system drops it with the process, however
// that ends.
class InstanceLock {
 public:
  // Errors: unavailable when another process holds it, naming its id.
  [[nodiscard]] static Expected<InstanceLock> take(const StateDirectory& state);
  InstanceLock(InstanceLock&& other) noexcept;
  InstanceLock& operator=(InstanceLock&&) = delete;
  ~InstanceLock();

 private:
  explicit InstanceLock(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Names of the files in the state directory.
inline constexpr std::string_view kKeyFile = "identity.pem";
inline constexpr std::string_view kConsentFile = "consent.json";
inline constexpr std::string_view kJoinFile = "join.json";
inline constexpr std::string_view kListFile = "list.json";
inline constexpr std::string_view kMinimumListFile = "minimum-list.json";
inline constexpr std::string_view kSpoolFile = "spool.db";
inline constexpr std::string_view kDiaryFile = "diary.db";
inline constexpr std::string_view kBudgetFile = "budget.json";
inline constexpr std::string_view kStatusSocket = "status.sock";
inline constexpr std::string_view kLockFile = "lock";

}  // namespace kua::probe
