#include "probe/cli/line_look.h"

#include <algorithm>

#include "probe/step/contact_guard.h"
#include "probe/vantage/clock_check.h"
#include "verdict/judge.h"

namespace kua::probe {
namespace {

namespace asio = boost::asio;

constexpr Microseconds kResolverProbeWithin = std::chrono::seconds(3);
constexpr Microseconds kResolverProbeAgain = std::chrono::hours(6);

bool resolver_answered(const Measurement& look) {
  return std::ranges::any_of(look.observations, [](const Observation& observation) {
    const auto* check = std::get_if<LinkCheck>(&observation);
    return check != nullptr && check->subject == LinkSubject::resolver && check->reached;
  });
}

void note_resolver(Setup& setup, const LineMemory& memory) {
  setup.vantage.faults.nat64 = memory.resolver.nat64;
  if (setup.config.resolver.resolver_class || setup.resolvers.empty()) return;
  const bool at_home = std::ranges::all_of(
      setup.resolvers, [](const Endpoint& resolver) { return is_home_address(resolver.address); });
  const auto place = at_home ? ResolverPlace::home_network : ResolverPlace::elsewhere;
  setup.vantage.resolver_class = refine(setup.vantage.resolver_class, place, memory.resolver);
}

void correct_clock(Setup& setup, LineLook& look, WallTime began, AnchoredClock& clock) {
  const auto beyond = clock_error(anchors_of(look.record, began));  // beyond what is corrected already
  if (!beyond) return;
  look.clock_error = *beyond + clock.correction();
  const bool wrong = is_wrong(*look.clock_error);
  clock.correct(wrong ? *look.clock_error : Microseconds(0));
  setup.vantage.faults.clock_wrong = wrong;
  if (wrong) look.record.header.time = floor_to(began + *beyond, setup.config.lab.record_rounding);
}

}  // namespace

asio::awaitable<LineLook> look_at_line(Setup& setup, LineMemory& memory, AnchoredClock& clock,
                                       const TrustStore& trust) {
  refresh_vantage(setup);
  note_resolver(setup, memory);
  LineLook look;
  const WallTime began = clock.wall_now();
  const auto list = setup.lists.for_line(began);
  const Instrument instrument = make_instrument(setup, *list, clock, trust);
  look.record = co_await link_state(instrument, memory.link, memory.turn++);
  look.state = verdict::conclude_link_state(look.record);

  const MonotonicTime now = clock.monotonic_now();
  const bool asked_lately = memory.asked_at && now - *memory.asked_at < kResolverProbeAgain;
  const bool same = memory.asked == setup.resolvers && asked_lately;
  if (!same && !setup.resolvers.empty() && resolver_answered(look.record)) {
    memory.resolver = co_await probe_resolver(clock, setup.resolvers.front(), kResolverProbeWithin);
    look.record.bytes_sent += memory.resolver.bytes;  // both directions in one: it is only reckoned with
    memory.asked = setup.resolvers;
    memory.asked_at = now;
    note_resolver(setup, memory);
  }

  correct_clock(setup, look, began, clock);
  const bool ipv6_broken = look.record.header.vantage.faults.ipv6_broken;
  setup.vantage.faults.ipv6_broken = ipv6_broken;
  setup.vantage.faults.tls_inspected = memory.link.tls_inspected;
  look.record.header.vantage = setup.vantage;
  look.record.link_state = look.state;
  co_return look;
}

bool may_measure(const Setup& setup, LinkState state) {
  if (setup.vantage.faults.vpn) return false;
  switch (state) {
    case LinkState::online:
    case LinkState::unknown: return true;  // unknown: without controls nobody can tell; the judge knows
    case LinkState::captive:
    case LinkState::dns_broken:
    case LinkState::international_cut:
    case LinkState::offline: return false;
  }
  return false;
}

}  // namespace kua::probe
