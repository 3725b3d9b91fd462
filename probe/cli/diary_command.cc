#include <fmt/format.h>
#include <unistd.h>

#include "probe/cli/report.h"
#include "probe/cli/setup.h"
#include "probe/cli/small_commands.h"
#include "probe/cli/terminal.h"
#include "probe/diary/diary.h"

namespace kua::probe {
namespace {

Expected<std::vector<Minute>> read_minutes(const ProbeConfig& config, const DiaryOptions& options) {
  const auto state = StateDirectory::open_existing(config.state_dir);
  if (!state) return std::unexpected(state.error());
  const std::string path = state->path_of(kDiaryFile);
  if (::access(path.c_str(), F_OK) != 0) {
    return fail(ErrorKind::not_found, "there is no diary yet; `kua-probe run` writes it", "reading " + path);
  }
  auto diary = Diary::open(path);
  if (!diary) return std::unexpected(diary.error());
  return diary->read(options.from, options.until);
}

std::string run_word(const Terminal& terminal, const DiaryRun& run) {
  if (!run.state) return terminal.paint(Paint::faint, "nobody looked");
  switch (*run.state) {
    case LinkState::online: return terminal.paint(Paint::good, "online");
    case LinkState::offline: return terminal.paint(Paint::bad, "offline");
    case LinkState::international_cut: return terminal.paint(Paint::bad, "nothing abroad can be reached");
    case LinkState::captive: return terminal.paint(Paint::doubtful, "a login page stands before the line");
    case LinkState::dns_broken: return terminal.paint(Paint::doubtful, "the resolver does not answer");
    case LinkState::unknown: return terminal.paint(Paint::faint, "cannot be told");
  }
  return "";
}

std::string minute_text(WallTime time) {
  const std::string text = to_rfc3339(time);  // 2022-01-05T10:55:00Z
  return text.substr(0, 10) + " " + text.substr(11, 5);
}

}  // namespace

ExitCode show_diary(const ProbeConfig& config, const DiaryOptions& options) {
  const auto minutes = read_minutes(config, options);
  if (!minutes) return give_up(minutes.error());
  const Terminal terminal = Terminal::of(STDOUT_FILENO);
  const ProfileName profile = config.schedule.profile.value_or(ProfileName::home);
  const auto step = std::chrono::ceil<std::chrono::minutes>(profile_of(profile).link_period);
  fmt::print("{:<16}   {:<16}  {:>9}  line (times in UTC)\n", "from", "until", "minutes");
  for (const DiaryRun& run : runs_of(*minutes, step)) {
    fmt::print("{:<16} – {:<16}  {:>9}  {}\n", minute_text(run.begin), minute_text(run.end),
               (run.end - run.begin) / std::chrono::minutes(1), run_word(terminal, run));
  }
  return ExitCode::ok;
}

ExitCode export_diary(const ProbeConfig& config, const DiaryOptions& options) {
  const auto minutes = read_minutes(config, options);
  if (!minutes) return give_up(minutes.error());
  fmt::print("{}", write_diary_csv(*minutes));
  return ExitCode::ok;
}

}  // namespace kua::probe
