#include "platform/log/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>

namespace kua::platform {
namespace {

constexpr std::string_view kDoing = "opening the log ";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Hands each line on without its newline.
class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> receive)
      : receive_(std::move(receive)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    receive_(std::string(to_string(level_of(message.level))) + " " +
             std::string(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  static LogLevel level_of(spdlog::level::level_enum level) {
    if (level == spdlog::level::debug) return LogLevel::debug;
    if (level == spdlog::level::info) return LogLevel::info;
    return level == spdlog::level::warn ? LogLevel::warning : LogLevel::error;
  }

  std::function<void(std::string_view)> receive_;
};

bool is_graphic(unsigned char c) { return c > 0x20 && c < 0x7f; }

// One line stays one line, whatever a peer put into a value.
void append_value(std::string_view value, std::string& out) {
  const bool cut = value.size() > kLogValueBytesMax;
  value = value.substr(0, kLogValueBytesMax);
  const bool plain = !value.empty() && std::ranges::all_of(value, [](unsigned char c) {
    return is_graphic(c) && c != '"' && c != '\\' && c != '=';
  });
  if (plain && !cut) {
    out += value;
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
    } else {
      out += c;
    }
  }
  out += cut ? "…\"" : "\"";
}

}  // namespace

const char* to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

std::optional<LogLevel> parse_log_level(std::string_view text) noexcept {
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (text == to_string(level)) return level;
  }
  return std::nullopt;
}

LogField::LogField(std::string_view name, double number) : key(name) {
  char digits[32];
  value.assign(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

struct Log::Impl {
  Impl(spdlog::sink_ptr sink, LogLevel least) : logger("kua", std::move(sink)) {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
    logger.set_level(spdlog_level(least));
    logger.flush_on(spdlog_level(least));  // a killed program leaves its last words
    logger.set_error_handler([this](const std::string&) { lost_lines.fetch_add(1); });
  }
  spdlog::logger logger;
  std::atomic<std::uint64_t> lost_lines{0};
};

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() = default;

Log Log::to_stderr(LogLevel least) {
  return Log(std::make_unique<Impl>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), least));
}

Expected<Log> Log::to_file(const std::string& path, LogLevel least) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, kLogFileBytesMax,
                                                                       kLogFilesMax - 1);
    return Log(std::make_unique<Impl>(std::move(sink), least));
  } catch (const spdlog::spdlog_ex& exception) {
    return fail(ErrorKind::io, exception.what(), std::string(kDoing) + path);
  }
}

Log Log::to_function(std::function<void(std::string_view)> receive, LogLevel least) {
  return Log(std::make_unique<Impl>(std::make_shared<FunctionSink>(std::move(receive)), least));
}

Log Log::to_nowhere() {
  return Log(
      std::make_unique<Impl>(std::make_shared<spdlog::sinks::null_sink_mt>(), LogLevel::error));
}

void Log::write(LogLevel level, std::string_view message, LogFields fields) {
  if (!impl_->logger.should_log(spdlog_level(level))) return;
  std::string line(message);
  for (const auto& field : fields) {
    line.append(" ").append(field.key).append("=");
    append_value(field.value, line);
  }
  impl_->logger.log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t Log::lost_lines() const noexcept { return impl_->lost_lines.load(); }

}  // namespace kua::platform
