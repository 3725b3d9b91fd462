#include "probe/daemon/status_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "probe/cli/report.h"
#include "probe/cli/terminal.h"
#include "probe/consent/consent.h"
#include "probe/daemon/status.h"

namespace kua::probe {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}
std::int64_t number_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}
bool flag_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}
json::object object_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

std::string megabytes(std::int64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

void say(const Terminal& terminal, std::string_view what, std::string_view text) {
  fmt::print("{}{}\n", terminal.paint(Paint::strong, fmt::format("{:<12}", what)), text);
}

std::string line_text(const json::object& line) {
  std::string out = text_at(line, "state") + " since " + text_at(line, "since");
  if (flag_at(line, "vpn")) out += "; behind a VPN";
  if (flag_at(line, "clock_wrong")) out += "; the wall clock is wrong";
  if (flag_at(line, "ipv6_broken")) out += "; IPv6 does not work";
  if (flag_at(line, "tls_inspected")) out += "; something here opens TLS, so nobody is accused";
  if (!flag_at(line, "measuring")) out += "; no target is tested now";
  return out;
}

std::string report_text(const json::object& reports) {
  if (text_at(reports, "operator").empty()) return "to nobody: kua-probe join kua://…";
  std::string out = "to " + printable(text_at(reports, "operator"), 80);
  if (!flag_at(reports, "on")) return out + ": switched off in the configuration";
  out += flag_at(reports, "enrolled") ? "" : ", not enrolled yet";
  const std::string delivered = text_at(reports, "last_delivery");
  out += delivered.empty() ? ", nothing delivered yet" : ", last delivered " + delivered;
  out += fmt::format(", {} records accepted, {} refused", number_at(reports, "accepted"),
                     number_at(reports, "rejected"));
  if (number_at(reports, "wrong_pins") > 0) {
    out += fmt::format("; a wrong key was presented {} times, and nothing was sent to it",
                       number_at(reports, "wrong_pins"));
  }
  return out;
}

std::string list_text(const json::object& list) {
  const std::string standing = text_at(list, "standing");
  if (standing == "link_only") return "none that holds: only the line itself is looked at";
  return fmt::format("{}, {} key, {} core, {} full targets{}",
                     standing == "current" ? fmt::format("number {} until {}", number_at(list, "serial"),
                                                         text_at(list, "expires"))
                                           : "the minimum list of the join link",
                     number_at(list, "key"), number_at(list, "core"), number_at(list, "full"),
                     standing == "current" ? "" : "; a newer one could not be fetched");
}

void print_words(const json::object& status) {
  const Terminal terminal = Terminal::of(STDOUT_FILENO);
  const json::object budget = object_at(status, "budget");
  const json::object spool = object_at(status, "spool");
  const json::object reports = object_at(status, "reports");
  fmt::print("{} runs as process {} since {}\n", text_at(status, "software"), number_at(status, "process"),
             text_at(status, "started"));
  say(terminal, "line", line_text(object_at(status, "line")));
  say(terminal, "reports", report_text(reports));
  if (const std::string trouble = text_at(reports, "trouble"); !trouble.empty()) {
    say(terminal, "", terminal.paint(Paint::doubtful, trouble));
  }
  say(terminal, "list", list_text(object_at(status, "list")));
  say(terminal, "data today", fmt::format("{} of at most {} (profile {})", megabytes(number_at(budget, "bytes_today")),
                                          megabytes(number_at(budget, "bytes_per_day")), text_at(budget, "profile")));
  std::string waiting = fmt::format("{} records, {}", number_at(spool, "records"), megabytes(number_at(spool, "bytes")));
  for (const auto& [name, times] : object_at(spool, "losses")) {
    waiting += fmt::format("; lost {}: {}", std::string(name), times.is_int64() ? times.get_int64() : 0);
  }
  if (const auto* waits = reports.if_contains("backlog_waits"); waits != nullptr && *waits == true) {
    waiting += "; older ones go as the day's budget allows";
  }
  say(terminal, "waiting", waiting);
}

}  // namespace

ExitCode show_status(const ProbeConfig& config, CheckOutput output) {
  const auto answer = ask_status(config.state_dir + "/" + std::string(kStatusSocket));
  if (!answer) {
    if (answer.error().kind != ErrorKind::unavailable) return give_up(answer.error());
    if (output == CheckOutput::json) {
      fmt::print("{{\"running\":false}}\n");
    } else {
      fmt::print("No kua-probe is running with {}. Start it: kua-probe run\n", config.state_dir);
    }
    return ExitCode::not_reached;
  }
  if (output == CheckOutput::json) {
    fmt::print("{}", *answer);
    return ExitCode::ok;
  }
  boost::system::error_code problem;
  const json::value status = json::parse(*answer, problem);
  if (problem || !status.is_object()) {
    return give_up(Error{ErrorKind::internal, "its answer is no JSON object", "asking the running probe"});
  }
  print_words(status.get_object());
  return ExitCode::ok;
}

}  // namespace kua::probe
