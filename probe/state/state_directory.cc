#include "probe/state/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "probe/limits.h"

namespace kua::probe {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const noexcept { return value_; }

 private:
  int value_;
};

std::unexpected<Error> system_error(int error_number, std::string doing) {
  ErrorKind kind = ErrorKind::io;
  if (error_number == ENOENT) kind = ErrorKind::not_found;
  if (error_number == EACCES || error_number == EPERM) kind = ErrorKind::permission;
  if (error_number == ENOSPC || error_number == EDQUOT) kind = ErrorKind::no_space;
  return fail(kind, std::strerror(error_number), std::move(doing));
}

Expected<void> write_all(int descriptor, std::string_view bytes, const std::string& doing) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno, doing);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(descriptor) != 0) return system_error(errno, doing);
  return {};
}

Expected<void> check_owned(const std::string& path) {
  const std::string doing = "opening state directory " + path;
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return system_error(errno, doing);
  if (!S_ISDIR(facts.st_mode)) return fail(ErrorKind::io, "not a directory", doing);
  if (facts.st_uid != ::geteuid() && ::geteuid() != 0) {
    return fail(ErrorKind::permission,
                "it belongs to another user; run as that user, or set state_dir to a folder of yours",
                doing);
  }
  if ((facts.st_mode & 077) != 0 && ::chmod(path.c_str(), 0700) != 0) return system_error(errno, doing);
  return {};
}

}  // namespace

Expected<StateDirectory> StateDirectory::open(std::string path) {
  std::error_code problem;
  const std::filesystem::path folder(path);
  if (!std::filesystem::exists(folder, problem)) {
    if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), problem);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return system_error(errno, "creating state directory " + path);
    }
  }
  return open_existing(std::move(path));
}

Expected<StateDirectory> StateDirectory::open_existing(std::string path) {
  if (auto owned = check_owned(path); !owned) return std::unexpected(owned.error());
  return StateDirectory(std::move(path));
}

std::string StateDirectory::path_of(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

Expected<std::string> StateDirectory::read(std::string_view name) const {
  const std::string path = path_of(name);
  const std::string doing = "reading " + path;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error(errno, doing);
  std::string bytes;
  std::array<char, 16 * 1024> chunk{};
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, doing);
    if (got == 0) return bytes;
    bytes.append(chunk.data(), static_cast<std::size_t>(got));
    if (bytes.size() > kStateFileBytesMax) {
      return fail(ErrorKind::limit, "larger than any file the probe writes", doing);
    }
  }
}

Expected<void> StateDirectory::write(std::string_view name, std::string_view bytes) const {
  const std::string path = path_of(name);
  const std::string aside = path + ".new";
  const std::string doing = "writing " + path;
  {
    const Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0) return system_error(errno, doing);
    if (auto written = write_all(file.get(), bytes, doing); !written) {
      ::unlink(aside.c_str());
      return written;
    }
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) return system_error(errno, doing);
  const Descriptor folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) return system_error(errno, doing);
  return {};
}

Expected<void> StateDirectory::remove(std::string_view name) const {
  const std::string path = path_of(name);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(errno, "removing " + path);
  return {};
}

Expected<InstanceLock> InstanceLock::take(const StateDirectory& state) {
  const std::string path = state.path_of(kLockFile);
  const std::string doing = "locking " + path;
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return system_error(errno, doing);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int problem = errno;
    ::close(descriptor);
    if (problem != EWOULDBLOCK) return system_error(problem, doing);
    const auto holder = state.read(kLockFile);
    const std::string who = holder && !holder->empty() ? " (process " + *holder + ")" : "";
    return fail(ErrorKind::unavailable, "another kua-probe is running on this state directory" + who,
                doing);
  }
  const std::string self = std::to_string(::getpid());
  // What the file says is only for people; the lock is what counts.
  if (::ftruncate(descriptor, 0) == 0) (void)!::write(descriptor, self.data(), self.size());
  return InstanceLock(descriptor);
}

InstanceLock::InstanceLock(InstanceLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

InstanceLock::~InstanceLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace kua::probe
