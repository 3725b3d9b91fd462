// The file operations of the record log, behind an interface: tests put a disk in place that is full,
// that tears writes, or that remembers the order of things.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"

namespace kua::collector {

// One file open for appending. Errors of all calls: no_space for a full disk or quota, io otherwise.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // May have written a part of `bytes` when it fails.
  [[nodiscard]] virtual Expected<void> append(std::string_view bytes) = 0;
  [[nodiscard]] virtual Expected<void> sync() = 0;  // fdatasync
  [[nodiscard]] virtual Expected<void> truncate(std::uint64_t bytes) = 0;
};

class StoreFiles {
 public:
  virtual ~StoreFiles() = default;
  [[nodiscard]] virtual Expected<void> make_directory(const std::string& path) = 0;  // 0700; may exist
  // Names in `directory`, sorted.
  [[nodiscard]] virtual Expected<std::vector<std::string>> list(const std::string& directory) = 0;
  // Creates the file (0600) if needed; a new one is made durable in its directory.
  [[nodiscard]] virtual Expected<std::unique_ptr<AppendFile>> open_append(const std::string& path) = 0;
  [[nodiscard]] virtual Expected<std::uint64_t> size(const std::string& path) = 0;
  // At most `bytes_max` bytes from `offset`; fewer at the end of the file.
  [[nodiscard]] virtual Expected<std::string> read(const std::string& path, std::uint64_t offset,
                                                   std::size_t bytes_max) = 0;
  [[nodiscard]] virtual Expected<void> remove(const std::string& path) = 0;
  [[nodiscard]] virtual Expected<std::uint64_t> free_bytes(const std::string& directory) = 0;
};

// The machine's own.
[[nodiscard]] std::unique_ptr<StoreFiles> system_files();

}  // namespace kua::collector
