// The bounds of what follows a failure: when it must be over, however silent everything is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "probe/experiment/run.h"
#include "tests/support/loopback/h2_server.h"
#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using probe::FollowUp;
using std::chrono::milliseconds;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Lateness of a busy machine.
constexpr Microseconds kSlack = milliseconds(400);

// Begin and end of the steps that pass.
struct Span {
  Microseconds begin = Microseconds::max();
  Microseconds end{0};
};

template <typename Passes>
Span span_of(const Measurement& m, Passes passes) {
  Span span;
  for (const Observation& observation : m.observations) {
    const StepContext* step = context_of(observation);
    if (step == nullptr || !passes(*step)) continue;
    span.begin = std::min(span.begin, step->offset);
    span.end = std::max(span.end, step->offset + step->duration);
  }
  return span;
}

// Every server takes the connection and then says nothing; only the resolvers answer, the system's with
// another address than the trusted one. Pacing is a twentieth of the real one.
class AllSilent : public testing::Test {
 protected:
  AllSilent() {
    probe::Pacing& pacing = world_.instrument.pacing;
    pacing = probe::Pacing();
    for (Microseconds* part : {&pacing.lookup_deadline, &pacing.connect_deadline, &pacing.handshake_deadline,
                               &pacing.round_trip_deadline, &pacing.late_reply_wait, &pacing.follow_up_within,
                               &pacing.immediate_set_deadline}) {
      *part /= 20;
    }
    world_.instrument.system_resolvers = {dns_.endpoint()};
    world_.list.trusted_resolvers = {{"test", at("https", "dns.example", doh_.port(), "/dns-query{?dns}"),
                                      {*IpAddress::parse("127.0.0.1")}, false}};
    world_.list.witnesses = {{*IpAddress::parse("127.0.0.9"), witness_.port(), Transport::tcp}};
  }
  ServerOptions silent(const char* address, std::uint16_t port = 0) {
    ServerOptions options = secure(world_, {"site.example"});
    options.address = address;
    options.port = port;
    options.gate = [](std::string_view) { return Then::hold; };
    return options;
  }
  DohServerOptions doh_options() {
    DohServerOptions options;
    options.identity = world_.authority.issue({{"dns.example"}});
    options.answer = [](const wire::DnsMessage& query) {
      return addresses_reply(query, {"127.0.0.3", "127.0.0.4"});
    };
    return options;
  }

  World world_;
  DnsServer dns_{world_.loop, zone("site.example", {"127.0.0.1"})};
  DohServer doh_{world_.loop, doh_options()};
  Server site_{world_.loop, silent("127.0.0.1")};
  Server trusted3_{world_.loop, silent("127.0.0.3", site_.port())};
  Server trusted4_{world_.loop, silent("127.0.0.4", site_.port())};
  Server witness_{world_.loop, silent("127.0.0.9")};
};

TEST_F(AllSilent, TheWholeSetBeginsAndEndsWithinOneDeadlineFromTheFirstDoubt) {
  const probe::Pacing& pacing = world_.instrument.pacing;
  const Measurement m = world_.check(at("https", "site.example", site_.port()), FollowUp::immediate);

  ASSERT_THAT(steps_of<TlsHandshake>(m), SizeIs(1));
  const TlsHandshake doubted = steps_of<TlsHandshake>(m).front();
  ASSERT_TRUE(doubted.failure);
  const Microseconds failed = doubted.offset + doubted.duration;
  const auto is_pair = [](const StepContext& step) {
    return step.role == StepRole::same_address || step.role == StepRole::witness || step.role == StepRole::retry;
  };
  const auto is_set = [&](const StepContext& step) { return step.role != StepRole::main && step.offset >= failed; };
  for (const StepRole role : {StepRole::same_address, StepRole::witness, StepRole::retry}) {
    EXPECT_THAT(steps_of<TlsHandshake>(m, role), SizeIs(1)) << to_string(role);
  }
  EXPECT_LE(span_of(m, is_pair).begin, failed + pacing.follow_up_within);
  EXPECT_LE(span_of(m, is_set).end, failed + pacing.immediate_set_deadline + kSlack);

  const auto trusted = steps_of<TlsHandshake>(m, StepRole::trusted);
  EXPECT_THAT(trusted, SizeIs(2));
  const auto is_trusted = [&](const StepContext& step) { return is_set(step) && step.role == StepRole::trusted; };
  const Span span = span_of(m, is_trusted);
  EXPECT_LE(span.end - span.begin, pacing.immediate_set_deadline / 2 + kSlack);
}

TEST_F(AllSilent, WithoutLeaveForASetTheTrustedAddressesAreGoneToAllTheSame) {
  const Measurement m = world_.check(at("https", "site.example", site_.port()), FollowUp::none);
  EXPECT_THAT(steps_of<TlsHandshake>(m, StepRole::trusted), Not(IsEmpty()));
  EXPECT_THAT(steps_of<TlsHandshake>(m, StepRole::retry), IsEmpty());
  EXPECT_THAT(steps_of<TlsHandshake>(m, StepRole::same_address), IsEmpty());
}

class SetClock final : public platform::Clock {
 public:
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  [[nodiscard]] MonotonicTime monotonic_now() const override { return now; }
  MonotonicTime now{std::chrono::seconds(1000)};
};

class TimesOfARun : public testing::Test {
 protected:
  World world_;
  SetClock clock_;
  probe::Instrument instrument_{clock_, world_.trust, world_.list, {}, {}, {}, true, {}, stamp(), ""};
  probe::Run run_{instrument_, {.target = {.id = *TargetId::parse("web:test"), .url = {}, .endpoints = {},
                                           .category = {}, .country = {}},
                                .on_observation = {}},
                  "test"};
};

TEST_F(TimesOfARun, OneDeadlineHoldsFromTheFirstDoubtWhoeverAsks) {
  using std::chrono::seconds;
  const MonotonicTime doubt = clock_.now;
  EXPECT_EQ(run_.main_latest(), MonotonicTime::max());
  run_.note_doubt();
  clock_.now += seconds(3);
  run_.note_doubt();  // not the first
  EXPECT_EQ(run_.main_latest(), doubt + seconds(10));
  EXPECT_EQ(run_.immediate_set_latest(), doubt + seconds(25));
  clock_.now += seconds(15);
  EXPECT_EQ(run_.immediate_set_latest(), doubt + seconds(25)) << "a second start begins no second set";
}

TEST_F(TimesOfARun, SlowMainStepsLeaveTheSetHalfItsTime) {
  using std::chrono::seconds;
  run_.note_doubt();
  clock_.now += seconds(24);
  EXPECT_EQ(run_.main_latest(), clock_.now + seconds(5));
  EXPECT_EQ(run_.immediate_set_latest(), clock_.now + Microseconds(12'500'000));
}

}  // namespace
}  // namespace kua::test
