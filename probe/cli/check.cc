#include "probe/cli/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <iostream>

#include "probe/cli/line_look.h"
#include "probe/cli/report.h"
#include "probe/cli/reporting.h"
#include "probe/cli/step_view.h"
#include "probe/cli/terminal.h"
#include "probe/consent/consent.h"
#include "probe/spool/spool.h"
#include "protocol/record_codec.h"
#include "protocol/target_url.h"
#include "protocol/verdict_json.h"
#include "verdict/explain.h"
#include "verdict/judge.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;

bool is_ok(State state) { return state == State::ok || state == State::insufficient; }

// The whole of one command, so that its parts need not be handed from coroutine to coroutine.
class Check {
 public:
  Check(Setup& setup, const CheckOptions& options, const TrustStore& trust)
      : setup_(setup),
        options_(options),
        trust_(trust),
        terminal_(Terminal::of(STDOUT_FILENO)),
        language_(language_of(setup.config)) {}

  asio::awaitable<void> run(std::vector<CheckTarget> targets) {
    const LineLook look = co_await look_at_line(setup_, memory_, clock_, trust_);
    if (!may_measure(setup_, look.state)) {
      report_line(look, targets.size());
      co_return;
    }
    for (const CheckTarget& target : targets) {
      co_await check_one(target.target, look.state);
    }
  }

  // Spools what was measured and waits until the collector has acknowledged all of it.
  asio::awaitable<void> upload(asio::any_io_executor executor) {
    const std::string path = setup_.state.path_of(kSpoolFile);
    auto spool = Spool::open(
        path, {.bytes_max = setup_.config.spool.bytes_max, .age_max = setup_.config.spool.age_max});
    if (!spool) co_return fail_with(spool.error());
    for (Measurement& record : records_) {
      if (auto kept = spool->append(std::move(record)); !kept) co_return fail_with(kept.error());
    }
    Uplink uplink = make_uplink(setup_, std::move(executor), clock_);
    const Uplink::Ration everything;  // the owner asked for it
    auto outcome = co_await uplink.deliver(*spool, everything);
    if (outcome.delivery.enrolment_needed) {
      if (const auto enrolled = co_await enrol(setup_, uplink); !enrolled) co_return fail_with(enrolled.error());
      outcome = co_await uplink.deliver(*spool, everything);
    }
    if (outcome.stopped) {
      complain("what was measured is kept in the spool and not uploaded");
      fail_with(*outcome.stopped);
    }
  }

  [[nodiscard]] ExitCode exit_code() const { return exit_code_; }

 private:
  [[nodiscard]] bool json() const { return options_.output == CheckOutput::json; }

  asio::awaitable<void> check_one(Target target, LinkState state) {
    StepView view(terminal_);
    ExperimentRequest request{.target = target,
                              .depth = Depth::core,
                              .follow_up = options_.follow_ups == CheckFollowUps::all ? FollowUp::all
                                                                                      : FollowUp::immediate,
                              .link_state = state,
                              .on_observation = {}};
    if (!json()) {
      fmt::print("{}\n", target.url.empty() ? target.id.text() : target.url);
      request.on_observation = [&view](const Observation& observation) {
        fmt::print("{}", view.line(observation));
        std::fflush(stdout);
      };
    }
    const auto list = setup_.lists.holding(clock_.wall_now());
    const Instrument instrument = make_instrument(setup_, *list, clock_, trust_);
    Measurement measurement;
    if (target.endpoints.empty()) {
      measurement = co_await web_reachability(instrument, std::move(request));
    } else {
      measurement = co_await service_reachability(instrument, std::move(request));
    }
    report(std::move(measurement), *list);
  }

  [[nodiscard]] static std::vector<Verdict> judge(const Measurement& measurement,
                                                  const protocol::TargetList& list) {
    const verdict::Knowledge knowledge{list.fingerprints, list.interception_roots, list.routable};
    return verdict::judge(measurement, {}, knowledge);
  }

  void print_json(const Measurement& measurement, const std::vector<Verdict>& verdicts) const {
    fmt::print("{{\"record\":{},\"verdicts\":{}}}\n", protocol::write_record(measurement),
               protocol::write_verdicts(verdicts));
    std::fflush(stdout);
  }

  void fail_with(const Error& error) {
    complain(error);
    exit_code_ = ExitCode::failure;
  }

  void report(Measurement measurement, const protocol::TargetList& list) {
    const std::vector<Verdict> verdicts = judge(measurement, list);
    const State state = summarize(verdicts);
    if (measurement.validity == Validity::instrument) exit_code_ = ExitCode::failure;
    if (!is_ok(state) && exit_code_ == ExitCode::ok) exit_code_ = ExitCode::not_reached;
    if (json()) {
      print_json(measurement, verdicts);
    } else {
      fmt::print("  {}  {}\n\n", state_word(terminal_, state), verdict::explain(verdicts, language_));
    }
    records_.push_back(std::move(measurement));
  }

  // The line is at fault: one record of it stands for every target, and accuses none.
  void report_line(const LineLook& look, std::size_t targets) {
    exit_code_ = ExitCode::not_reached;
    records_.push_back(look.record);
    const std::vector<Verdict> verdicts = judge(look.record, *setup_.lists.holding(clock_.wall_now()));
    if (json()) {
      for (std::size_t i = 0; i < targets; ++i) print_json(look.record, verdicts);
      return;
    }
    StepView view(terminal_);
    fmt::print("the line itself\n");
    for (const Observation& observation : look.record.observations) fmt::print("{}", view.line(observation));
    fmt::print("  {}\n", verdict::explain(verdicts, language_));
  }

  Setup& setup_;
  const CheckOptions& options_;
  const TrustStore& trust_;
  platform::SystemClock system_clock_;
  AnchoredClock clock_{system_clock_};
  LineMemory memory_;
  std::vector<Measurement> records_;
  Terminal terminal_;
  verdict::Language language_;
  ExitCode exit_code_ = ExitCode::ok;
};

bool agrees_to_unlisted(const std::string& text, const CheckOptions& options) {
  if (options.unlisted == UnlistedTargets::accept) return true;
  fmt::print(stderr,
             "{} is on no list that your operator signed, so nobody has looked at whether testing it is\n"
             "safe. Your provider can see that this line asked for it, as if you had opened it. {}\n",
             printable(text, 200),
             options.delivery == CheckDelivery::upload ? "The operator will see it too."
                                                       : "Nothing is sent to anybody else.");
  if (::isatty(STDIN_FILENO) == 0) {
    fmt::print(stderr, "kua-probe: give --yes to test it all the same\n");
    return false;
  }
  fmt::print(stderr, "Test it? (yes/no): ");
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "yes" || answer == "y");
}

Expected<std::vector<CheckTarget>> resolve_all(const Setup& setup, const CheckOptions& options) {
  const std::vector<Target> list = setup.lists.targets(platform::SystemClock().wall_now());
  std::vector<CheckTarget> out;
  for (const std::string& text : options.targets) {
    auto target = resolve_target(list, text);
    if (!target) return std::unexpected(target.error());
    if (!target->listed && !agrees_to_unlisted(text, options)) {
      return fail(ErrorKind::configuration, "not tested: " + printable(text, 200));
    }
    out.push_back(std::move(*target));
  }
  return out;
}

}  // namespace

Expected<CheckTarget> resolve_target(const std::vector<Target>& list, const std::string& text) {
  if (const Target* listed = find_target(list, text)) return CheckTarget{*listed, true};
  const bool has_scheme = text.find("://") != std::string::npos;
  auto url = protocol::parse_target_url(has_scheme ? text : "https://" + text);
  if (!url || (!has_scheme && text.find('.') == std::string::npos)) {
    return fail(ErrorKind::invalid_input,
                "'" + printable(text, 200) + "' is neither a URL (http:// or https://) nor a target of the list");
  }
  const TargetId id = protocol::target_id_of(*url);
  if (const Target* listed = find_target(list, id.text())) return CheckTarget{*listed, true};
  Target target{.id = id,
                .url = url->text(),
                .endpoints = {},
                .category = "MISC",
                .tier = Tier::core,
                .country = std::nullopt};
  return CheckTarget{std::move(target), false};
}

ExitCode run_check(Setup setup, const CheckOptions& options) {
  if (auto consent = require_consent(setup.state, ConsentLevel::basic); !consent) {
    complain(consent.error());
    return ExitCode::no_consent;
  }
  if (options.delivery == CheckDelivery::upload && !setup.membership) {
    complain("--upload needs an operator to report to: kua-probe join kua://…");
    return ExitCode::usage;
  }
  auto targets = resolve_all(setup, options);
  if (!targets) return give_up(targets.error());
  const auto trust = load_trust(setup.config);
  if (!trust) return give_up(trust.error());
  for (const std::string& notice : setup.notices) complain(notice);
  asio::io_context context(1);
  Check check(setup, options, *trust);
  std::exception_ptr broken;
  const auto note = [&broken](std::exception_ptr problem) { broken = problem; };
  asio::co_spawn(context, check.run(std::move(*targets)), note);
  context.run();
  if (!broken && options.delivery == CheckDelivery::upload) {
    context.restart();
    asio::co_spawn(context, check.upload(context.get_executor()), note);
    context.run();
  }
  if (!broken) return check.exit_code();
  complain("a library threw an exception that it does not document");
  return ExitCode::failure;
}

}  // namespace kua::probe
