#include "collector/cells/attendance.h"

#include <gtest/gtest.h>

namespace kua::collector {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const WallTime kStart = *parse_rfc3339("2022-01-05T10:00:00Z");
constexpr NetworkIndex kHome{1};
constexpr NetworkIndex kMobile{2};

NetworkAttendance of(Attendance& attendance, NetworkIndex network, WallTime now) {
  for (const NetworkAttendance& at : attendance.networks(now)) {
    if (at.network == network) return at;
  }
  return {};
}

TEST(Attendance, ASilentProbeStopsReportingAfterThreeOfItsIntervals) {
  Attendance attendance{{}};
  WallTime now = kStart;
  for (int call = 0; call < 60; ++call, now += minutes(1)) attendance.heard(1, kHome, 11, now);
  EXPECT_EQ(of(attendance, kHome, now).reporting, 1u);
  EXPECT_EQ(of(attendance, kHome, now + minutes(10)).reporting, 0u) << "its interval is a minute";
  EXPECT_EQ(of(attendance, kHome, now + minutes(10)).expected, 1u) << "silent, not forgotten";
  EXPECT_EQ(of(attendance, kHome, now + hours(25)).expected, 0u);
  EXPECT_EQ(of(attendance, kHome, now + hours(25)).last_heard, now - minutes(1))
      << "when the network was last heard stays for long";
  EXPECT_TRUE(attendance.networks(now + hours(24 * 15)).empty());
}

TEST(Attendance, AnOutageDoesNotSlowTheRhythm) {
  Attendance attendance{{}};
  WallTime now = kStart;
  for (int call = 0; call < 60; ++call, now += minutes(1)) attendance.heard(1, kHome, 11, now);
  now += hours(6);
  for (int call = 0; call < 3; ++call, now += minutes(1)) attendance.heard(1, kHome, 11, now);
  EXPECT_EQ(of(attendance, kHome, now + minutes(10)).reporting, 0u);
}

TEST(Attendance, AProbeIsCountedWhereItIsNow) {
  Attendance attendance{{}};
  attendance.heard(1, kHome, 11, kStart);
  attendance.heard(1, kMobile, 12, kStart + minutes(1));
  EXPECT_EQ(of(attendance, kHome, kStart + minutes(1)).reporting, 0u);
  EXPECT_EQ(of(attendance, kMobile, kStart + minutes(1)).reporting, 1u);
  EXPECT_EQ(*attendance.network_of(1), kMobile);
}

TEST(Attendance, ClustersAreCountedOnce) {
  Attendance attendance{{}};
  for (std::uint64_t probe = 1; probe <= 5; ++probe) attendance.heard(probe, kHome, 9, kStart);
  attendance.heard(6, kHome, 0, kStart);
  EXPECT_EQ(of(attendance, kHome, kStart).reporting, 6u);
  EXPECT_EQ(of(attendance, kHome, kStart).clusters, 1u);
}

TEST(Attendance, TheLineIsAsLastReported) {
  Attendance attendance{{}};
  attendance.heard(1, kHome, 1, kStart);
  attendance.link_state(1, LinkState::online, kStart);
  attendance.link_state(1, LinkState::offline, kStart - minutes(5));
  EXPECT_EQ(of(attendance, kHome, kStart).link_states[static_cast<std::size_t>(LinkState::online)],
            1u)
      << "an older word changes nothing";
  attendance.link_state(1, LinkState::international_cut, kStart + minutes(1));
  EXPECT_EQ(of(attendance, kHome, kStart + minutes(1))
                .link_states[static_cast<std::size_t>(LinkState::international_cut)],
            1u);
}

TEST(Attendance, ProbesBeyondTheBoundAreCounted) {
  Attendance attendance{{.probes_max = 2}};
  for (std::uint64_t probe = 1; probe <= 5; ++probe) attendance.heard(probe, kHome, probe, kStart);
  EXPECT_EQ(attendance.size(), 2u);
  EXPECT_EQ(attendance.turned_away(), 3u);
}

}  // namespace
}  // namespace kua::collector
