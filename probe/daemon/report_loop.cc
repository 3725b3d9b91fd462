#include "probe/daemon/report_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "platform/crypto/crypto.h"
#include "probe/cli/reporting.h"
#include "probe/limits.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::minutes;

constexpr Microseconds kEnrolAgain = hours(24);  // the network may have changed its number or country
constexpr Microseconds kEnrolRetry = minutes(5);
constexpr Microseconds kListRetry = minutes(10);
constexpr Microseconds kSummarizeAgain = hours(1);
constexpr Microseconds kExpireAgain = hours(1);
constexpr Microseconds kHurriedPauseMax = std::chrono::seconds(3);
constexpr const char* kCollectorTarget = "service:collector";

double draw() {
  return static_cast<double>(platform::random_u64() >> 11) * 0x1p-53;  // uniform in [0, 1)
}

}  // namespace

ReportLoop::ReportLoop(Parts& parts, const LineWatch& line)
    : parts_(parts),
      line_(line),
      bell_(parts.executor),
      enrolment_({.again = parts.scaled_by_lab(kEnrolAgain), .retry = parts.scaled_by_lab(kEnrolRetry)}) {
  facts_.enrolled = parts.setup.membership && parts.setup.membership->network;
}

void ReportLoop::line_returned() {
  parts_.uplink->line_returned();
  enrolment_.line_returned();
  summaries_now_ = true;
  hurry();
}

bool ReportLoop::due(std::optional<MonotonicTime>& last, Microseconds every) {
  const MonotonicTime now = parts_.clock.monotonic_now();
  if (last && now - *last < parts_.scaled_by_lab(every)) return false;
  last = now;
  return true;
}

// Half the mean and an exponential draw, as everything here: no beacon.
Microseconds ReportLoop::draw_pause() const {
  const Microseconds mean = parts_.scaled_by_lab(
      parts_.setup.config.uplink.interval.value_or(profile_of(profile_now(parts_.setup)).upload_mean));
  const double half = static_cast<double>(mean.count()) / 2;
  return Microseconds(static_cast<std::int64_t>(half - half * std::log(1.0 - draw())));
}

void ReportLoop::trouble(const Error& error) {
  if (!facts_.trouble || *facts_.trouble != error.text()) {
    parts_.log.warning("the collector was not reached", {{"error", error.text()}});
  }
  facts_.trouble = error.text();
}

asio::awaitable<void> ReportLoop::run() {
  for (;;) {
    // A login page would only be offered a handshake that tells nothing. A line that looks dead is
    // tried all the same: the collector may be near, and the endpoints' back-off bounds what that costs.
    if (line_.state() != LinkState::captive && has_consent(parts_)) co_await report();
    co_await bell_.wait(draw_pause());
    // Somebody who watches the line must not see a report right behind each failed test.
    Bell pause(parts_.executor);
    const double jitter = static_cast<double>(parts_.scaled_by_lab(kHurriedPauseMax).count()) * draw();
    co_await pause.wait(Microseconds(static_cast<std::int64_t>(jitter)));
  }
}

asio::awaitable<void> ReportLoop::report() {
  if (!co_await enrol_if_due()) {
    spool_wrong_pins();
    charge();
    co_return;
  }
  if (summaries_now_ || due(summarized_at_, kSummarizeAgain)) spool_summaries();
  co_await deliver();
  if (!facts_.trouble) {
    const auto alive = co_await parts_.uplink->heartbeat(line_.state());
    if (!alive) trouble(alive.error());
  }
  if (!facts_.trouble) co_await fetch_list_if_due();
  spool_wrong_pins();
  charge();
}

void ReportLoop::charge() {
  const std::uint64_t total = parts_.uplink->wire_bytes();
  if (total <= charged_bytes_) return;
  const std::uint64_t bytes = total - charged_bytes_;
  const std::uint64_t of_backlog = std::min(bytes, std::exchange(backlog_bytes_, 0));
  parts_.budget.spend_unusual(Spending::upload, of_backlog, parts_.budget_now());
  if (bytes > of_backlog) parts_.budget.spend(Spending::upload, bytes - of_backlog, parts_.budget_now());
  charged_bytes_ = total;
}

asio::awaitable<bool> ReportLoop::enrol_if_due() {
  const Standing standing = facts_.enrolled ? Standing::enrolled : Standing::stranger;
  if (!enrolment_.begin(parts_.clock.monotonic_now(), standing)) co_return facts_.enrolled;
  const auto enrolled = co_await enrol(parts_.setup, *parts_.uplink);
  if (enrolled) {
    if (!facts_.enrolled) parts_.log.info("enrolled with the collector");
    facts_.enrolled = true;
    facts_.trouble.reset();
    co_return true;
  }
  if (enrolled.error().kind == ErrorKind::unavailable) enrolment_.unreached();
  trouble(enrolled.error());
  co_return facts_.enrolled;
}

void ReportLoop::spool_summaries() {
  summaries_now_ = false;
  const auto days = parts_.diary.untold_days();
  if (!days) return parts_.log.error("the diary cannot be read", {{"error", days.error().text()}});
  for (const WallTime day : *days) {
    const auto summary = parts_.diary.summarize(day, make_header(parts_.setup, parts_.clock));
    if (summary && !*summary) continue;
    auto kept = summary ? parts_.spool.append(**summary) : std::unexpected(summary.error());
    // Only then: the spool holds no summary that it could not write, the diary makes it again.
    if (kept) kept = parts_.diary.mark_told(day, (*summary)->revision);
    if (!kept) parts_.log.error("a summary is not on disk", {{"error", kept.error().text()}});
  }
}

asio::awaitable<void> ReportLoop::deliver() {
  // Old records only go while the clock is known to be right: a wrong one would call all of them old.
  if (!parts_.setup.vantage.faults.clock_wrong && facts_.delivered && due(expired_at_, kExpireAgain)) {
    (void)parts_.spool.expire(parts_.clock.wall_now());
    (void)parts_.diary.expire(parts_.clock.wall_now() - kSummaryAge);
  }
  charge();  // so that the room is what is left now
  const Uplink::Ration ration{.fresh_since = parts_.clock.wall_now() - kFreshFor,
                              .backlog_bytes = parts_.budget.backlog_room(parts_.budget_now())};
  auto outcome = co_await parts_.uplink->deliver(parts_.spool, ration);
  const Uplink::Delivery& delivery = outcome.delivery;
  backlog_bytes_ += delivery.backlog_bytes;
  if (delivery.backlog_waits && !facts_.backlog_waits) {
    parts_.log.info("older records wait for what the day's budget leaves");
  }
  facts_.backlog_waits = delivery.backlog_waits;
  facts_.records_accepted += delivery.accepted;
  facts_.records_rejected += delivery.rejected;
  if (delivery.rejected > 0) {
    parts_.log.warning("the collector refused records", {{"records", delivery.rejected}});
  }
  if (delivery.enrolment_needed) {
    facts_.enrolled = false;
    hurry();
  }
  if (!delivery.advice.empty() && on_advice) on_advice(delivery.advice);
  if (outcome.stopped) {
    trouble(*outcome.stopped);
    co_return;
  }
  if (facts_.trouble) parts_.log.info("the collector is reached again");
  facts_.trouble.reset();
  facts_.delivered = parts_.clock.wall_now();
}

asio::awaitable<void> ReportLoop::fetch_list_if_due() {
  const bool current = parts_.setup.lists.standing(parts_.clock.wall_now()) == ListStanding::current;
  if (!due(list_asked_at_, current ? parts_.setup.config.uplink.list_refresh : kListRetry)) co_return;
  const auto newer = co_await refresh_list(parts_.setup, *parts_.uplink, parts_.clock);
  if (!newer) {
    parts_.log.warning("no newer list", {{"error", newer.error().text()}});
    co_return;
  }
  if (!*newer) co_return;
  parts_.log.info("a newer target list", {{"serial", parts_.setup.lists.list()->serial}});
  if (on_list) on_list();
}

// Somebody stood where the collector should have been: that is a finding. Nothing was sent to them.
void ReportLoop::spool_wrong_pins() {
  for (TlsHandshake& seen : parts_.uplink->take_wrong_pins()) {
    parts_.log.warning("another key than the collector's was presented, nothing was sent",
                       {{"spki_sha256", seen.chain.empty() ? "" : seen.chain.front().spki_sha256}});
    if (++facts_.wrong_pins > kWrongPinRecordsMax) continue;
    Measurement record;
    record.header = make_header(parts_.setup, parts_.clock);
    record.experiment = "collector_identity";
    record.target = *TargetId::parse(kCollectorTarget);
    record.input = "collector";
    record.category = "MISC";
    record.tier = Tier::key;
    record.link_state = line_.state();
    // Where the collector stands is nobody's to read in a published record.
    seen.endpoint = TlsHandshake().endpoint;
    seen.host = "collector";
    seen.server_name.reset();
    record.observations.emplace_back(std::move(seen));
    keep(parts_, std::move(record));
  }
}

}  // namespace kua::probe
