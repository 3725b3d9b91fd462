// kua-collector's command line as a value. CLI11 stays inside command_line.cc.
#pragma once

#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "collector/lists/list_commands.h"
#include "collector/ooni/ooni_commands.h"
#include "collector/rejudge/judge_command.h"
#include "collector/setup/operator_files.h"

namespace kua::collector {

// Documented in --help; scripts may rely on them.
enum class ExitCode : int { ok = 0, usage = 2, incomplete = 3, failed = 4 };

struct ServeCommand {
  std::string config_file;
};
struct InviteCommand {
  std::string directory;
  int count = 1;
};
struct VerifyCommand {
  std::vector<std::string> files;  // of the record log
};
struct KeygenCommand {
  std::string out_file;
};

using Command = std::variant<ServeCommand, InitOptions, LinkOptions, InviteCommand, KeygenCommand, SignOptions, ShowOptions, VerifyCommand, JudgeCommand,
                             ImportOoniCommand, ExportOoniCommand>;

// What to print instead of running something: help, a version, or what is wrong.
struct CommandLineEnd {
  ExitCode code = ExitCode::ok;
  std::string text;
};

[[nodiscard]] std::expected<Command, CommandLineEnd> parse_command_line(int argc, const char* const* argv);

}  // namespace kua::collector
