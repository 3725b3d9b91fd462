#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "tests/unit/probe_step/world.h"

namespace kua::test {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LinkStates : public ::testing::Test {
 protected:
  LinkStates()
      : dns(world.loop, [](const wire::DnsMessage& query) {
          return std::vector<TimedReply>{{addresses_reply(query, {"127.0.0.1"})}};
        }) {
    world.instrument.system_resolvers = {dns.endpoint()};
    world.instrument.stamp.vantage.country = *CountryCode::parse("KZ");
  }

  void add_control(const std::string& host, std::uint16_t port, ControlScope scope,
                   std::optional<CountryCode> country = std::nullopt) {
    const std::string url = "https://" + host + ":" + std::to_string(port) + "/";
    world.list.targets.push_back({*TargetId::parse("web:" + url), url, {}, {}, "CTRL", Tier::control, scope, country});
  }

  ServerOptions control(const std::string& name) {
    ServerOptions options;
    options.identity = world.authority.issue({{name}});
    options.respond = [](std::string_view) { return Reply{page("control")}; };
    return options;
  }

  std::uint16_t closed_port() { return Server(world.loop, {}).port(); }

  std::vector<LinkCheck> look(std::uint32_t turn) {
    last = world.loop.run(probe::link_state(world.instrument, memory, turn));
    return steps_of<LinkCheck>(last);
  }

  static std::vector<LinkCheck> of(const std::vector<LinkCheck>& checks, LinkSubject subject) {
    std::vector<LinkCheck> out;
    for (const LinkCheck& check : checks) {
      if (check.subject == subject) out.push_back(check);
    }
    return out;
  }

  World world;
  DnsServer dns;
  probe::LinkMemory memory;
  Measurement last;
};

TEST_F(LinkStates, FirstLookProvesBothSidesAndReadsTheirClocks) {
  Server national(world.loop, control("national.example"));
  Server abroad(world.loop, control("abroad.example"));
  add_control("national.example", national.port(), ControlScope::national, CountryCode::parse("KZ"));
  add_control("abroad.example", abroad.port(), ControlScope::international);

  const auto checks = look(7);

  EXPECT_EQ(last.experiment, "link_state");
  for (const LinkSubject subject : {LinkSubject::gateway, LinkSubject::resolver, LinkSubject::national, LinkSubject::international}) {
    ASSERT_THAT(of(checks, subject), SizeIs(1));
    EXPECT_TRUE(of(checks, subject)[0].reached) << to_string(subject);
  }
  EXPECT_EQ(of(checks, LinkSubject::national)[0].server_date, parse_rfc3339("2022-01-04T16:45:00Z"));
  EXPECT_THAT(of(checks, LinkSubject::captive_portal), IsEmpty());
  EXPECT_FALSE(memory.national_unsettled);
  EXPECT_FALSE(memory.international_unsettled);
}

TEST_F(LinkStates, AQuietMinuteCostsUnderAKilobyte) {
  Server national(world.loop, control("national.example"));
  Server abroad(world.loop, control("abroad.example"));
  add_control("national.example", national.port(), ControlScope::national);
  add_control("abroad.example", abroad.port(), ControlScope::international);
  (void)look(1);
  std::uint64_t bytes = 0;
  constexpr std::uint32_t kTurns = 2 * probe::kLinkCloseLookTurns;
  for (std::uint32_t turn = 2; turn < 2 + kTurns; ++turn) {
    for (const LinkCheck& check : look(turn)) {
      EXPECT_TRUE(check.reached) << to_string(check.subject);
    }
    bytes += last.bytes_sent + last.bytes_received;
  }
  EXPECT_LT(bytes / kTurns, 1000u);
}

TEST_F(LinkStates, ARoutineLookOnlyConnects) {
  Server national(world.loop, control("national.example"));
  Server abroad(world.loop, control("abroad.example"));
  add_control("national.example", national.port(), ControlScope::national);
  add_control("abroad.example", abroad.port(), ControlScope::international);
  (void)look(1);
  (void)look(2);
  EXPECT_EQ(national.connections(), 2);
  EXPECT_THAT(national.requests(), SizeIs(1));
  EXPECT_THAT(abroad.requests(), SizeIs(1));
}

TEST_F(LinkStates, RotatesThroughTheControls) {
  Server first(world.loop, control("one.example"));
  Server second(world.loop, control("two.example"));
  add_control("one.example", first.port(), ControlScope::international);
  add_control("two.example", second.port(), ControlScope::international);
  const std::string even = of(look(2), LinkSubject::international).at(0).target;
  const std::string odd = of(look(3), LinkSubject::international).at(0).target;
  EXPECT_NE(even, odd);
}

TEST_F(LinkStates, LeavesOtherCountriesControlsAlone) {
  Server national(world.loop, control("national.example"));
  add_control("national.example", national.port(), ControlScope::national, CountryCode::parse("UZ"));
  EXPECT_THAT(of(look(1), LinkSubject::national), IsEmpty());
  EXPECT_THAT(last.missing, Contains("national_control"));
}

TEST_F(LinkStates, AsksFurtherControlsWhenASideIsLost) {
  Server national(world.loop, control("national.example"));
  add_control("national.example", national.port(), ControlScope::national);
  const std::uint16_t gone = closed_port();
  for (const char* name : {"one.example", "two.example", "three.example", "four.example"}) {
    add_control(name, gone, ControlScope::international);
  }
  const auto checks = look(1);
  EXPECT_TRUE(of(checks, LinkSubject::national).at(0).reached);
  const auto abroad = of(checks, LinkSubject::international);
  EXPECT_THAT(abroad, SizeIs(1 + probe::kLinkMoreControls));
  for (const LinkCheck& check : abroad) EXPECT_EQ(check.failure->code, FailureCode::connection_refused);
  EXPECT_THAT(of(checks, LinkSubject::captive_portal), SizeIs(1));
  EXPECT_TRUE(memory.international_unsettled);
  EXPECT_FALSE(memory.national_unsettled);
}

TEST_F(LinkStates, ACertificateOfSomebodyElseIsNoControl) {
  ServerOptions options = control("abroad.example");
  options.identity = Authority("Hotel").issue({{"login.hotel.example"}});
  Server portal(world.loop, options);
  add_control("abroad.example", portal.port(), ControlScope::international);
  const auto checks = of(look(1), LinkSubject::international);
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_FALSE(checks[0].reached);
  EXPECT_EQ(checks[0].failure->code, FailureCode::ssl_invalid_certificate);
}

TEST_F(LinkStates, AChainOutOfDateStillTellsTheTimeWhenItIsOurClockThatIsWrong) {
  ServerOptions options = control("abroad.example");
  options.identity = world.authority.issue({.names = {"abroad.example"}, .from_days = -30, .until_days = -10});
  Server server(world.loop, options);  // its Date lies years before the clock of this machine
  add_control("abroad.example", server.port(), ControlScope::international);
  const auto checks = of(look(1), LinkSubject::international);
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_TRUE(checks[0].reached);
  EXPECT_EQ(checks[0].server_date, parse_rfc3339("2022-01-04T16:45:00Z"));
}

// One control of each side; who signs for them is what the rows differ in.
class Inspection : public LinkStates {
 protected:
  Inspection() { std::ofstream(added.file("antivirus.crt")) << world.authority.pem(); }
  bool inspected(std::uint32_t turn) {
    (void)look(turn);
    return last.header.vantage.faults.tls_inspected;
  }
  TempDirectory added;
  Server abroad{world.loop, control("abroad.example")};
};

TEST_F(Inspection, AnAuthorityOfTheSystemsOwnInspectsNothing) {
  add_control("abroad.example", abroad.port(), ControlScope::international);
  EXPECT_FALSE(inspected(1));
}

TEST_F(Inspection, AnAuthorityAddedOnThisMachineThatSignsForSitesAbroadMarksTheVantage) {
  world.trust.note_added(added.path());
  add_control("abroad.example", abroad.port(), ControlScope::international);
  EXPECT_TRUE(inspected(1));
  EXPECT_TRUE(inspected(2)) << "until a control abroad proves otherwise";
}

TEST_F(Inspection, ItEndsWithTheLine) {
  world.trust.note_added(added.path());
  add_control("abroad.example", abroad.port(), ControlScope::international);
  EXPECT_TRUE(inspected(1));
  world.list.targets.clear();
  std::ofstream(world.proc_net.file("route")) << "";
  EXPECT_FALSE(inspected(2));
}

TEST_F(Inspection, ASitesOwnStateMaySignForNationalControls) {
  world.trust.note_added(added.path());
  add_control("abroad.example", abroad.port(), ControlScope::national);
  EXPECT_FALSE(inspected(1));
}

TEST_F(Inspection, AListedInterceptionRootIsJudgedNotExcused) {
  world.trust.note_added(added.path());
  world.list.interception_roots = {{"state", "", "CN=Test Root"}};
  add_control("abroad.example", abroad.port(), ControlScope::international);
  EXPECT_FALSE(inspected(1));
}

// Whoever signs for the very name opens TLS and passes it on: the line works, and what it shows is theirs.
class Opened : public LinkStates {
 protected:
  LinkCheck opened(ControlScope scope, std::string response = page("control")) {
    ServerOptions options = control("abroad.example");
    options.identity = Authority("Antivirus").issue({{"abroad.example"}});
    options.respond = [response](std::string_view) { return Reply{response}; };
    Server server(world.loop, options);
    add_control("abroad.example", server.port(), scope);
    const bool national = scope == ControlScope::national;
    return of(look(1), national ? LinkSubject::national : LinkSubject::international).at(0);
  }
  bool inspected() const { return last.header.vantage.faults.tls_inspected; }
};

TEST_F(Opened, AnUnknownAuthorityThatSignsForTheNameAbroadMarksTheVantage) {
  EXPECT_TRUE(opened(ControlScope::international).reached);
  EXPECT_TRUE(inspected());
}

TEST_F(Opened, ANationalAuthorityOfItsOwnMarksNothing) {
  EXPECT_TRUE(opened(ControlScope::national).reached);
  EXPECT_FALSE(inspected());
}

TEST_F(Opened, AListedRootIsReachedThroughAndLeftToTheJudge) {
  world.list.interception_roots = {{"state", "", "CN=Antivirus"}};
  EXPECT_TRUE(opened(ControlScope::international).reached);
  EXPECT_FALSE(inspected());
}

TEST_F(Opened, APortalThatSignsForEveryNameIsKnownByWhereItSends) {
  EXPECT_FALSE(opened(ControlScope::international, redirect("https://login.hotel.example/")).reached);
}

// One of three controls abroad is opened; the others are theirs, or dead.
TEST_F(Opened, OneControlAloneSilencesNothingWhereAnotherShowsItsOwnChain) {
  Server other(world.loop, control("other.example"));
  ServerOptions options = control("abroad.example");
  options.identity = Authority("Censor").issue({{"abroad.example"}});
  Server censored(world.loop, options);
  add_control("abroad.example", censored.port(), ControlScope::international);
  add_control("other.example", other.port(), ControlScope::international);
  for (const std::uint32_t turn : {2u, 3u}) {
    memory = {};
    (void)look(turn);
    EXPECT_FALSE(inspected()) << turn;
  }
  EXPECT_THAT(other.requests(), SizeIs(2)) << "closely, whichever was the first";
  memory.tls_inspected = true;
  memory.close_wanted = true;
  const auto abroad = of(look(4), LinkSubject::international);
  EXPECT_FALSE(inspected()) << "nor does it go on doing so";
  EXPECT_THAT(abroad, SizeIs(2));
  for (const LinkCheck& check : abroad) EXPECT_TRUE(check.reached) << check.host;
}

TEST_F(Opened, OneControlAloneIsLookedAtAgainWhereTheOthersAreSilent) {
  const std::uint16_t gone = closed_port();
  ServerOptions options = control("abroad.example");
  options.identity = Authority("Censor").issue({{"abroad.example"}});
  Server censored(world.loop, options);
  add_control("abroad.example", censored.port(), ControlScope::international);
  add_control("other.example", gone, ControlScope::international);
  EXPECT_THAT(of(look(2), LinkSubject::international), SizeIs(2));
  EXPECT_TRUE(inspected());
  EXPECT_TRUE(memory.international_unsettled);
}

TEST_F(LinkStates, AConnectionBehindWhichTlsIsSilentIsNoControl) {
  Server national(world.loop, control("national.example"));
  add_control("national.example", national.port(), ControlScope::national);
  ServerOptions mute = control("abroad.example");
  mute.gate = [](std::string_view) { return Then::hold; };
  Server silent(world.loop, mute);
  for (const char* name : {"one.example", "two.example", "three.example"}) {
    add_control(name, silent.port(), ControlScope::international);
  }
  const auto abroad = of(look(1), LinkSubject::international);
  EXPECT_THAT(abroad, SizeIs(3));
  for (const LinkCheck& check : abroad) EXPECT_FALSE(check.reached) << check.host;
}

TEST_F(Inspection, WhatIsNoCertificateIsPassedOver) {
  std::ofstream(added.file("broken.crt")) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  std::ofstream(added.file("empty.pem")) << "";
  world.trust.note_added(added.path());
  world.trust.note_added("/nonexistent");
  add_control("abroad.example", abroad.port(), ControlScope::international);
  EXPECT_TRUE(inspected(1));
}

// Two controls abroad whose port 443 is closed, and one server that answers both names on port 80.
class InClearText : public LinkStates {
 protected:
  // What the two portal checks came to; the one of a control that was not asked is missing.
  std::optional<std::vector<LinkCheck>> answered(std::function<Reply(std::string_view)> respond) {
    ServerOptions options;
    options.address = "127.0.0.1";
    options.port = 80;
    options.respond = std::move(respond);
    std::optional<Server> server;
    try {
      server.emplace(world.loop, options);
    } catch (const boost::system::system_error&) {
      return std::nullopt;
    }
    const std::uint16_t gone = closed_port();
    add_control("one.example", gone, ControlScope::international);
    add_control("two.example", gone, ControlScope::international);
    return of(look(0), LinkSubject::captive_portal);
  }
  static bool is_portal(const LinkCheck& check) { return !check.reached && !check.failure; }
  static Reply sent_to(const std::string& location) {
    return Reply{"HTTP/1.1 302 Found\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n"};
  }
  static Reply own_page(std::string_view request) {
    return Reply{page(request.find("one.example") != request.npos ? "One" : "Two")};
  }
};

#define ANSWERED(name, respond)                                        \
  const auto name = answered(respond);                                 \
  if (!name) GTEST_SKIP() << "port 80 cannot be bound"

TEST_F(InClearText, ARedirectAwayFromTheControlIsAPortal) {
  ANSWERED(checks, [](std::string_view) { return sent_to("http://login.hotel.example/"); });
  ASSERT_THAT(*checks, SizeIs(1));
  EXPECT_TRUE(is_portal(checks->front()));
}

TEST_F(InClearText, ALoginThatIsAskedForIsAPortal) {
  ANSWERED(checks, [](std::string_view) {
    return Reply{"HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n"};
  });
  ASSERT_THAT(*checks, SizeIs(1));
  EXPECT_TRUE(is_portal(checks->front()));
}

TEST_F(InClearText, OnePageUnderUnrelatedNamesIsAPortal) {
  ANSWERED(checks, [](std::string_view) { return Reply{page("Log in")}; });
  ASSERT_THAT(*checks, SizeIs(2));
  EXPECT_TRUE(is_portal((*checks)[0]));
  EXPECT_TRUE(is_portal((*checks)[1]));
}

TEST_F(InClearText, APageOfTheControlsOwnIsNoPortalThoughItsPort443IsCut) {
  ANSWERED(checks, &own_page);
  ASSERT_THAT(*checks, SizeIs(2));
  EXPECT_TRUE((*checks)[0].reached);
  EXPECT_TRUE((*checks)[1].reached);
}

TEST_F(InClearText, ARedirectHomeIsNoPortal) {
  ANSWERED(checks, [](std::string_view request) {
    return sent_to(request.find("one.example") != request.npos ? "https://one.example/" : "https://www.two.example/");
  });
  ASSERT_THAT(*checks, SizeIs(1));
  EXPECT_TRUE(checks->front().reached);
}

TEST_F(InClearText, TheSameErrorOfTwoServersIsNoPortal) {
  ANSWERED(checks, [](std::string_view) {
    return Reply{"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nForbidden"};
  });
  ASSERT_THAT(*checks, SizeIs(2));
  EXPECT_TRUE((*checks)[0].reached);
  EXPECT_TRUE((*checks)[1].reached);
}

TEST_F(InClearText, APageBesideAStrangersCertificateIsAPortal) {
  ServerOptions stranger = control("three.example");
  stranger.identity = Authority("Hotel").issue({{"login.hotel.example"}});
  Server secure(world.loop, stranger);
  add_control("three.example", secure.port(), ControlScope::national);
  ANSWERED(checks, &own_page);
  ASSERT_THAT(*checks, SizeIs(1));
  EXPECT_TRUE(is_portal(checks->front()));
}

// Whoever answers every name on port 80 signs for every name on port 443, too.
TEST_F(InClearText, APortalThatSignsForEveryNameAndAnswersIsAPortal) {
  ServerOptions options = control("three.example");
  options.identity = Authority("Hotel").issue({{"three.example", "near.example"}});
  Server portal(world.loop, options);
  add_control("three.example", portal.port(), ControlScope::international);
  add_control("near.example", portal.port(), ControlScope::national);
  ANSWERED(checks, [](std::string_view) { return Reply{page("Log in")}; });
  EXPECT_THAT(*checks, SizeIs(2));
  for (const LinkCheck& check : steps_of<LinkCheck>(last)) {
    const bool shared = check.subject == LinkSubject::gateway || check.subject == LinkSubject::resolver;
    EXPECT_EQ(check.reached, shared) << check.host;
  }
  EXPECT_FALSE(last.header.vantage.faults.tls_inspected);
  EXPECT_TRUE(memory.international_unsettled);
}

TEST_F(InClearText, AnInspectorBehindWhichEveryNameHasItsOwnPageIsNone) {
  ServerOptions options = control("three.example");
  options.identity = Authority("Antivirus").issue({{"three.example"}});
  Server inspector(world.loop, options);
  add_control("three.example", inspector.port(), ControlScope::international);
  ANSWERED(checks, &own_page);
  EXPECT_THAT(*checks, SizeIs(2));
  EXPECT_TRUE(of(steps_of<LinkCheck>(last), LinkSubject::international).front().reached);
  EXPECT_TRUE(last.header.vantage.faults.tls_inspected);
}

TEST_F(LinkStates, ACloseLookThatIsWantedWhileOneIsUnderWayIsTheNext) {
  ServerOptions options = control("abroad.example");
  options.respond = [this](std::string_view) {
    memory.close_wanted = true;
    return Reply{page("control")};
  };
  Server abroad(world.loop, options);
  add_control("abroad.example", abroad.port(), ControlScope::international);
  (void)look(1);
  EXPECT_THAT(abroad.requests(), SizeIs(1));
  (void)look(2);
  EXPECT_THAT(abroad.requests(), SizeIs(2));
}

TEST_F(LinkStates, ADeadControlOfALineThatWorksCostsNextToNothing) {
  const std::uint16_t gone = closed_port();
  Server national(world.loop, control("national.example"));
  Server one(world.loop, control("one.example"));
  Server two(world.loop, control("two.example"));
  add_control("national.example", national.port(), ControlScope::national);
  add_control("dead.example", gone, ControlScope::international);
  add_control("one.example", one.port(), ControlScope::international);
  add_control("two.example", two.port(), ControlScope::international);
  (void)look(0);
  EXPECT_FALSE(memory.international_unsettled) << "the others were reached";
  EXPECT_THAT(one.requests(), SizeIs(1)) << "closely";
  EXPECT_THAT(two.requests(), SizeIs(1));
  EXPECT_THAT(of(steps_of<LinkCheck>(last), LinkSubject::captive_portal), IsEmpty());
  std::uint64_t bytes = 0;
  int asked = 0;
  constexpr std::uint32_t kTurns = 2 * probe::kLinkCloseLookTurns;
  for (std::uint32_t turn = 1; turn <= kTurns; ++turn) {
    for (const LinkCheck& check : look(turn)) asked += check.host == "dead.example" ? 1 : 0;
    bytes += last.bytes_sent + last.bytes_received;
  }
  EXPECT_LT(bytes / kTurns, 1000u);
  EXPECT_EQ(asked, 1) << "it may come back";
}

TEST_F(LinkStates, ALineWithoutRouteIsLost) {
  std::ofstream(world.proc_net.file("route")) << "";
  EXPECT_EQ(of(look(1), LinkSubject::gateway).at(0).failure->code, FailureCode::network_unreachable);
}

TEST_F(LinkStates, AnotherWayOutIsLookedAtClosely) {
  Server abroad(world.loop, control("abroad.example"));
  add_control("abroad.example", abroad.port(), ControlScope::international);
  (void)look(1);
  (void)look(2);
  EXPECT_THAT(abroad.requests(), SizeIs(1));
  std::ofstream(world.proc_net.file("route"))
      << "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
      << "wlan0 00000000 0200007F 0003 0 0 0 00000000 0 0 0\n";
  (void)look(3);
  EXPECT_THAT(abroad.requests(), SizeIs(2));
}

TEST_F(LinkStates, ADeadResolverIsItsOwnFault) {
  DnsServer silent(world.loop, [](const wire::DnsMessage&) { return std::vector<TimedReply>{}; });
  Server national(world.loop, control("national.example"));
  Server abroad(world.loop, control("abroad.example"));
  add_control("national.example", national.port(), ControlScope::national);
  add_control("abroad.example", abroad.port(), ControlScope::international);
  (void)look(1);
  world.instrument.system_resolvers = {silent.endpoint()};
  const auto checks = look(2);
  EXPECT_EQ(of(checks, LinkSubject::resolver).at(0).failure->code, FailureCode::generic_timeout_error);
  EXPECT_TRUE(of(checks, LinkSubject::national).at(0).reached) << "by the address it had before";
  EXPECT_TRUE(of(checks, LinkSubject::international).at(0).reached);
}

}  // namespace
}  // namespace kua::test
