#include "probe/cli/doctor.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <exception>
#include <fstream>

#include "platform/privilege/privilege.h"
#include "probe/cli/line_look.h"
#include "probe/cli/report.h"
#include "probe/cli/reporting.h"
#include "probe/cli/terminal.h"
#include "probe/consent/consent.h"
#include "probe/vantage/clock_check.h"
#include "probe/vantage/tunnel.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;

enum class Health { ok, warn, fail };

class Findings {
 public:
  explicit Findings(Terminal terminal) : terminal_(std::move(terminal)) {}

  void tell(Health health, std::string_view what, std::string_view seen, std::string_view advice = {}) {
    if (health == Health::fail) failed_ = true;
    fmt::print("{} {:<12} {}\n", mark(health), what, seen);
    if (!advice.empty()) fmt::print("{:6}{:<12} → {}\n", "", "", advice);
    std::fflush(stdout);
  }
  [[nodiscard]] ExitCode exit_code() const { return failed_ ? ExitCode::failure : ExitCode::ok; }

 private:
  [[nodiscard]] std::string mark(Health health) const {
    switch (health) {
      case Health::ok: return terminal_.paint(Paint::good, "ok   ");
      case Health::warn: return terminal_.paint(Paint::doubtful, "warn ");
      case Health::fail: return terminal_.paint(Paint::bad, "fail ");
    }
    return "";
  }
  Terminal terminal_;
  bool failed_ = false;
};

// CAP_NET_RAW is bit 13 of the effective set (capabilities(7)).
bool has_raw_sockets() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("CapEff:")) return (std::stoull(line.substr(7), nullptr, 16) >> 13 & 1) != 0;
  }
  return false;
}

void examine_consent(const Setup& setup, Findings& findings) {
  const auto basic = require_consent(setup.state, ConsentLevel::basic);
  if (!basic) return findings.tell(Health::fail, "consent", "none that counts", basic.error().message);
  const bool expert = require_consent(setup.state, ConsentLevel::expert).has_value();
  findings.tell(Health::ok, "consent", expert ? "expert" : "basic");
  if (!expert) return;
  if (has_raw_sockets()) {
    findings.tell(Health::ok, "raw sockets", "may be opened");
  } else {
    findings.tell(Health::warn, "raw sockets", "may not be opened, so there is no capture and no path trace",
                  "start as root, or: setcap cap_net_raw+ep kua-probe");
  }
}

void examine_user(const std::string& user_change, Findings& findings) {
  if (!user_change.empty()) return findings.tell(Health::ok, "user", user_change);
  findings.tell(platform::is_root() ? Health::warn : Health::ok, "user",
                platform::is_root() ? "root" : fmt::format("unprivileged, number {}", ::geteuid()));
}

void examine_disk(const Setup& setup, Findings& findings) {
  struct statvfs facts {};
  if (::statvfs(setup.state.path().c_str(), &facts) != 0) return;
  const auto free = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  const std::string seen = fmt::format("{:.0f} MB free under {}", static_cast<double>(free) / 1e6, setup.state.path());
  if (free < setup.config.spool.bytes_max) {
    findings.tell(Health::warn, "disk", seen, "less than spool.bytes_max: free some, or lower it");
  } else {
    findings.tell(Health::ok, "disk", seen);
  }
}

void examine_resolver(const Setup& setup, const LineLook& look, Findings& findings) {
  if (setup.resolvers.empty()) {
    return findings.tell(Health::fail, "resolver", "none in " + setup.config.resolver.resolv_conf,
                         "set resolver.resolv_conf, or repair the system's resolver");
  }
  if (look.state == LinkState::dns_broken) {
    return findings.tell(Health::fail, "resolver", "does not answer", "restart the router; ask your provider");
  }
  switch (setup.vantage.resolver_class) {
    case ResolverClass::network: return findings.tell(Health::ok, "resolver", "the network's own");
    case ResolverClass::third_party:
      return findings.tell(Health::warn, "resolver", "a public one that you chose",
                           "its answers tell nothing about your provider; use the provider's to measure DNS blocking");
    case ResolverClass::local_filter:
      return findings.tell(Health::warn, "resolver", "filters by itself (a Pi-hole, a family filter)",
                           "its answers tell nothing about your provider; give this device the provider's resolver");
    case ResolverClass::unknown:
      return findings.tell(Health::warn, "resolver", "on the home network; whether it filters could not be told",
                           "its answers accuse nobody. If it only forwards: resolver.class: network");
  }
}

void examine_line(const Setup& setup, const LineLook& look, Findings& findings) {
  const std::string state = to_string(look.state);
  if (setup.vantage.faults.vpn) {
    findings.tell(Health::fail, "vpn", "what leaves here goes through a tunnel: nothing is tested",
                  "end the VPN while measuring; on a line that is a tunnel by nature: vantage.detect_vpn: false");
  } else {
    findings.tell(Health::ok, "vpn", "none in the way");
  }
  if (setup.vantage.faults.tls_inspected) {
    findings.tell(Health::warn, "inspection", "sites abroad are signed for by an authority added on this machine",
                  "an antivirus or a company's proxy opens TLS; what is measured here accuses nobody");
  }
  if (look.state == LinkState::online) {
    findings.tell(Health::ok, "line", "online");
  } else if (look.state == LinkState::unknown) {
    findings.tell(Health::warn, "line", "cannot be told: no control target to ask", "join an operator, whose list has some");
  } else {
    findings.tell(Health::fail, "line", state + ": no target is tested meanwhile");
  }
  if (!setup.config.schedule.ipv6) {
    findings.tell(Health::ok, "ipv6", "switched off in the configuration");
  } else if (!outgoing_interface(Family::ip6)) {
    findings.tell(Health::ok, "ipv6", "not on this line");
  } else if (setup.vantage.faults.ipv6_broken) {
    findings.tell(Health::warn, "ipv6", "there is a route, and nothing comes back", "tests go by IPv4; ask your provider");
  } else {
    findings.tell(Health::ok, "ipv6", "there is a route");
  }
}

void examine_clock(const std::optional<Microseconds>& error, Findings& findings) {
  if (!error) return findings.tell(Health::warn, "clock", "nobody told the time to compare with");
  const double seconds = static_cast<double>(error->count()) / 1e6;
  const std::string seen = fmt::format("{:.0f} s {}", std::abs(seconds), seconds > 0 ? "slow" : "fast");
  if (is_wrong(*error)) {
    findings.tell(Health::fail, "clock", seen, "set it, or switch NTP on (timedatectl set-ntp true)");
  } else {
    findings.tell(Health::ok, "clock", std::abs(seconds) < 2 ? "right" : seen);
  }
}

void examine_list(const Setup& setup, WallTime now, Findings& findings) {
  switch (setup.lists.standing(now)) {
    case ListStanding::current: {
      const auto left = setup.lists.list()->expires - now;
      return findings.tell(Health::ok, "list",
                           fmt::format("number {}, {} targets, holds {} more days", setup.lists.list()->serial,
                                       setup.lists.list()->targets.size(), left / std::chrono::hours(24)));
    }
    case ListStanding::minimum:
      return findings.tell(Health::warn, "list", "expired: the minimum list of the join link is used",
                           "it is fetched again as soon as the collector can be reached");
    case ListStanding::link_only:
      return findings.tell(Health::warn, "list", "none that holds: only the line itself is looked at",
                           setup.membership ? "it is fetched as soon as the collector can be reached"
                                            : "join an operator: kua-probe join kua://…");
  }
}

class Doctor {
 public:
  Doctor(Setup& setup, const TrustStore& trust, Findings& findings)
      : setup_(setup), trust_(trust), findings_(findings) {}

  asio::awaitable<void> run(asio::any_io_executor executor) {
    const LineLook look = co_await look_at_line(setup_, memory_, clock_, trust_);
    examine_resolver(setup_, look, findings_);
    examine_line(setup_, look, findings_);
    std::optional<Microseconds> error = look.clock_error;
    co_await examine_collector(std::move(executor), error);
    examine_clock(error, findings_);
    examine_list(setup_, clock_.wall_now(), findings_);
  }

 private:
  asio::awaitable<void> examine_collector(asio::any_io_executor executor, std::optional<Microseconds>& error) {
    if (!setup_.membership) {
      findings_.tell(Health::warn, "collector", "none was joined", "kua-probe join kua://…");
      co_return;
    }
    if (!setup_.config.uplink.enabled) {
      findings_.tell(Health::ok, "collector", "switched off: results stay here");
      co_return;
    }
    Uplink uplink = make_uplink(setup_, std::move(executor), clock_);
    const auto enrolled = co_await enrol(setup_, uplink);
    const bool pin_fits = uplink.take_wrong_pins().empty();
    if (enrolled) {
      // Its time is under the pin, which no Date header is.
      error = setup_.membership->network->server_time - system_clock_.wall_now();
      (void)co_await refresh_list(setup_, uplink, clock_);
      findings_.tell(Health::ok, "collector", "answers, and its key is the pinned one");
    } else if (!pin_fits) {
      findings_.tell(Health::fail, "collector", "somebody stands between: another key than the pinned one was presented",
                     "nothing was sent. Ask your operator whether keys were changed; else your line is intercepted");
    } else {
      findings_.tell(Health::fail, "collector", enrolled.error().text(),
                     "results wait on this device; try another line, or a proxy (uplink.socks5)");
    }
  }

  Setup& setup_;
  const TrustStore& trust_;
  Findings& findings_;
  platform::SystemClock system_clock_;
  AnchoredClock clock_{system_clock_};
  LineMemory memory_;
};

}  // namespace

ExitCode run_doctor(const ProbeConfig& config, const std::string& user_change) {
  Findings findings(Terminal::of(STDOUT_FILENO));
  auto setup = Setup::make(config);
  if (!setup) {
    findings.tell(Health::fail, "state", setup.error().text());
    return findings.exit_code();
  }
  findings.tell(Health::ok, "probe", setup->identity.id.text());
  examine_user(user_change, findings);
  examine_consent(*setup, findings);
  examine_disk(*setup, findings);
  for (const std::string& notice : setup->notices) findings.tell(Health::warn, "state", notice);
  const auto trust = load_trust(setup->config);
  if (!trust) {
    findings.tell(Health::fail, "authorities", trust.error().text(), "install ca-certificates, or set trust.ca_file");
    return findings.exit_code();
  }
  if (!require_consent(setup->state, ConsentLevel::basic)) return findings.exit_code();  // nothing is asked of the line
  asio::io_context context(1);
  Doctor doctor(*setup, *trust, findings);
  std::exception_ptr broken;
  asio::co_spawn(context, doctor.run(context.get_executor()), [&](std::exception_ptr e) { broken = e; });
  context.run();
  if (broken) findings.tell(Health::fail, "program", "a library threw an exception that it does not document");
  return findings.exit_code();
}

}  // namespace kua::probe
