#include "collector/lists/list_commands.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "collector/lists/own_lists.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

using std::chrono::days;

constexpr const char* kTargets =
    "url,category_code,category_description,date_added,source,notes,tier,scope,country,service,endpoints,rule\n"
    "https://www.example.com/,NEWS,News,2026-11-24,kua,,key,,,,,\n"
    "https://www.example.org/,NEWS,News,2026-11-24,kua,,core,,,,,\n";
constexpr const char* kExtra =
    "harmless_name: www.example.net\n"
    "witnesses: [\"192.0.2.1:443\"]\n"
    "no_resolvers: [\"192.0.2.2\"]\n"
    "trusted_resolvers:\n"
    "  - {name: one, doh_url: \"https://dns.example/dns-query\", addresses: [\"192.0.2.3\"], udp: true}\n"
    "interception_roots: [roots.csv]\n"
    "routable: [\"198.18.0.0/15\"]\n";
constexpr const char* kRoots =
    "name,spki_sha256,subject,countries,source,notes\n"
    "A Root,,\"CN=A Root,C=KZ\",KZ,public reports,\n";

class ListCommandsTest : public ::testing::Test {
 protected:
  ListCommandsTest() {
    put("targets.csv", kTargets);
    put("extra.yaml", kExtra);
    put("roots.csv", kRoots);
    EXPECT_TRUE(make_list_key(path("list.key")).has_value());
  }
  void put(const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  SignOptions options() const {
    SignOptions out;
    out.key_file = path("list.key");
    out.target_files = {path("targets.csv")};
    out.extra_file = path("extra.yaml");
    out.out_file = path("targets.json");
    return out;
  }

  TemporaryDirectory directory_;
};

TEST_F(ListCommandsTest, WhatIsSignedCanBeOpenedWithThePublicKeyOnly) {
  SignOptions signing = options();
  signing.country = CountryCode::parse("KZ");
  const auto list = sign_list(signing, kNoon);
  ASSERT_TRUE(list.has_value()) << list.error().text();
  EXPECT_EQ(list->list.targets.size(), 2u);
  EXPECT_EQ(list->list.interception_roots.size(), 1u);
  EXPECT_EQ(list->list.routable.size(), 1u);
  EXPECT_EQ(list->list.expires, kNoon + days(14));
  const auto shown = show_list({path("targets.json"), {path("list.key.pub")}}, kNoon);
  ASSERT_TRUE(shown.has_value()) << shown.error().text();
  EXPECT_NE(shown->find("one of the keys given"), std::string::npos);
  EXPECT_NE(shown->find("country     KZ"), std::string::npos);
}

TEST_F(ListCommandsTest, WhatIsLeftOutOfAListIsToldWithTheReason) {
  put("signs.csv",
      "name,location_found,pattern_type,pattern,scope,confidence_no_fp\n"
      "a,body,contains,blocked by order,nat,5\nb,body,contains,register.example,nat,4\n"
      "c,body,contains,forbidden,vbw,9\nd,body,regexp,a.*b,nat,9\ne,title,full,Surf,nat,3\n");
  put("extra.yaml", "fingerprints: [signs.csv]\n");
  const auto list = sign_list(options(), kNoon);
  ASSERT_TRUE(list.has_value()) << list.error().text();
  EXPECT_EQ(list->list.fingerprints.size(), 1u);
  EXPECT_EQ(summary_of(list->skipped),
            "left out    4 rows of known signs: 2 with a confidence below 5, 1 of a scope that says nothing "
            "of a network, 1 with a regular expression\n");
  EXPECT_EQ(summary_of(protocol::SkippedSigns{}), "");
}

TEST_F(ListCommandsTest, AListOfAnotherKeyIsNoList) {
  ASSERT_TRUE(sign_list(options(), kNoon).has_value());
  ASSERT_TRUE(make_list_key(path("other.key")).has_value());
  EXPECT_FALSE(show_list({path("targets.json"), {path("other.key.pub")}}, kNoon).has_value());
}

TEST_F(ListCommandsTest, ALaterListIsANewerOneByItself) {
  const auto first = sign_list(options(), kNoon);
  const auto second = sign_list(options(), kNoon + std::chrono::seconds(1));
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_LT(first->list.serial, second->list.serial);
}

TEST_F(ListCommandsTest, AnExpiredListIsShownAsSuch) {
  ASSERT_TRUE(sign_list(options(), kNoon).has_value());
  const auto shown = show_list({path("targets.json"), {}}, kNoon + days(15));
  ASSERT_TRUE(shown.has_value());
  EXPECT_NE(shown->find("EXPIRED"), std::string::npos);
  EXPECT_NE(shown->find("checked against no other key"), std::string::npos);
}

TEST_F(ListCommandsTest, MistakesAreErrorsBeforeAnythingIsSigned) {
  struct Case {
    const char* claim;
    const char* file;
    std::string text;
    const char* says;
  };
  const Case cases[] = {
      {"an unknown key", "extra.yaml", "witneses: []\n", "witneses"},
      {"a witness without a port", "extra.yaml", "witnesses: [\"192.0.2.1\"]\n", "ADDRESS:PORT"},
      {"a resolver that cannot be asked", "extra.yaml", "trusted_resolvers: [{name: x}]\n", "doh_url"},
      {"no target", "targets.csv", std::string(kTargets).substr(0, std::string(kTargets).find('\n') + 1), "no target"},
  };
  for (const Case& c : cases) {
    put("targets.csv", kTargets);
    put("extra.yaml", kExtra);
    put(c.file, c.text);
    const auto list = sign_list(options(), kNoon);
    ASSERT_FALSE(list.has_value()) << c.claim;
    EXPECT_NE(list.error().text().find(c.says), std::string::npos) << c.claim << ": " << list.error().text();
    EXPECT_FALSE(std::filesystem::exists(path("targets.json"))) << c.claim;
  }
}

TEST_F(ListCommandsTest, ATargetStandsInOneTableOnly) {
  SignOptions twice = options();
  twice.target_files.push_back(path("targets.csv"));
  const auto list = sign_list(twice, kNoon);
  ASSERT_FALSE(list.has_value());
  EXPECT_NE(list.error().text().find("twice"), std::string::npos);
}

TEST_F(ListCommandsTest, AKeyIsNeverOverwrittenAndNeverUsedWhenOthersMayReadIt) {
  EXPECT_FALSE(make_list_key(path("list.key")).has_value());
  std::filesystem::permissions(path("list.key"), std::filesystem::perms(0644));
  const auto refused = sign_list(options(), kNoon);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::permission);
}

TEST_F(ListCommandsTest, ACollectorReadsTheListsItHandsOnWhateverTheirAge) {
  ASSERT_TRUE(sign_list(options(), kNoon).has_value());
  std::filesystem::create_directory(path("lists"));
  std::filesystem::copy_file(path("targets.json"), path("lists/targets.json"));
  put("lists/targets-KZ.json", "no list");
  OwnLists lists(path("lists"));
  EXPECT_TRUE(lists.changed());
  const auto loaded = lists.load();
  EXPECT_EQ(loaded.lists.size(), 1u);
  EXPECT_EQ(loaded.errors.size(), 1u);
  EXPECT_FALSE(lists.changed());
  std::filesystem::remove(path("lists/targets-KZ.json"));
  EXPECT_TRUE(lists.changed());
}

}  // namespace
}  // namespace kua::collector
