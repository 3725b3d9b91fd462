#include "collector/setup/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace kua::collector {

Expected<std::string> read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return fail(ErrorKind::not_found, "the file cannot be read, or is empty", "reading " + path);
  }
  return text.str();
}

Expected<void> write_new_file(const std::string& path, std::string_view text, FileMode mode) {
  const auto failed = [&path] {
    return fail(ErrorKind::io, std::generic_category().message(errno), "writing " + path);
  };
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode));
  if (fd < 0) return failed();
  const ssize_t written = ::write(fd, text.data(), text.size());
  const Expected<void> result = written == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0
                                    ? Expected<void>()
                                    : Expected<void>(failed());
  ::close(fd);
  return result;
}

}  // namespace kua::collector
