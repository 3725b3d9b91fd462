#include "collector/command/command_line.h"

#include <gtest/gtest.h>

namespace kua::collector {
namespace {

std::expected<Command, CommandLineEnd> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "kua-collector");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

TEST(CommandLine, EveryCommandHasHelpThatEndsWell) {
  const std::vector<std::vector<const char*>> commands = {
      {"--help"},           {"serve", "--help"},         {"init", "--help"},         {"link", "--help"}, {"invite", "--help"},
      {"lists", "--help"},  {"lists", "keygen", "--help"}, {"lists", "sign", "--help"}, {"lists", "show", "--help"}, {"judge", "--help"}, {"verify", "--help"}, {"import", "ooni", "--help"}, {"export", "ooni", "--help"}, {"--version"}};
  for (const auto& words : commands) {
    const auto end = parse(words);
    ASSERT_FALSE(end.has_value()) << words[0];
    EXPECT_EQ(end.error().code, ExitCode::ok) << words[0];
    EXPECT_FALSE(end.error().text.empty()) << words[0];
  }
}

TEST(CommandLine, AnOptionThatMayBeRepeatedTakesOneWordAtATime) {
  const auto command = parse({"judge", "--list", "a", "--list", "b", "one.zst", "two.zst"});
  ASSERT_TRUE(command.has_value());
  const auto& judge = std::get<JudgeCommand>(*command);
  EXPECT_EQ(judge.lists, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(judge.files, (std::vector<std::string>{"one.zst", "two.zst"}));
}

TEST(CommandLine, WrongUsageIsSaidAndIsExitCodeTwo) {
  const std::vector<std::vector<const char*>> commands = {
      {},
      {"server"},
      {"serve"},
      {"init"},
      {"init", "--dir", "d", "--min-clusters", "0"},
      {"lists"},
      {"lists", "sign", "--key", "k", "--targets", "t", "--out", "o", "--country", "Kazakhstan"},
      {"lists", "sign", "--key", "k", "--targets", "t", "--out", "o", "--days", "15"},
      {"invite", "--dir", "d", "--count", "none"},
      {"judge"},
      {"verify"},
      {"judge", "--json", "--summary", "f"},
      {"import"},
      {"import", "ooni"},
      {"import", "ooni", "--json", "f"},
      {"export", "ooni"},
  };
  for (const auto& words : commands) {
    const auto end = parse(words);
    ASSERT_FALSE(end.has_value());
    EXPECT_EQ(end.error().code, ExitCode::usage);
    EXPECT_FALSE(end.error().text.empty());
  }
}

TEST(CommandLine, OptionsArriveWhereTheyBelong) {
  const auto sign = parse({"lists", "sign", "--key", "k", "--targets", "a.csv,b.csv", "--out", "o", "--country", "KZ",
                           "--serial", "7", "--days", "3"});
  ASSERT_TRUE(sign.has_value());
  const auto& options = std::get<SignOptions>(*sign);
  EXPECT_EQ(options.target_files, (std::vector<std::string>{"a.csv", "b.csv"}));
  EXPECT_EQ(options.country, CountryCode::parse("KZ"));
  EXPECT_EQ(options.serial, 7u);
  EXPECT_EQ(options.valid, std::chrono::days(3));
  const auto init = parse({"init", "--dir", "d", "--endpoint", "a:1", "--endpoint", "b:2", "--min-clusters", "1"});
  ASSERT_TRUE(init.has_value());
  EXPECT_EQ(std::get<InitOptions>(*init).endpoints, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(std::get<InitOptions>(*init).min_clusters, 1);
  EXPECT_EQ(std::get<ServeCommand>(*parse({"serve", "--config", "c"})).config_file, "c");
}

}  // namespace
}  // namespace kua::collector
