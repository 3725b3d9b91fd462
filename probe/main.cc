// kua-probe. What runs is built here by hand, from the disk upwards:
//
//   configuration → state directory → identity, membership, list → resolvers, vantage        (Setup)
//        spool  diary  uplink  schedule  budget                                              (Parts)
//          line watch ── gates ──▶ target loop ── records ──▶ report loop ──▶ collector
//               └──────────────── status socket ────────────────┘
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <malloc.h>
#include <optional>
#include <unistd.h>

#include "platform/crypto/crypto.h"
#include "probe/cli/command_line.h"
#include "probe/cli/doctor.h"
#include "probe/cli/report.h"
#include "probe/cli/reporting.h"
#include "probe/cli/setup.h"
#include "probe/daemon/audiences.h"
#include "probe/daemon/budget_file.h"
#include "probe/daemon/line_watch.h"
#include "probe/daemon/report_loop.h"
#include "probe/daemon/status.h"
#include "probe/daemon/status_command.h"
#include "probe/daemon/target_loop.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;

constexpr Microseconds kFirstRoundShown = std::chrono::minutes(2);
constexpr std::chrono::minutes kSaveBudgetAgain{10};

platform::Log make_log(const ProbeConfig& config, RunDisplay display) {
  // A person who is shown the results reads no log beside them, but what goes wrong.
  if (display == RunDisplay::show) return platform::Log::to_stderr(platform::LogLevel::warning);
  switch (config.log_level) {
    case LogLevel::debug: return platform::Log::to_stderr(platform::LogLevel::debug);
    case LogLevel::info: return platform::Log::to_stderr(platform::LogLevel::info);
    case LogLevel::warning: return platform::Log::to_stderr(platform::LogLevel::warning);
    case LogLevel::error: return platform::Log::to_stderr(platform::LogLevel::error);
  }
  return platform::Log::to_stderr(platform::LogLevel::info);
}

std::unique_ptr<Audience> make_audience(const ProbeConfig& config, RunDisplay display, platform::Log& log) {
  if (display == RunDisplay::log) return std::make_unique<QuietAudience>(log);
  return std::make_unique<PlainAudience>(Terminal::of(STDOUT_FILENO), language_of(config));
}

// The running probe. Members are built in the order in which they stand and torn down in reverse.
class RunningProbe {
 public:
  RunningProbe(Setup setup, TrustStore trust, Spool spool, Diary diary, RunDisplay display)
      : setup_(std::move(setup)),
        trust_(std::move(trust)),
        spool_(std::move(spool)),
        diary_(std::move(diary)),
        log_(make_log(setup_.config, display)),
        audience_(make_audience(setup_.config, display, log_)),
        clock_(system_clock_),
        schedule_({.profile = profile_of(profile_now(setup_)),
                   .time_scale = setup_.config.lab.time_scale,
                   .seed = platform::random_u64(),
                   .categories_off = setup_.config.schedule.categories_off,
                   .first_round = display == RunDisplay::show ? std::optional(kFirstRoundShown) : std::nullopt},
                  clock_.monotonic_now()),
        budget_(plan_now(setup_, schedule_)),
        uplink_(reports_wanted() ? std::optional<Uplink>(make_uplink(setup_, context_.get_executor(), clock_))
                                 : std::nullopt),
        parts_{context_.get_executor(), setup_, clock_,  trust_,  spool_, diary_, schedule_,
               budget_, uplink_ ? &*uplink_ : nullptr, log_, *audience_,
               clock_.wall_now(), clock_.monotonic_now()},
        line_(parts_),
        targets_(parts_, line_) {
    if (uplink_) reports_.emplace(parts_, line_);
    budget_.restore(load_budget(setup_.state));
    connect();
  }

  // Until a signal or the owner's withdrawal ends it.
  ExitCode run() {
    tell_beginning();
    if (auto status = listen_for_status(); !status) return give_up(status.error());
    start(line_.run(), [this] { stop(ExitCode::no_consent); });
    start(targets_.run(), [] {});
    if (reports_) start(reports_->run(), [] {});
    start(status_->run(), [] {});
    save_budget_later();
    asio::signal_set signals(context_, SIGINT, SIGTERM);
    signals.async_wait([this](const boost::system::error_code& problem, int) {
      if (!problem) stop(ExitCode::ok);
    });
    context_.run();
    if (reports_) reports_->charge();
    if (exit_code_ == ExitCode::no_consent) {
      if (auto cleared = spool_.clear(); !cleared) complain(cleared.error());  // what the last tests left
    } else if (auto saved = save_budget(setup_.state, budget_.day()); !saved) {
      complain(saved.error());
    }
    (void)setup_.state.remove(kStatusSocket);
    log_.info("stopped");
    return exit_code_;
  }

 private:
  [[nodiscard]] bool reports_wanted() const { return setup_.membership && setup_.config.uplink.enabled; }

  // Who tells whom: the line gates the targets, records and changes of the line hurry the reports, the
  // collector's list and advice go back to the schedule.
  void connect() {
    line_.on_change = [this] {
      targets_.wake();
      if (!reports_) return;
      if (line_.fit()) {
        reports_->line_returned();
      } else {
        reports_->hurry();
      }
    };
    targets_.on_record = [this](TargetLoop::Told told) {
      if (told == TargetLoop::Told::at_once && reports_) reports_->hurry();
    };
    if (!reports_) return;
    reports_->on_list = [this] {
      targets_.reload();
      targets_.wake();
    };
    reports_->on_advice = [this](const std::vector<std::string>& advice) {
      schedule_.advise(advice, clock_.monotonic_now());
      targets_.wake();
    };
  }

  void tell_beginning() {
    log_.info("kua-probe", {{"software", kSoftware},
                            {"probe", setup_.identity.id.text()},
                            {"profile", to_string(profile_now(setup_))},
                            {"state_dir", setup_.state.path()}});
    for (const std::string& notice : setup_.notices) log_.warning(notice);
    for (const std::string& notice : spool_.notices()) log_.warning(notice);
    if (diary_.notice()) log_.warning(*diary_.notice());
    if (!setup_.membership) log_.warning("no operator was joined: only the line itself is looked at");
  }

  Expected<void> listen_for_status() {
    const WallTime started = clock_.wall_now();
    auto server = StatusServer::listen(
        context_.get_executor(), setup_.state.path_of(kStatusSocket),
        [this, started] { return write_status(parts_, line_, reports_ ? &*reports_ : nullptr, started); });
    if (!server) return std::unexpected(server.error());
    status_ = std::move(*server);
    return {};
  }

  // A loop that throws has met a library that breaks its word: better stopped and started again than
  // half alive.
  template <typename Finished>
  void start(asio::awaitable<void> loop, Finished finished) {
    asio::co_spawn(context_, std::move(loop), [this, finished](std::exception_ptr broken) {
      if (broken) {
        log_.error("a loop ended by an exception");
        stop(ExitCode::failure);
        return;
      }
      finished();
    });
  }

  void save_budget_later() {
    budget_timer_.expires_after(kSaveBudgetAgain);
    budget_timer_.async_wait([this](const boost::system::error_code& problem) {
      if (problem) return;
      if (auto saved = save_budget(setup_.state, budget_.day()); !saved) {
        log_.warning("today's bytes are not on disk", {{"error", saved.error().text()}});
      }
      save_budget_later();
    });
  }

  // A resolver's thread may hang in the system's look-up of a collector's name; nothing waits for it.
  void stop(ExitCode code) {
    exit_code_ = code;
    std::signal(SIGALRM, [](int) { ::_exit(static_cast<int>(ExitCode::ok)); });
    ::alarm(static_cast<unsigned>(kStopWithin.count()));
    context_.stop();
  }

  Setup setup_;
  TrustStore trust_;
  Spool spool_;
  Diary diary_;
  platform::Log log_;
  std::unique_ptr<Audience> audience_;
  platform::SystemClock system_clock_;
  AnchoredClock clock_;
  Schedule schedule_;
  Budget budget_;
  asio::io_context context_{1};
  std::optional<Uplink> uplink_;
  Parts parts_;
  LineWatch line_;
  TargetLoop targets_;
  std::optional<ReportLoop> reports_;
  std::unique_ptr<StatusServer> status_;
  asio::steady_timer budget_timer_{context_};
  ExitCode exit_code_ = ExitCode::ok;
};

ExitCode run(const ProbeConfig& config, RunDisplay display) {
  auto setup = Setup::make(config);
  if (!setup) return give_up(setup.error());
  if (auto consent = require_consent(setup->state, ConsentLevel::basic); !consent) {
    complain(consent.error());
    return ExitCode::no_consent;
  }
  const auto lock = InstanceLock::take(setup->state);
  if (!lock) return give_up(lock.error());
  auto trust = load_trust(config);
  if (!trust) return give_up(trust.error());
  auto spool = Spool::open(setup->state.path_of(kSpoolFile),
                           {.bytes_max = config.spool.bytes_max, .age_max = config.spool.age_max});
  if (!spool) return give_up(spool.error());
  auto diary = Diary::open(setup->state.path_of(kDiaryFile));
  if (!diary) return give_up(diary.error());
  RunningProbe probe(std::move(*setup), std::move(*trust), std::move(*spool), std::move(*diary), display);
  return probe.run();
}

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

// Commands that touch the state directory: never as root.
ExitCode with_state(const ProbeConfig& config, const Command& command) {
  const auto changed = become_unprivileged(config);
  if (!changed) return give_up(changed.error());
  return std::visit(
      Overloaded{
          [&](const RunCommand& wanted) {
            if (!changed->empty()) complain(*changed);
            return run(config, wanted.display);
          },
          [&](const CheckCommand& wanted) {
            auto setup = Setup::make(config);
            return setup ? run_check(std::move(*setup), wanted.options) : give_up(setup.error());
          },
          [&](const StatusCommand& wanted) { return show_status(config, wanted.output); },
          [&](const DoctorCommand&) { return run_doctor(config, *changed); },
          [&](const JoinCommand& wanted) { return join(config, wanted.link); },
          [&](const ConsentShowCommand&) { return show_consent(config); },
          [&](const ConsentAcceptCommand& wanted) { return accept_consent(config, wanted.level, wanted.manner); },
          [&](const ConsentWithdrawCommand& wanted) { return withdraw(config, wanted.extent); },
          [&](const TargetsListCommand&) { return list_targets(config); },
          [&](const DiaryShowCommand& wanted) { return show_diary(config, wanted.options); },
          [&](const DiaryExportCommand& wanted) { return export_diary(config, wanted.options); },
          // Without state, see dispatch().
          [&](const TargetsValidateCommand&) { return ExitCode::usage; },
          [&](const TargetsImportCommand&) { return ExitCode::usage; },
          [&](const BenchCommand&) { return ExitCode::usage; },
      },
      command);
}

ExitCode dispatch(const CommandLine& line) {
  if (const auto* wanted = std::get_if<TargetsValidateCommand>(&line.command)) return validate_targets(wanted->files);
  if (const auto* wanted = std::get_if<TargetsImportCommand>(&line.command)) return import_targets(wanted->options);
  if (const auto* wanted = std::get_if<BenchCommand>(&line.command)) return bench(wanted->options);
  const auto config = load_config(line.config_path);
  return config ? with_state(*config, line.command) : give_up(config.error());
}

// Blocks of this size get pages of their own, which go back to the system when the block does: c-ares takes
// 75 kB a lookup and OpenSSL 16 kB buffers, and what settles between such blocks would keep the heap at its peak.
constexpr int kOwnPagesFromBytes = 16 * 1024;
// Free bytes at the heap's end that are kept; more goes back.
constexpr int kHeapEndKeptBytes = 256 * 1024;

void keep_heap_small() {
  ::mallopt(M_MMAP_THRESHOLD, kOwnPagesFromBytes);
  ::mallopt(M_TRIM_THRESHOLD, kHeapEndKeptBytes);
  ::mallopt(M_ARENA_MAX, 1);  // one thread does nearly all; a resolver's thread needs no heap of its own
}

}  // namespace
}  // namespace kua::probe

int main(int count, char** words) {
  kua::probe::keep_heap_small();
  const kua::platform::SystemClock clock;
  const auto line = kua::probe::parse_command_line(count, words, clock.wall_now());
  if (!line) return line.error();
  return static_cast<int>(kua::probe::dispatch(*line));
}
