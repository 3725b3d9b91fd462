#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "platform/clock/clock.h"
#include "probe/cli/report.h"
#include "probe/cli/setup.h"
#include "probe/cli/small_commands.h"
#include "probe/limits.h"
#include "probe/spool/spool.h"

namespace kua::probe {
namespace {

const ConsentText& text_of(const ProbeConfig& config) {
  switch (language_of(config)) {
    case verdict::Language::en: return consent_text(ConsentLanguage::english);
    case verdict::Language::ru: return consent_text(ConsentLanguage::russian);
    case verdict::Language::kk: return consent_text(ConsentLanguage::kazakh);
    case verdict::Language::uk: break;  // no text that a lawyer of that tongue has read: the English one
  }
  return consent_text(ConsentLanguage::english);
}

Expected<void> forget_unsent(const StateDirectory& state) {
  if (::access(state.path_of(kSpoolFile).c_str(), F_OK) != 0) return {};
  auto spool = Spool::open(state.path_of(kSpoolFile),
                           {.bytes_max = kSpoolBytesDefault, .age_max = kSpoolAgeDefault});
  if (!spool) return std::unexpected(spool.error());
  return spool->clear();
}

Expected<void> forget_everything(const StateDirectory& state) {
  for (const std::string_view name : {kKeyFile, kJoinFile, kListFile, kMinimumListFile, kSpoolFile,
                                      kDiaryFile, kBudgetFile, kStatusSocket}) {
    for (const char* suffix : {"", "-wal", "-shm", kLossFileSuffix}) {
      if (auto removed = state.remove(std::string(name) + suffix); !removed) return removed;
    }
  }
  return {};
}

}  // namespace

ExitCode show_consent(const ProbeConfig& config) {
  const ConsentText& text = text_of(config);
  fmt::print("{}\n\n{}\n{}\n", text.title, text.basic, text.expert);
  const auto state = StateDirectory::open_existing(config.state_dir);
  const auto consent = state ? read_consent(*state) : Expected<std::optional<Consent>>();
  if (!consent) return give_up(consent.error());
  if (!*consent) {
    fmt::print("On this device: no consent was given. To read, answer and agree: kua-probe consent accept\n");
  } else if ((*consent)->version != kConsentVersion) {
    fmt::print("On this device: consent to an older text (version {}), which no longer counts.\n",
               (*consent)->version);
  } else {
    fmt::print("On this device: consent of level {} since {}.\n", to_string((*consent)->level),
               to_rfc3339((*consent)->given));
  }
  return ExitCode::ok;
}

ExitCode accept_consent(const ProbeConfig& config, ConsentLevel level, ConsentManner manner) {
  const auto state = StateDirectory::open(config.state_dir);
  if (!state) return give_up(state.error());
  if (manner == ConsentManner::quiz) {
    if (::isatty(STDIN_FILENO) == 0) {
      complain("consent is asked for on a terminal; --yes records it without questions, for those who "
               "answer for it");
      return ExitCode::no_consent;
    }
    if (!ask_for_consent(std::cin, std::cout, text_of(config), level)) return ExitCode::no_consent;
  }
  const WallTime now = std::chrono::floor<std::chrono::seconds>(platform::SystemClock().wall_now());
  const Consent consent{.level = level, .manner = manner, .given = now};
  if (auto written = write_consent(*state, consent); !written) return give_up(written.error());
  if (manner == ConsentManner::declared) fmt::print("Consent of level {} recorded.\n", to_string(level));
  return ExitCode::ok;
}

ExitCode withdraw(const ProbeConfig& config, Withdrawal extent) {
  const auto state = StateDirectory::open_existing(config.state_dir);
  if (!state) {
    if (state.error().kind != ErrorKind::not_found) return give_up(state.error());
    fmt::print("There is nothing to withdraw: {} does not exist.\n", config.state_dir);
    return ExitCode::ok;
  }
  if (auto done = withdraw_consent(*state); !done) return give_up(done.error());
  const auto forgotten = extent == Withdrawal::everything ? forget_everything(*state) : forget_unsent(*state);
  if (!forgotten) return give_up(forgotten.error());
  fmt::print("{}\n", extent == Withdrawal::everything
                         ? "Consent withdrawn, and everything kua-probe kept here is deleted."
                         : "Consent withdrawn; what was not sent yet is deleted. A running kua-probe "
                           "stops within a minute.");
  return ExitCode::ok;
}

}  // namespace kua::probe
