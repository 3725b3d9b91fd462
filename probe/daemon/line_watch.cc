#include "probe/daemon/line_watch.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "platform/crypto/crypto.h"
#include "probe/limits.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;

// A look that saw nothing new is recorded this often, for its clock anchors.
constexpr Microseconds kRecordAgain = std::chrono::hours(1);
// The text of the consent promises an end within a minute of its withdrawal.
constexpr Microseconds kConsentAgain = std::chrono::seconds(20);
// A wall clock that was set, as against one that drifts.
constexpr Microseconds kClockStep = std::chrono::seconds(60);

double draw() {
  return static_cast<double>(platform::random_u64() >> 11) * 0x1p-53;  // uniform in [0, 1)
}

}  // namespace

LineWatch::LineWatch(Parts& parts) : parts_(parts), bell_(parts.executor), looks_(parts.executor) {
  looks_.expires_at(asio::steady_timer::time_point::max());
}

asio::awaitable<void> LineWatch::run() {
  while (has_consent(parts_)) {
    co_await look();
    const Microseconds period = parts_.scaled_by_lab(profile_of(profile_now(parts_.setup)).link_period);
    co_await rest(until_next_look(parts_.clock.wall_now(), period, draw()));
  }
  parts_.log.warning("consent was withdrawn, nothing is measured any more");
}

// Until the next look is due or wanted, or consent was withdrawn.
asio::awaitable<void> LineWatch::rest(Microseconds left) {
  while (left > Microseconds(0) && has_consent(parts_)) {
    const Microseconds stretch = std::min(left, kConsentAgain);
    if (co_await bell_.wait(stretch)) co_return;
    left -= stretch;
  }
}

asio::awaitable<void> LineWatch::look() {
  ++begun_;
  LineLook look = co_await look_at_line(parts_.setup, memory_, parts_.clock, parts_.trust);
  ended_ = begun_;
  note(std::move(look));
  looks_.cancel();
}

asio::awaitable<LinkState> LineWatch::look_again() {
  const std::uint64_t wanted = begun_ + 1;
  // On a doubt a connection that comes about is not enough: TLS may be cut behind it.
  memory_.link.close_wanted = true;
  bell_.ring();
  while (ended_ < wanted) {
    co_await looks_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return state_;
}

// The diary's minutes of this boot move when the clock they were noted by turns out to have been wrong.
void LineWatch::follow_clock() {
  const Microseconds offset =
      parts_.clock.wall_now().time_since_epoch() - parts_.clock.monotonic_now().time_since_epoch();
  if (clock_offset_ && std::chrono::abs(offset - *clock_offset_) > kClockStep) {
    const auto moved = std::chrono::round<std::chrono::minutes>(offset - *clock_offset_);
    parts_.log.warning("the wall clock was set; the diary of this boot moves with it",
                       {{"minutes", moved.count()}});
    if (auto shifted = parts_.diary.shift(parts_.setup.boot, moved); !shifted) {
      parts_.log.error("the diary was not moved", {{"error", shifted.error().text()}});
    }
  }
  clock_offset_ = offset;
}

bool LineWatch::worth_a_record(const LineLook& look, MonotonicTime now) {
  if (looked_ && look.state == state_ && recorded_at_ && now - *recorded_at_ < kRecordAgain) return false;
  recorded_at_ = now;
  return true;
}

void LineWatch::note(LineLook look) {
  const MonotonicTime now = parts_.clock.monotonic_now();
  follow_clock();
  const WallTime wall = parts_.clock.wall_now();
  parts_.budget.spend(Spending::link, look.record.bytes_sent + look.record.bytes_received,
                      parts_.budget_now());
  if (auto noted = parts_.diary.note(minute_of(look.record, wall, look.state), parts_.setup.boot); !noted) {
    parts_.log.error("a minute is not in the diary", {{"error", noted.error().text()}});
  }
  if (worth_a_record(look, now)) keep(parts_, look.record);
  if (!looked_ || look.state != state_) {
    parts_.log.info("line", {{"state", to_string(look.state)}, {"before", to_string(state_)}});
    since_ = wall;
  }
  const bool state_changed = !looked_ || look.state != state_;
  looked_ = true;
  state_ = look.state;
  parts_.audience.on_look(look);
  if ((fit() != was_fit_ || state_changed) && on_change) {
    if (fit() && !was_fit_) parts_.schedule.spread_overdue(now);
    was_fit_ = fit();
    on_change();
  }
}

}  // namespace kua::probe
