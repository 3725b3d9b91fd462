#include "probe/daemon/target_loop.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <set>

namespace kua::probe {
namespace {

namespace asio = boost::asio;

constexpr Microseconds kIdleMax = std::chrono::minutes(1);
// The profile follows the line's type: looked at this often.
constexpr Microseconds kReloadAgain = std::chrono::minutes(10);

ExperimentRequest request_for(const Assignment& assignment, LinkState state) {
  ExperimentRequest request{.target = assignment.target,
                            .depth = assignment.target.tier == Tier::key ? Depth::key : Depth::core,
                            .link_state = state,
                            .body_wire_bytes_max = kRoundBodyWireBytesMax,
                            .on_observation = {}};
  switch (assignment.follow_up) {
    case FollowUpGrant::none: request.follow_up = FollowUp::none; break;
    case FollowUpGrant::immediate: request.follow_up = FollowUp::immediate; break;
    case FollowUpGrant::all: request.follow_up = FollowUp::all; break;
  }
  return request;
}

std::optional<IpAddress> contacted(const Observation& observation) {
  if (const auto* connect = std::get_if<Connect>(&observation)) return connect->endpoint.address;
  if (const auto* shake = std::get_if<TlsHandshake>(&observation)) return shake->endpoint.address;
  if (const auto* quic = std::get_if<QuicHandshake>(&observation)) return quic->endpoint.address;
  if (const auto* trip = std::get_if<HttpRoundTrip>(&observation)) return trip->endpoint.address;
  return std::nullopt;
}

// Whether a doubt was looked into. Trusted resolvers are asked in every core test and are none.
bool doubted(const Measurement& measurement) {
  return std::ranges::any_of(measurement.observations, [](const Observation& observation) {
    const StepContext* context = context_of(observation);
    return context != nullptr && context->role != StepRole::main && context->role != StepRole::trusted;
  });
}

}  // namespace

Outcome outcome_of(const Measurement& measurement, State state, FollowUpGrant grant) {
  Outcome outcome{.target = measurement.target,
                  .failed = state != State::ok,
                  .followed_up = grant != FollowUpGrant::none && (state != State::ok || doubted(measurement)),
                  .addresses = {},
                  .failed_addresses = {}};
  std::set<IpAddress> all;
  std::set<IpAddress> failed;
  for (const Observation& observation : measurement.observations) {
    const StepContext* context = context_of(observation);
    if (context == nullptr) continue;
    const auto address = contacted(observation);
    if (!address || context->role != StepRole::main) continue;
    all.insert(*address);
    if (context->failure) failed.insert(*address);
  }
  outcome.addresses.assign(all.begin(), all.end());
  outcome.failed_addresses.assign(failed.begin(), failed.end());
  return outcome;
}

bool shows_far_end(const Measurement& measurement) {
  return std::ranges::any_of(measurement.observations, [](const Observation& observation) {
    const StepContext* context = context_of(observation);
    return context != nullptr && !context->failure && contacted(observation);
  });
}

TargetLoop::TargetLoop(Parts& parts, LineWatch& line) : parts_(parts), line_(line), bell_(parts.executor) {}

void TargetLoop::reload() {
  const WallTime now = parts_.clock.wall_now();
  reloaded_ = now;
  standing_ = parts_.setup.lists.standing(now);
  parts_.schedule.set_profile(profile_of(profile_now(parts_.setup)));
  const std::vector<Target> targets = parts_.setup.lists.targets(now);
  parts_.schedule.set_targets(targets, parts_.clock.monotonic_now());
  parts_.budget.set_plan(plan_now(parts_.setup, parts_.schedule));
}

bool TargetLoop::reload_is_due() const {
  const WallTime now = parts_.clock.wall_now();
  // From the moment it expires, nothing is assigned out of a list.
  if (parts_.setup.lists.standing(now) != standing_) return true;
  return now - reloaded_ >= parts_.scaled_by_lab(kReloadAgain);
}

asio::awaitable<void> TargetLoop::run() {
  reload();
  for (;;) {
    if (reload_is_due()) reload();
    while (line_.fit() && has_consent(parts_)) {
      auto assignment = parts_.schedule.next(parts_.clock.monotonic_now(),
                                             parts_.budget.allowance(parts_.budget_now()));
      if (!assignment) break;
      asio::co_spawn(parts_.executor, measure(std::move(*assignment)), [](std::exception_ptr broken) {
        if (broken) std::rethrow_exception(broken);  // ends the loop: a library broke its word
      });
    }
    const MonotonicTime now = parts_.clock.monotonic_now();
    const auto wake = line_.fit() ? parts_.schedule.wake_at(now) : std::nullopt;
    const Microseconds longest = parts_.scaled_by_lab(kIdleMax);
    const Microseconds rest = wake ? std::clamp(Microseconds(*wake - now), Microseconds(1'000), longest) : longest;
    co_await bell_.wait(rest);
  }
}

asio::awaitable<void> TargetLoop::measure(Assignment assignment) {
  const auto list = parts_.setup.lists.holding(parts_.clock.wall_now());
  const Instrument instrument = make_instrument(parts_.setup, *list, parts_.clock, parts_.trust);
  ExperimentRequest request = request_for(assignment, line_.state());
  Measurement measurement;
  if (assignment.target.endpoints.empty()) {
    measurement = co_await web_reachability(instrument, std::move(request));
  } else {
    measurement = co_await service_reachability(instrument, std::move(request));
  }
  std::vector<Verdict> verdicts = judge_for_owner(measurement, *list);
  if (summarize(verdicts) != State::ok && !shows_far_end(measurement)) {
    co_await doubt_the_line(measurement);
    verdicts = judge_for_owner(measurement, *list);
  }
  const Outcome outcome = outcome_of(measurement, summarize(verdicts), assignment.follow_up);
  spend(measurement, outcome);
  keep(parts_, measurement);
  parts_.schedule.finished(outcome, parts_.clock.monotonic_now());
  parts_.audience.on_measurement(measurement, verdicts);
  if (on_record) on_record(outcome.failed ? Told::at_once : Told::in_its_turn);
  bell_.ring();
}

// The line may have gone while the measurement was under way: then it tells of the line, not the target.
asio::awaitable<void> TargetLoop::doubt_the_line(Measurement& measurement) {
  const LinkState state = co_await line_.look_again();
  if (line_.fit()) co_return;
  measurement.link_state = state;
  measurement.validity = Validity::vantage;
  measurement.validity_reason = std::string("line_") + to_string(state);
}

void TargetLoop::spend(const Measurement& measurement, const Outcome& outcome) {
  Spending on = Spending::full;
  switch (measurement.tier) {
    case Tier::key: on = Spending::key; break;
    case Tier::core: on = Spending::core; break;
    case Tier::full:
    case Tier::control: break;
  }
  if (outcome.followed_up) on = Spending::follow_up;
  parts_.budget.spend(on, measurement.bytes_sent + measurement.bytes_received, parts_.budget_now());
}

}  // namespace kua::probe
