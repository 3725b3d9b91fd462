#include "probe/daemon/audiences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "probe/cli/step_view.h"

namespace kua::probe {
namespace {

// Local time of day: this is for the person at the terminal. Everything that is kept is in UTC.
std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string line_sentence(const LineLook& look) {
  switch (look.state) {
    case LinkState::online: return "the line is online";
    case LinkState::offline: return "the line is offline: no target is tested, and none is accused";
    case LinkState::captive: return "a login page stands before the line: no target is tested";
    case LinkState::dns_broken: return "the resolver does not answer: no target is tested";
    case LinkState::international_cut:
      return "nothing abroad can be reached, places inside the country can: no target is tested";
    case LinkState::unknown: return "it cannot be told whether the line works: there are too few controls to ask";
  }
  return "";
}

}  // namespace

void QuietAudience::on_look(const LineLook& look) {
  log_.debug("looked at the line", {{"state", to_string(look.state)}});
}

void QuietAudience::on_measurement(const Measurement& measurement, const std::vector<Verdict>& verdicts) {
  log_.debug("measured", {{"target", measurement.target.text()}, {"state", to_string(summarize(verdicts))}});
}

void PlainAudience::on_look(const LineLook& look) {
  if (state_ == look.state) return;
  state_ = look.state;
  const std::string word = look.state == LinkState::online ? terminal_.paint(Paint::good, "line")
                                                           : terminal_.paint(Paint::doubtful, "line");
  fmt::print("{}  {}{:10}  {}\n", terminal_.paint(Paint::faint, clock_text()), word, "", line_sentence(look));
  if (look.record.header.vantage.faults.vpn) {
    fmt::print("{:10}{}\n", "", "what leaves here goes through a VPN: no target is tested");
  }
  std::fflush(stdout);
}

void PlainAudience::on_measurement(const Measurement& measurement, const std::vector<Verdict>& verdicts) {
  const State state = summarize(verdicts);
  // Padded before it is painted: escape sequences have no width.
  std::string word = to_string(state);
  std::ranges::replace(word, '_', ' ');
  const std::string padding(word.size() < 14 ? 14 - word.size() : 0, ' ');
  fmt::print("{}  {}{}  {}\n", terminal_.paint(Paint::faint, clock_text()), state_word(terminal_, state), padding,
             verdict::explain(verdicts, language_));
  if (state != State::ok) fmt::print("{:26}{}\n", "", terminal_.paint(Paint::faint, printable(measurement.input, 100)));
  std::fflush(stdout);
}

}  // namespace kua::probe
