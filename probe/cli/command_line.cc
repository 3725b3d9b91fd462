#include "probe/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "probe/cli/exit_code.h"
#include "probe/cli/setup.h"

namespace kua::probe {
namespace {

constexpr const char* kFooter = R"(
Exit codes:
  0  done; for `check`: every target was reached, or nothing can be said against it
  1  `check`: a target, or the line itself, is not reachable or is interfered with
  2  the command line or the configuration is wrong
  3  nobody agreed to measuring on this device (kua-probe consent accept)
  4  our own failure: disk, permission, a collector that does not answer

Files:
  /etc/kua/probe.yaml        configuration, if --config is not given and it is there
  /var/lib/kua-probe         key, consent, spool, diary when started as root, who then becomes user kua-probe
  ~/.local/state/kua-probe   the same for everybody else

NO_COLOR in the environment switches colours off.)";

// What the options are parsed into; CLI11 wants addresses that live until the end.
struct Raw {
  std::string config;
  bool run_show = false;
  CheckOptions check;
  bool check_json = false, check_deep = false, check_upload = false, check_yes = false;
  bool status_json = false;
  std::string link;
  std::string level = "basic";
  bool consent_yes = false, withdraw_everything = false;
  std::vector<std::string> files;
  ImportOptions import;
  std::string from, until;
  std::string bench_dns = "127.0.0.1:53";
  double bench_seconds = 10;
  double bench_interval = 0;
  BenchOptions bench;
};

class Parser {
 public:
  explicit Parser(WallTime now) : now_(now) {
    app_.footer(kFooter);
    app_.require_subcommand(1);
    app_.set_version_flag("--version", std::string(kSoftware));
    app_.add_option("--config", raw_.config, "Configuration file")->type_name("FILE");
    app_.get_formatter()->column_width(34);
    add_measuring();
    add_setting_up();
    add_lists();
    add_diary();
    add_bench();
  }

  std::expected<CommandLine, int> parse(int count, const char* const* words) {
    try {
      app_.parse(count, words);
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error);
      return std::unexpected(code == 0 ? 0 : static_cast<int>(ExitCode::usage));
    }
    auto command = make_();
    if (!command) {
      std::cerr << "kua-probe: " << command.error() << "\n";
      return std::unexpected(static_cast<int>(ExitCode::usage));
    }
    return CommandLine{raw_.config, std::move(*command)};
  }

 private:
  using Made = std::expected<Command, std::string>;

  // A subcommand that yields what `make` returns.
  CLI::App* add(CLI::App& to, const char* name, const char* what, std::function<Made()> make) {
    CLI::App* sub = to.add_subcommand(name, what);
    sub->parse_complete_callback([this, make = std::move(make)] { make_ = make; });
    sub->get_formatter()->column_width(34);
    return sub;
  }

  void add_measuring() {
    auto* run = add(app_, "run", "Measure on a schedule until stopped, and report to the operator",
                    [this]() -> Made { return RunCommand{raw_.run_show ? RunDisplay::show : RunDisplay::log}; });
    run->add_flag("--show", raw_.run_show, "Print one plain line for each result instead of a log");

    auto* check = add(app_, "check", "Look at targets now: every step, its time, and what it means", [this]() -> Made {
      CheckOptions options = raw_.check;
      if (raw_.check_deep) options.follow_ups = CheckFollowUps::all;
      if (raw_.check_json) options.output = CheckOutput::json;
      if (raw_.check_upload) options.delivery = CheckDelivery::upload;
      if (raw_.check_yes) options.unlisted = UnlistedTargets::accept;
      return CheckCommand{std::move(options)};
    });
    check->add_option("TARGET", raw_.check.targets, "URL, host name, target id or name of a listed service")
        ->required()
        ->type_name("");
    check->add_flag("--json", raw_.check_json, "One line a target: {\"record\": kua/1, \"verdicts\": […]}");
    check->add_flag("--deep", raw_.check_deep, "Every follow-up, with its rests: up to four minutes when something fails");
    check->add_flag("--upload", raw_.check_upload, "Send the records to the operator and wait for the acknowledgement");
    check->add_flag("--yes", raw_.check_yes, "Test a target that is on no list without asking");
    check->footer(
        "The verdict is provisional: the collector compares with what others saw.\n"
        "Exit codes: 0 reached, or nothing can be said against it; 1 not reachable or interfered with;\n"
        "2 usage; 3 no consent; 4 our own failure.");

    auto* status = add(app_, "status", "What the running probe is doing", [this]() -> Made {
      return StatusCommand{raw_.status_json ? CheckOutput::json : CheckOutput::text};
    });
    status->add_flag("--json", raw_.status_json, "As JSON");

    add(app_, "doctor", "Look whether everything works, and say what to do where it does not",
        []() -> Made { return DoctorCommand{}; });
  }

  void add_setting_up() {
    auto* join = add(app_, "join", "Report to the operator of this link, and trust what it names",
                     [this]() -> Made { return JoinCommand{raw_.link}; });
    join->add_option("LINK", raw_.link, "kua://…, as the operator gave it")->required()->type_name("");

    CLI::App* consent = app_.add_subcommand("consent", "What measuring means for you, and your consent to it");
    consent->require_subcommand(1);
    add(*consent, "show", "Show the text, and what was agreed to", []() -> Made { return ConsentShowCommand{}; });
    auto* accept = add(*consent, "accept", "Read, answer three questions, and agree", [this]() -> Made {
      return ConsentAcceptCommand{*parse_consent_level(raw_.level),
                                  raw_.consent_yes ? ConsentManner::declared : ConsentManner::quiz};
    });
    accept->add_option("--level", raw_.level, "basic, or expert (packet capture of own flows, path traces)")
        ->check(CLI::IsMember({"basic", "expert"}))
        ->capture_default_str();
    accept->add_flag("--yes", raw_.consent_yes, "Record it without questions; for those who answer for it");
    auto* withdraw = add(*consent, "withdraw", "Take it back, and delete what was not sent yet", [this]() -> Made {
      return ConsentWithdrawCommand{raw_.withdraw_everything ? Withdrawal::everything
                                                             : Withdrawal::unsent_records};
    });
    withdraw->add_flag("--wipe", raw_.withdraw_everything, "Delete key, diary, join link and list as well");
  }

  void add_lists() {
    CLI::App* targets = app_.add_subcommand("targets", "What may be measured");
    targets->require_subcommand(1);
    add(*targets, "list", "The targets of the signed list at hand", []() -> Made { return TargetsListCommand{}; });
    auto* validate = add(*targets, "validate", "Check CSV files of targets",
                         [this]() -> Made { return TargetsValidateCommand{raw_.files}; });
    validate->add_option("FILE", raw_.files, "CSV in Citizen Lab's columns, ours may follow")->required()->type_name("");
    auto* import = add(*targets, "import", "Turn a CSV file of Citizen Lab into ours",
                       [this]() -> Made { return TargetsImportCommand{raw_.import}; });
    import->add_option("FILE", raw_.import.file, "Their CSV")->required()->type_name("");
    import->add_option("--out", raw_.import.out, "Where to write; - is standard output")->default_val("-")->type_name("FILE");
    import->add_option("--tier", raw_.import.tier, "Tier of its rows")
        ->check(CLI::IsMember({"key", "core", "full", "control"}))
        ->capture_default_str();
    import->add_option("--country", raw_.import.country, "Country of its rows: KZ")->type_name("CC");
  }

  std::expected<DiaryOptions, std::string> diary_range() const {
    const auto day = [](const std::string& text) { return parse_rfc3339(text + "T00:00:00Z"); };
    DiaryOptions options{.from = now_ - std::chrono::hours(24), .until = now_ + std::chrono::minutes(1)};
    for (const auto& [text, time] : {std::pair{&raw_.from, &options.from}, std::pair{&raw_.until, &options.until}}) {
      if (text->empty()) continue;
      auto parsed = parse_rfc3339(*text);
      if (!parsed) parsed = day(*text);
      if (!parsed) return std::unexpected("'" + *text + "' is no time: 2022-01-05 or 2022-01-05T10:00:00Z");
      *time = *parsed;
    }
    return options;
  }

  void add_diary() {
    CLI::App* diary = app_.add_subcommand("diary", "Your line, minute by minute; it is yours");
    diary->require_subcommand(1);
    auto* show = add(*diary, "show", "Runs of minutes in which the line was alike", [this]() -> Made {
      const auto range = diary_range();
      if (!range) return std::unexpected(range.error());
      return DiaryShowCommand{*range};
    });
    auto* output = add(*diary, "export", "Every minute as CSV, on standard output", [this]() -> Made {
      const auto range = diary_range();
      if (!range) return std::unexpected(range.error());
      return DiaryExportCommand{*range};
    });
    for (CLI::App* sub : {show, output}) {
      sub->add_option("--from", raw_.from, "First day or time, UTC; default: 24 hours ago")->type_name("TIME");
      sub->add_option("--until", raw_.until, "Day or time before which it ends; default: now")->type_name("TIME");
    }
  }

  void add_bench() {
    auto* bench = add(app_, "bench", "Complete checks flat out, to compare their cost (docs/bench.md)", [this]() -> Made {
      const auto resolver = Endpoint::parse(raw_.bench_dns, Transport::udp);
      if (!resolver) return std::unexpected("--dns is ADDRESS:PORT");
      BenchOptions options = raw_.bench;
      options.resolver = *resolver;
      options.duration = Microseconds(static_cast<std::int64_t>(raw_.bench_seconds * 1e6));
      options.interval = Microseconds(static_cast<std::int64_t>(raw_.bench_interval * 1e6));
      return BenchCommand{std::move(options)};
    });
    bench->group("");  // for harnesses: documented in docs/bench.md, not among the volunteers' commands
    bench->add_option("--url", raw_.bench.url, "What to check")->required()->type_name("URL");
    bench->add_option("--dns", raw_.bench_dns, "Resolver")->capture_default_str()->type_name("ADDRESS:PORT");
    bench->add_option("--ca", raw_.bench.ca_file, "Authorities, PEM; default: the system's")->type_name("FILE");
    bench->add_option("--seconds", raw_.bench_seconds, "How long")->check(CLI::Range(0.1, 3600.0))->capture_default_str();
    bench->add_option("--concurrency", raw_.bench.concurrency, "Checks at once")
        ->check(CLI::Range(1u, kBenchConcurrencyMax))
        ->capture_default_str();
    bench->add_option("--interval", raw_.bench_interval, "Rest of each worker between two checks, seconds")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
  }

  WallTime now_;
  Raw raw_;
  std::function<Made()> make_;
  CLI::App app_{"kua-probe measures from your line whether websites and messengers can be reached, step by "
                "step,\nand says in plain words what it saw.",
                "kua-probe"};
};

}  // namespace

std::expected<CommandLine, int> parse_command_line(int count, const char* const* words, WallTime now) {
  Parser parser(now);
  return parser.parse(count, words);
}

}  // namespace kua::probe
