#include "probe/membership/list_store.h"

#include <gtest/gtest.h>

#include "probe/membership/membership.h"
#include "tests/unit/probe/temporary_directory.h"

namespace kua::probe {
namespace {

using std::chrono::days;

const WallTime kIssued = *parse_rfc3339("2024-01-05T00:00:00Z");

protocol::TargetList list_of(std::uint64_t serial, const char* url, WallTime issued = kIssued) {
  protocol::TargetList list;
  list.serial = serial;
  list.issued = issued;
  list.expires = issued + days(14);
  const Target target{.id = *TargetId::parse(std::string("web:") + url),
                      .url = url,
                      .endpoints = {},
                      .category = "NEWS",
                      .tier = Tier::key,
                      .country = std::nullopt};
  list.targets.push_back(target);
  return list;
}

class ListStoreTest : public testing::Test {
 protected:
  ListStoreTest() {
    link_.list_keys = {key_.public_key()};
    link_.minimum_list_sha256 = platform::to_hex(platform::sha256(minimum_));
  }
  std::string signed_list(std::uint64_t serial, const char* url, WallTime issued = kIssued) {
    return *protocol::sign_target_list(list_of(serial, url, issued), key_);
  }
  ListStore open() { return ListStore::open(state_, link_); }

  TemporaryDirectory folder_;
  StateDirectory state_ = *StateDirectory::open(folder_.file("state"));
  platform::SigningKey key_ = platform::SigningKey::generate();
  std::string minimum_ = *protocol::sign_target_list(list_of(1, "https://minimum.example/"), key_);
  protocol::JoinLink link_;
};

TEST_F(ListStoreTest, WithoutAListNothingMayBeMeasured) {
  const ListStore store = open();
  EXPECT_EQ(store.standing(kIssued), ListStanding::link_only);
  EXPECT_TRUE(store.targets(kIssued).empty());
  EXPECT_TRUE(store.holding(kIssued)->targets.empty());
  EXPECT_TRUE(store.for_line(kIssued)->targets.empty());
}

TEST_F(ListStoreTest, AListThatVerifiesHoldsUntilItExpires) {
  ListStore store = open();
  ASSERT_TRUE(*store.offer(signed_list(5, "https://a.example/"), kIssued));
  EXPECT_EQ(store.standing(kIssued + days(13)), ListStanding::current);
  EXPECT_EQ(store.targets(kIssued + days(13)).size(), 1u);
  EXPECT_EQ(store.standing(kIssued + days(14)), ListStanding::link_only);
  EXPECT_TRUE(store.targets(kIssued + days(14)).empty());
}

// All that a measurement takes from a list, each told by where it comes from.
protocol::TargetList full_list(std::uint64_t serial, const char* name) {
  const std::string text(name);
  protocol::TargetList list = list_of(serial, ("https://" + text + ".example/").c_str());
  list.witnesses = {{*IpAddress::parse("203.0.113." + std::to_string(serial)), 443, Transport::tcp}};
  list.no_resolvers = {*IpAddress::parse("198.51.100." + std::to_string(serial))};
  list.trusted_resolvers = {{text, "", {*IpAddress::parse("192.0.2." + std::to_string(serial))}, true}};
  list.harmless_name = "harmless." + text + ".example";
  list.interception_roots.push_back({text, "", "CN=" + text});
  list.fingerprints.emplace_back().name = text;
  list.fingerprints.back().pattern = "Blocked";
  return list;
}

void add_control(protocol::TargetList& list, const char* url, ControlScope scope) {
  Target target = list_of(1, url).targets.front();
  target.tier = Tier::control;
  target.scope = scope;
  list.targets.push_back(std::move(target));
}

std::vector<std::string> urls_of(const protocol::TargetList& list) {
  std::vector<std::string> out;
  for (const Target& target : list.targets) out.push_back(target.url);
  return out;
}

using Urls = std::vector<std::string>;

TEST_F(ListStoreTest, AnExpiredListLendsNothingToMeasurementsButItsControlsToTheLine) {
  ListStore store = open();
  protocol::TargetList list = full_list(5, "old");
  add_control(list, "https://control.example/", ControlScope::national);
  ASSERT_TRUE(store.offer(*protocol::sign_target_list(list, key_), kIssued));
  EXPECT_EQ(*store.holding(kIssued), list);
  EXPECT_EQ(*store.for_line(kIssued), list);
  const WallTime after = kIssued + days(14);
  EXPECT_EQ(*store.holding(after), protocol::TargetList());
  const auto line = store.for_line(after);
  EXPECT_EQ(urls_of(*line), Urls{"https://control.example/"});
  EXPECT_EQ(line->trusted_resolvers, list.trusted_resolvers);
  EXPECT_EQ(line->interception_roots, list.interception_roots);
  EXPECT_TRUE(line->witnesses.empty() && line->no_resolvers.empty() && line->fingerprints.empty());
  EXPECT_EQ(store.newest().serial, 5u);
}

class OfferedBoth : public ListStoreTest {
 protected:
  ListStore offer(const protocol::TargetList& list, const protocol::TargetList& minimum) {
    const std::string envelope = *protocol::sign_target_list(minimum, key_);
    link_.minimum_list_sha256 = platform::to_hex(platform::sha256(envelope));
    ListStore store = open();
    EXPECT_TRUE(store.offer_minimum(envelope));
    EXPECT_TRUE(store.offer(*protocol::sign_target_list(list, key_), kIssued));
    return store;
  }
};

TEST_F(OfferedBoth, AfterExpiryAllOfTheMinimumListHoldsAndNothingOfTheExpiredOne) {
  const protocol::TargetList list = full_list(5, "old");
  const protocol::TargetList minimum = full_list(1, "minimum");
  const ListStore store = offer(list, minimum);
  EXPECT_EQ(*store.holding(kIssued + days(13)), list);
  EXPECT_EQ(*store.holding(kIssued + days(14)), minimum);
  // A restart does not bring it back.
  EXPECT_EQ(*open().holding(kIssued + days(14)), minimum);
}

TEST_F(OfferedBoth, AnExpiredListLendsTheLineControlsOfASideThatTheMinimumListLacks) {
  protocol::TargetList list = full_list(5, "old");
  add_control(list, "https://national.example/", ControlScope::national);
  add_control(list, "https://abroad.example/", ControlScope::international);
  protocol::TargetList minimum = full_list(1, "minimum");
  add_control(minimum, "https://other.example/", ControlScope::international);
  const ListStore store = offer(list, minimum);
  const WallTime after = kIssued + days(20);
  EXPECT_EQ(*store.holding(after), minimum);
  const auto line = store.for_line(after);
  const Urls expected = {"https://minimum.example/", "https://other.example/", "https://national.example/"};
  EXPECT_EQ(urls_of(*line), expected);
  EXPECT_EQ(line->trusted_resolvers, minimum.trusted_resolvers);
}

TEST_F(ListStoreTest, AnExpiredListGivesWayToTheMinimumList) {
  ListStore store = open();
  ASSERT_TRUE(store.offer_minimum(minimum_));
  ASSERT_TRUE(store.offer(signed_list(5, "https://a.example/"), kIssued));
  EXPECT_EQ(store.targets(kIssued).front().url, "https://a.example/");
  EXPECT_EQ(store.standing(kIssued + days(20)), ListStanding::minimum);
  EXPECT_EQ(store.targets(kIssued + days(20)).front().url, "https://minimum.example/");
}

TEST_F(ListStoreTest, OnlyTheMinimumListOfTheJoinLinkIsOne) {
  ListStore store = open();
  const auto other = store.offer_minimum(signed_list(1, "https://other.example/"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::permission);
  EXPECT_FALSE(store.has_minimum());
}

TEST_F(ListStoreTest, ListsSurviveARestart) {
  {
    ListStore store = open();
    ASSERT_TRUE(store.offer_minimum(minimum_));
    ASSERT_TRUE(store.offer(signed_list(5, "https://a.example/"), kIssued));
  }
  const ListStore store = open();
  EXPECT_EQ(store.standing(kIssued), ListStanding::current);
  EXPECT_TRUE(store.has_minimum());
}

TEST_F(ListStoreTest, AnotherKeysListIsRefused) {
  ListStore store = open();
  const auto stranger = platform::SigningKey::generate();
  const auto envelope = *protocol::sign_target_list(list_of(9, "https://evil.example/"), stranger);
  const auto offered = store.offer(envelope, kIssued);
  ASSERT_FALSE(offered);
  EXPECT_EQ(offered.error().kind, ErrorKind::permission);
  EXPECT_EQ(store.standing(kIssued), ListStanding::link_only);
}

TEST_F(ListStoreTest, AnOlderSerialIsRefusedAlsoAfterARestart) {
  {
    ListStore store = open();
    ASSERT_TRUE(store.offer(signed_list(5, "https://a.example/"), kIssued));
  }
  ListStore store = open();
  EXPECT_EQ(store.offer(signed_list(4, "https://b.example/"), kIssued).error().kind, ErrorKind::permission);
  EXPECT_FALSE(*store.offer(signed_list(5, "https://a.example/"), kIssued));  // the same one is nothing new
  EXPECT_TRUE(*store.offer(signed_list(6, "https://c.example/"), kIssued));
  EXPECT_EQ(store.targets(kIssued).front().url, "https://c.example/");
}

TEST_F(ListStoreTest, AnExpiredOfferIsRefused) {
  ListStore store = open();
  EXPECT_EQ(store.offer(signed_list(5, "https://a.example/"), kIssued + days(15)).error().kind,
            ErrorKind::unavailable);
}

TEST_F(ListStoreTest, ATamperedFileIsNotUsedAndSaidSo) {
  {
    ListStore store = open();
    ASSERT_TRUE(store.offer(signed_list(5, "https://a.example/"), kIssued));
  }
  std::string envelope = *state_.read(kListFile);
  envelope[envelope.size() / 2] ^= 1;
  ASSERT_TRUE(state_.write(kListFile, envelope));
  const ListStore store = open();
  EXPECT_EQ(store.standing(kIssued), ListStanding::link_only);
  ASSERT_TRUE(store.notice());
}

TEST_F(ListStoreTest, AListUnderWayOutlivesItsReplacement) {
  ListStore store = open();
  ASSERT_TRUE(store.offer(signed_list(5, "https://a.example/"), kIssued));
  const auto before = store.holding(kIssued);
  ASSERT_TRUE(store.offer(signed_list(6, "https://b.example/"), kIssued));
  EXPECT_EQ(before->serial, 5u);
  EXPECT_EQ(store.holding(kIssued)->serial, 6u);
}

TEST(FindTargetTest, ByUrlIdServiceAndBareName) {
  std::vector<Target> targets = {list_of(1, "https://www.example.com/").targets[0],
                                 list_of(1, "http://old.example/").targets[0]};
  targets.push_back(Target{.id = *TargetId::parse("service:telegram"),
                           .url = "",
                           .endpoints = {{.host = "203.0.113.1"}},
                           .category = "COMT",
                           .tier = Tier::key,
                           .country = std::nullopt});
  EXPECT_EQ(find_target(targets, "https://www.example.com/"), &targets[0]);
  EXPECT_EQ(find_target(targets, "web:https://www.example.com/"), &targets[0]);
  EXPECT_EQ(find_target(targets, "www.example.com"), &targets[0]);
  EXPECT_EQ(find_target(targets, "old.example"), &targets[1]);
  EXPECT_EQ(find_target(targets, "telegram"), &targets[2]);
  EXPECT_EQ(find_target(targets, "example.com"), nullptr);
}

TEST_F(ListStoreTest, MembershipIsKeptAsItWasGiven) {
  EXPECT_FALSE(*read_membership(state_));
  link_.operator_name = "Operator";
  link_.endpoints = {{.host = "203.0.113.5", .port = 443, .server_name = "", .socks5 = ""}};
  link_.pins = {platform::to_base64url(std::string(32, 'p'))};
  Membership membership{.link_text = protocol::write_join_link(link_),
                        .link = link_,
                        .joined = kIssued,
                        .network = protocol::EnrolmentAnswer{.country = *CountryCode::parse("KZ"),
                                                             .asn = {9198},
                                                             .network_type = NetworkType::fixed,
                                                             .server_time = kIssued}};
  ASSERT_TRUE(write_membership(state_, membership));
  const auto read = read_membership(state_);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ((*read)->link, link_);
  EXPECT_EQ((*read)->network->asn, Asn{9198});
  EXPECT_EQ((*read)->joined, kIssued);
}

TEST_F(ListStoreTest, AJoinFileThatCannotBeReadIsAnError) {
  ASSERT_TRUE(state_.write(kJoinFile, "{\"link\":\"http://x\"}"));
  EXPECT_FALSE(read_membership(state_));
}

}  // namespace
}  // namespace kua::probe
