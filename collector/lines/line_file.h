// Lines of a file of any size: plain, gzip or zstd, told by its first bytes; "-" is standard input.
// What is held in memory is one line and a few buffers, whatever the file claims to unpack to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/error.h"

namespace kua::collector {

// Whether the same lines have to be read a second time; standard input is then kept in a temporary
// file that has no name.
enum class Reading : std::uint8_t { once, twice };

struct FileLine {
  std::uint64_t number = 0;  // from 1
  std::string_view text;     // without its line end; empty when it is too long
  bool too_long = false;     // longer than was asked for; passed over whole
};

class LineFile {
 public:
  // Errors: not_found, io.
  [[nodiscard]] static Expected<LineFile> open(const std::string& path, std::size_t line_bytes_max,
                                               Reading reading);
  // An open file of ours, from its begin; it is closed with this.
  [[nodiscard]] static LineFile over(std::FILE* file, const std::string& name,
                                     std::size_t line_bytes_max);
  LineFile(LineFile&&) noexcept;
  LineFile& operator=(LineFile&&) noexcept;
  ~LineFile();

  // Borrowed until the next call. nullopt at the end. Errors end the reading: io, invalid_input
  // (damaged or cut off), limit (a bomb: limits::kUnpackedBytesMax and kUnpackedRatioMax).
  [[nodiscard]] Expected<std::optional<FileLine>> next();
  // To the first line again; only after open(…, Reading::twice) or of a file.
  [[nodiscard]] Expected<void> rewind();

  [[nodiscard]] const std::string& name() const noexcept;                    // for people
  [[nodiscard]] std::uint64_t bytes_read() const noexcept;                   // packed
  [[nodiscard]] std::optional<std::uint64_t> bytes_in_all() const noexcept;  // unknown of a pipe

 private:
  struct Impl;
  explicit LineFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::collector
