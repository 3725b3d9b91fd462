#include "collector/lines/line_file.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "collector/limits.h"
#include "platform/compress/unpacker.h"

namespace kua::collector {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

struct Closer {
  void operator()(std::FILE* file) const noexcept {
    if (file != stdin) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, Closer>;

std::unexpected<Error> broken(const std::string& name, ErrorKind kind, const std::string& what) {
  return fail(kind, what, "reading " + name);
}

Expected<File> open_file(const std::string& path) {
  File file(path == "-" ? stdin : std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    return broken(path, errno == ENOENT ? ErrorKind::not_found : ErrorKind::io,
                  std::strerror(errno));
  }
  struct stat status{};
  if (fstat(fileno(file.get()), &status) == 0 && S_ISDIR(status.st_mode)) {
    return broken(path, ErrorKind::io, "it is a directory");
  }
  return file;
}

// A copy of what comes through a pipe, gone with the process.
Expected<File> keep(std::FILE* pipe, const std::string& name) {
  File kept(std::tmpfile());
  if (kept == nullptr) return broken(name, ErrorKind::io, std::strerror(errno));
  std::array<char, kReadBytes> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    if (std::fwrite(buffer.data(), 1, size, kept.get()) != size) {
      return broken(name, ErrorKind::no_space,
                    std::string("no room to keep it in a temporary file: ") + std::strerror(errno));
    }
  }
  if (std::ferror(pipe) != 0) return broken(name, ErrorKind::io, std::strerror(errno));
  if (std::fflush(kept.get()) != 0) return broken(name, ErrorKind::no_space, std::strerror(errno));
  std::rewind(kept.get());
  return kept;
}

std::optional<std::uint64_t> size_of(std::FILE* file) {
  struct stat status{};
  if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

struct LineFile::Impl {
  Impl(std::string n, File f, std::size_t max)
      : name(std::move(n)), file(std::move(f)), line_bytes_max(max), size(size_of(file.get())) {}

  // Unpacked bytes that are not yet lines; empty at the end of the file.
  Expected<std::string_view> more() {
    while (true) {
      if (unpacker) {
        const Expected<std::string_view> piece = unpacker->next(packed);
        if (!piece) return broken(name, piece.error().kind, piece.error().text());
        unpacked += piece->size();
        if (unpacked > limits::kUnpackedBytesMax + limits::kUnpackedRatioMax * read) {
          return broken(name, ErrorKind::limit, "it unpacks to more than records ever do");
        }
        if (!piece->empty()) return piece;
        if (!packed.empty()) continue;
      }
      const std::size_t taken = std::fread(buffer.data(), 1, buffer.size(), file.get());
      if (taken == 0) {
        if (std::ferror(file.get()) != 0) return broken(name, ErrorKind::io, std::strerror(errno));
        if (unpacker && !unpacker->is_whole()) {
          return broken(name, ErrorKind::invalid_input, "it is cut off");
        }
        return std::string_view();
      }
      read += taken;
      packed = {buffer.data(), taken};
      if (!unpacker) unpacker.emplace(platform::packing_of(packed));
    }
  }

  void take(std::string_view bytes) {
    too_long = too_long || line.size() + bytes.size() > line_bytes_max;
    if (too_long) {
      line.clear();
    } else {
      line += bytes;
    }
  }

  FileLine finish() {
    if (line.ends_with('\r')) line.pop_back();
    return {++number, line, too_long};
  }

  Expected<std::optional<FileLine>> next() {
    line.clear();
    too_long = false;
    bool begun = false;
    while (true) {
      if (rest.empty()) {
        const Expected<std::string_view> piece = more();
        if (!piece) return std::unexpected(piece.error());
        if (piece->empty()) {
          if (!begun) return std::nullopt;
          return finish();
        }
        rest = *piece;
      }
      const auto end = rest.find('\n');
      take(rest.substr(0, end));
      begun = true;
      if (end == std::string_view::npos) {
        rest = {};
        continue;
      }
      rest.remove_prefix(end + 1);
      return finish();
    }
  }

  std::string name;
  File file;
  std::size_t line_bytes_max;
  std::optional<std::uint64_t> size;
  std::array<char, kReadBytes> buffer{};
  std::string_view packed;  // of the buffer, not unpacked yet
  std::optional<platform::Unpacker> unpacker;
  std::string_view rest;  // unpacked, not given out yet
  std::string line;
  bool too_long = false;
  std::uint64_t number = 0;
  std::uint64_t read = 0;
  std::uint64_t unpacked = 0;
};

LineFile::LineFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineFile::LineFile(LineFile&&) noexcept = default;
LineFile& LineFile::operator=(LineFile&&) noexcept = default;
LineFile::~LineFile() = default;

Expected<LineFile> LineFile::open(const std::string& path, std::size_t line_bytes_max,
                                  Reading reading) {
  Expected<File> file = open_file(path);
  if (!file) return std::unexpected(file.error());
  const std::string name = path == "-" ? "standard input" : path;
  if (reading == Reading::twice && !size_of(file->get())) {
    file = keep(file->get(), name);
    if (!file) return std::unexpected(file.error());
  }
  return LineFile(std::make_unique<Impl>(name, std::move(*file), line_bytes_max));
}

LineFile LineFile::over(std::FILE* file, const std::string& name, std::size_t line_bytes_max) {
  std::rewind(file);
  return LineFile(std::make_unique<Impl>(name, File(file), line_bytes_max));
}

Expected<std::optional<FileLine>> LineFile::next() { return impl_->next(); }

Expected<void> LineFile::rewind() {
  if (std::fseek(impl_->file.get(), 0, SEEK_SET) != 0) {
    return broken(impl_->name, ErrorKind::io, std::strerror(errno));
  }
  impl_ = std::make_unique<Impl>(impl_->name, std::move(impl_->file), impl_->line_bytes_max);
  return {};
}

const std::string& LineFile::name() const noexcept { return impl_->name; }
std::uint64_t LineFile::bytes_read() const noexcept { return impl_->read; }
std::optional<std::uint64_t> LineFile::bytes_in_all() const noexcept { return impl_->size; }

}  // namespace kua::collector
