// kua-probe: the command line decides which of the few ways through the probe is taken.
#include <cstdio>

#include "platform/clock/clock.h"
#include "probe/cli/command_line.h"
#include "probe/cli/report.h"
#include "probe/cli/reporting.h"
#include "probe/cli/setup.h"

namespace kua::probe {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

// Commands that touch the state directory: never as root.
ExitCode with_state(const ProbeConfig& config, const Command& command) {
  const auto changed = become_unprivileged(config);
  if (!changed) return give_up(changed.error());
  if (!changed->empty()) complain(*changed);
  return std::visit(
      Overloaded{
          [&](const CheckCommand& check) {
            auto setup = Setup::make(config);
            return setup ? run_check(std::move(*setup), check.options) : give_up(setup.error());
          },
          [&](const JoinCommand& join_command) { return join(config, join_command.link); },
          [&](const ConsentShowCommand&) { return show_consent(config); },
          [&](const ConsentAcceptCommand& accept) { return accept_consent(config, accept.level, accept.manner); },
          [&](const ConsentWithdrawCommand& command_) { return withdraw(config, command_.extent); },
          [&](const TargetsListCommand&) { return list_targets(config); },
          [&](const DiaryShowCommand& diary) { return show_diary(config, diary.options); },
          [&](const DiaryExportCommand& diary) { return export_diary(config, diary.options); },
          [&](const auto&) { return ExitCode::usage; },
      },
      command);
}

ExitCode dispatch(const CommandLine& line) {
  if (const auto* validate = std::get_if<TargetsValidateCommand>(&line.command)) {
    return validate_targets(validate->files);
  }
  if (const auto* import = std::get_if<TargetsImportCommand>(&line.command)) {
    return import_targets(import->options);
  }
  const auto config = load_config(line.config_path);
  return config ? with_state(*config, line.command) : give_up(config.error());
}

}  // namespace
}  // namespace kua::probe

int main(int count, char** words) {
  const kua::platform::SystemClock clock;
  const auto line = kua::probe::parse_command_line(count, words, clock.wall_now());
  if (!line) return line.error();
  return static_cast<int>(kua::probe::dispatch(*line));
}
