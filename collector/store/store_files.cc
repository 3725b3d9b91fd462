#include "collector/store/store_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace kua::collector {
namespace {

std::unexpected<Error> failed(int number, std::string doing) {
  const ErrorKind kind = number == ENOSPC || number == EDQUOT   ? ErrorKind::no_space
                         : number == ENOENT                     ? ErrorKind::not_found
                         : number == EACCES || number == EPERM || number == EROFS ? ErrorKind::permission
                                                                : ErrorKind::io;
  return fail(kind, std::generic_category().message(number), std::move(doing));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class SystemAppendFile final : public AppendFile {
 public:
  SystemAppendFile(int fd, std::string path) : file_(fd), path_(std::move(path)) {}

  Expected<void> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed(errno, "writing " + path_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }
  Expected<void> sync() override {
    if (::fdatasync(file_.get()) != 0) return failed(errno, "syncing " + path_);
    return {};
  }
  Expected<void> truncate(std::uint64_t bytes) override {
    if (::ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0) return failed(errno, "truncating " + path_);
    return {};
  }

 private:
  Descriptor file_;
  std::string path_;
};

// A new name lasts only once its directory is synced.
Expected<void> sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0 || ::fsync(handle.get()) != 0) return failed(errno, "syncing directory " + directory);
  return {};
}

class SystemFiles final : public StoreFiles {
 public:
  Expected<void> make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(errno, "making directory " + path);
    return {};
  }

  Expected<std::vector<std::string>> list(const std::string& directory) override {
    DIR* handle = ::opendir(directory.c_str());
    if (handle == nullptr) return failed(errno, "listing " + directory);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(handle)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    ::closedir(handle);
    std::sort(names.begin(), names.end());
    return names;
  }

  Expected<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    struct stat known {};
    const bool is_new = ::stat(path.c_str(), &known) != 0;
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return failed(errno, "opening " + path);
    auto file = std::make_unique<SystemAppendFile>(fd, path);
    if (is_new) {
      if (const auto synced = sync_directory_of(path); !synced) return std::unexpected(synced.error());
    }
    return file;
  }

  Expected<std::uint64_t> size(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return failed(errno, "looking at " + path);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Expected<std::string> read(const std::string& path, std::uint64_t offset, std::size_t bytes_max) override {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return failed(errno, "opening " + path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return failed(errno, "looking at " + path);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (offset >= size) return std::string();
    std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, size - offset)), '\0');
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(file.get(), out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed(errno, "reading " + path);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    out.resize(done);
    return out;
  }

  Expected<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failed(errno, "removing " + path);
    return sync_directory_of(path);
  }

  Expected<std::uint64_t> free_bytes(const std::string& directory) override {
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) != 0) return failed(errno, "looking at " + directory);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }
};

}  // namespace

std::unique_ptr<StoreFiles> system_files() { return std::make_unique<SystemFiles>(); }

}  // namespace kua::collector
