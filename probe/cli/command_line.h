// The command line as a value. CLI11 stays inside command_line.cc.
#pragma once

#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "measurement/time.h"
#include "probe/bench/bench_driver.h"
#include "probe/cli/check.h"
#include "probe/cli/small_commands.h"

namespace kua::probe {

enum class RunDisplay { log, show };  // show: one plain line for each look and each target

struct RunCommand { RunDisplay display = RunDisplay::log; };
struct CheckCommand { CheckOptions options; };
struct StatusCommand { CheckOutput output = CheckOutput::text; };
struct DoctorCommand {};
struct JoinCommand { std::string link; };
struct ConsentShowCommand {};
struct ConsentAcceptCommand {
  ConsentLevel level = ConsentLevel::basic;
  ConsentManner manner = ConsentManner::quiz;
};
struct ConsentWithdrawCommand { Withdrawal extent = Withdrawal::unsent_records; };
struct TargetsListCommand {};
struct TargetsValidateCommand { std::vector<std::string> files; };
struct TargetsImportCommand { ImportOptions options; };
struct DiaryShowCommand { DiaryOptions options; };
struct DiaryExportCommand { DiaryOptions options; };
struct BenchCommand { BenchOptions options; };

using Command = std::variant<RunCommand, CheckCommand, StatusCommand, DoctorCommand, JoinCommand,
                             ConsentShowCommand, ConsentAcceptCommand, ConsentWithdrawCommand,
                             TargetsListCommand, TargetsValidateCommand, TargetsImportCommand,
                             DiaryShowCommand, DiaryExportCommand, BenchCommand>;

struct CommandLine {
  std::string config_path;  // empty: not given
  Command command;
};

// What was asked for, or the exit code after help or an error was printed. `now` gives the diary's
// default range.
[[nodiscard]] std::expected<CommandLine, int> parse_command_line(int count, const char* const* words,
                                                                 WallTime now);

}  // namespace kua::probe
