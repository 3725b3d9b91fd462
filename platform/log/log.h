// Structured lines for operators, a message and fields:
//   2022-01-05T10:55:10.123Z info listening name=desk address=127.0.0.1:9090
// No line ever holds an address of a probe: addresses and endpoints do not convert to fields, and
// what a program shows of its own listeners it spells out as text. spdlog stays inside log.cc.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/address.h"
#include "measurement/error.h"

namespace kua::platform {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
[[nodiscard]] const char* to_string(LogLevel level) noexcept;
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text) noexcept;

// key=value. The value is quoted where it holds anything but graphic ASCII; borrows the key.
struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(text) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag ? "true" : "false") {}
  LogField(std::string_view name, std::integral auto number)
      : key(name), value(std::to_string(number)) {}
  LogField(std::string_view name, double number);
  LogField(std::string_view name, const IpAddress&) = delete;
  LogField(std::string_view name, const Endpoint&) = delete;

  std::string_view key;
  std::string value;
};
using LogFields = std::initializer_list<LogField>;

// Where the lines of one program go. One owner; borrowed by whoever writes. Lines may be written
// from any thread, whole. A line that cannot be written is counted, never an error of its writer.
class Log {
 public:
  [[nodiscard]] static Log to_stderr(LogLevel least);
  // Kept to kLogFileBytesMax in kLogFilesMax files: log, log.1, … Errors: io.
  [[nodiscard]] static Expected<Log> to_file(const std::string& path, LogLevel least);
  // For tests: called with each line, without time and newline.
  [[nodiscard]] static Log to_function(std::function<void(std::string_view)> receive,
                                       LogLevel least);
  [[nodiscard]] static Log to_nowhere();

  // `message` is a fixed sentence of ours, in lower case; what varies goes into fields.
  void write(LogLevel level, std::string_view message, LogFields fields = {});
  void debug(std::string_view message, LogFields fields = {}) {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, LogFields fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void warning(std::string_view message, LogFields fields = {}) {
    write(LogLevel::warning, message, fields);
  }
  void error(std::string_view message, LogFields fields = {}) {
    write(LogLevel::error, message, fields);
  }

  [[nodiscard]] std::uint64_t lost_lines() const noexcept;

  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  ~Log();

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Bytes of a file, weeks of a probe at `info`; files, the current one and two before it; bytes of a
// value, whose rest becomes "…".
inline constexpr std::size_t kLogFileBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kLogFilesMax = 3;
inline constexpr std::size_t kLogValueBytesMax = 1024;

}  // namespace kua::platform
