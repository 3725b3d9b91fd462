#include "platform/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <type_traits>
#include <vector>

#include "tests/support/temp_directory.h"

namespace kua::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string file_text(const std::string& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(Log, WritesMessageAndFields) {
  std::vector<std::string> lines;
  auto log =
      Log::to_function([&](std::string_view line) { lines.emplace_back(line); }, LogLevel::debug);
  log.info("listening", {{"name", "desk"}, {"address", "127.0.0.1:9090"}, {"tls", false}});
  log.debug("committed", {{"records", 12u}, {"seconds", 0.25}, {"offset", -3}});
  log.warning("nothing to add");
  EXPECT_THAT(lines, ElementsAre("info listening name=desk address=127.0.0.1:9090 tls=false",
                                 "debug committed records=12 seconds=0.25 offset=-3",
                                 "warning nothing to add"));
}

TEST(Log, OneLineStaysOneLine) {
  std::vector<std::string> lines;
  auto log =
      Log::to_function([&](std::string_view line) { lines.emplace_back(line); }, LogLevel::info);
  log.error("refused", {{"why", "a b"},
                        {"empty", ""},
                        {"quote", "\"\\"},
                        {"evil", "x\ny\x1b[2J\x7f"},
                        {"pair", "a=b"}});
  EXPECT_THAT(
      lines,
      ElementsAre(
          R"(error refused why="a b" empty="" quote="\"\\" evil="x\x0ay\x1b[2J\x7f" pair="a=b")"));
  lines.clear();
  log.info("long", {{"value", std::string(5'000, 'x')}});
  EXPECT_EQ(lines.front(), "info long value=\"" + std::string(kLogValueBytesMax, 'x') + "…\"");
}

TEST(Log, KeepsQuietBelowItsLevel) {
  int lines = 0;
  auto log = Log::to_function([&](std::string_view) { ++lines; }, LogLevel::warning);
  log.debug("a");
  log.info("b");
  EXPECT_EQ(lines, 0);
  log.warning("c");
  log.error("d");
  EXPECT_EQ(lines, 2);
  Log::to_nowhere().error("x");
}

TEST(Log, AddressesDoNotConvertToFields) {
  static_assert(!std::is_constructible_v<LogField, std::string_view, const IpAddress&>);
  static_assert(!std::is_constructible_v<LogField, std::string_view, const Endpoint&>);
  static_assert(std::is_constructible_v<LogField, std::string_view, const std::string&>);
}

TEST(Log, AFileHasTimeAndLevelAndIsThereAtOnce) {
  const test::TempDirectory directory;
  const auto path = directory.file("probe.log");
  auto log = Log::to_file(path, LogLevel::info);
  ASSERT_TRUE(log) << log.error().text();
  log->info("started", {{"version", "0.1.0"}});
  EXPECT_THAT(file_text(path),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z info started version=0.1.0\n"));
  EXPECT_EQ(log->lost_lines(), 0u);
}

TEST(Log, FilesAreBounded) {
  const test::TempDirectory directory;
  const auto path = directory.file("probe.log");
  auto log = Log::to_file(path, LogLevel::info);
  ASSERT_TRUE(log);
  const std::string value(kLogValueBytesMax, 'x');
  for (std::size_t i = 0; i < (kLogFilesMax + 1) * kLogFileBytesMax / kLogValueBytesMax; ++i) {
    log->info("fill", {{"value", value}});
  }
  std::uintmax_t bytes = 0;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    bytes += entry.file_size();
    ++files;
  }
  EXPECT_EQ(files, kLogFilesMax);
  EXPECT_LE(bytes, kLogFilesMax * kLogFileBytesMax);
}

TEST(Log, AFileThatCannotBeOpenedIsAnError) {
  const test::TempDirectory directory;
  EXPECT_EQ(Log::to_file(directory.path(), LogLevel::info).error().kind, ErrorKind::io);
}

TEST(Log, LevelsHaveNames) {
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    EXPECT_EQ(parse_log_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace kua::platform
