#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "protocol/target_list.h"

namespace kua::protocol {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kCitizenLab =
    "url,category_code,category_description,date_added,source,notes\n";
constexpr std::string_view kOurs = "url,category_code,tier,scope,country,service,endpoints,rule\n";

std::vector<Target> targets(std::string_view header, std::string_view rows) {
  const auto read = read_targets_csv(std::string(header) + std::string(rows), "list.csv");
  EXPECT_TRUE(read) << read.error().text();
  return read ? *read : std::vector<Target>();
}

std::string fault(std::string_view header, std::string_view rows) {
  const auto read = read_targets_csv(std::string(header) + std::string(rows), "list.csv");
  return read ? "accepted" : read.error().message;
}

TEST(TargetsCsv, TakesCitizenLabsColumnsAlone) {
  const auto read = targets(kCitizenLab,
                            "https://Example.org,NEWS,News Media,2014-04-15,citizenlab,\n"
                            "http://example.net/a?b=c,HUMR,\"Human, rights\",2014-04-15,x,\"says "
                            "\"\"no\"\"\nand more\"\n");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].id.text(), "web:https://example.org/");
  EXPECT_EQ(read[0].url, "https://example.org/");
  EXPECT_EQ(read[0].category, "NEWS");
  EXPECT_EQ(read[0].tier, Tier::full);
  EXPECT_EQ(read[0].country, std::nullopt);
  EXPECT_EQ(read[1].url, "http://example.net/a?b=c");
  EXPECT_EQ(read[1].category, "HUMR");
}

TEST(TargetsCsv, TakesOurColumns) {
  const auto read = targets(kOurs,
                            "https://example.org/,NEWS,core,,KZ,,,\n"
                            "https://gov.example/,CTRL,control,national,KZ,,,\n"
                            ",COMT,key,,,messenger,tcp://203.0.113.1:443  tls://im.example:443 "
                            "udp://[2001:db8::1]:3478,all\n");
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].tier, Tier::core);
  EXPECT_EQ(read[0].country, CountryCode::parse("KZ"));
  EXPECT_EQ(read[1].scope, ControlScope::national);
  EXPECT_EQ(read[2].id.text(), "service:messenger");
  EXPECT_EQ(read[2].url, "");
  EXPECT_EQ(read[2].rule, ServiceRule::all);
  ASSERT_EQ(read[2].endpoints.size(), 3u);
  EXPECT_EQ(read[2].endpoints[0], (ServiceEndpoint{"203.0.113.1", 443, Transport::tcp, false}));
  EXPECT_EQ(read[2].endpoints[1], (ServiceEndpoint{"im.example", 443, Transport::tcp, true}));
  EXPECT_EQ(read[2].endpoints[2], (ServiceEndpoint{"2001:db8::1", 3478, Transport::udp, false}));
}

TEST(TargetsCsv, ColumnsStandInAnyOrderAndLinesEndAsTheyLike) {
  const auto read = targets(
      "\xef\xbb\xbf"
      "category_code,url\r\n",
      "\r\nNEWS,https://a.example/\r\n\r\nNEWS,https://b.example/\r");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[1].url, "https://b.example/");
  EXPECT_TRUE(targets(kOurs, "").empty());
}

TEST(TargetsCsv, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(fault("", ""), "list.csv:1:1: column 'url' is missing");
  EXPECT_EQ(fault("url,notes\n", ""), "list.csv:1:1: column 'category_code' is missing");
  EXPECT_EQ(fault("url,category_code,colour\n", ""), "list.csv:1:19: unknown column 'colour'");
  EXPECT_EQ(fault("url,category_code,url\n", ""), "list.csv:1:19: column 'url' is given twice");
  EXPECT_EQ(fault(kCitizenLab, "https://a.example/,NEWS\n"),
            "list.csv:2:1: the row has 2 fields, the header 6");
  EXPECT_EQ(fault(kOurs, "https://a.example/,NEWS,,,,,,\nftp://b.example/,NEWS,,,,,,\n"),
            "list.csv:3:1: only http and https are allowed");
  EXPECT_EQ(fault(kOurs, "https://a.example/,NEWS,often,,,,,\n"),
            "list.csv:2:25: 'often' is not allowed (allowed: key, core, full, control)");
  EXPECT_EQ(fault(kOurs, "\"https://a.example/\",\"NE\nWS\",often,,,,,\n"),
            "list.csv:3:5: 'often' is not allowed (allowed: key, core, full, control)");
  EXPECT_EQ(fault(kOurs, "https://a.example/,news,,,,,,\n"),
            "list.csv:2:20: a category is a code of capitals, for instance NEWS");
  EXPECT_EQ(fault(kOurs, "https://a.example/,NEWS,,,kz,,,\n"),
            "list.csv:2:27: a country is two capitals, for instance KZ");
  EXPECT_EQ(fault(kOurs, "https://a.example/,NEWS,,national,,,,\n"),
            "list.csv:2:26: controls, and only they, have a scope");
  EXPECT_EQ(fault(kOurs, "https://a.example/,CTRL,control,,,,,\n"),
            "list.csv:2:33: controls, and only they, have a scope");
  EXPECT_EQ(fault(kOurs, ",NEWS,,,,,,\n"), "list.csv:2:1: give either a url or a service");
  EXPECT_EQ(fault(kOurs, "https://a.example/,NEWS,,,,x,tls://a:1,\n"),
            "list.csv:2:1: give either a url or a service");
  EXPECT_EQ(fault(kOurs, "https://a.example/,NEWS,,,,,tls://a:1,\n"),
            "list.csv:2:29: a url has no endpoints");
  EXPECT_EQ(fault(kOurs, ",COMT,,,,x,,\n"), "list.csv:2:12: a service needs endpoints");
  EXPECT_EQ(fault(kOurs, ",COMT,,,,X Y,tls://a:1,\n"),
            "list.csv:2:10: a service's name is made of a-z, 0-9, '_', '-' and '.'");
  EXPECT_EQ(fault(kOurs, "https://a.example/,NEWS,,,,,,\nhttps://A.example:443,NEWS,core,,,,,\n"),
            "list.csv:3:1: 'web:https://a.example/' stands in line 2 with another meaning");
  for (const char* endpoint :
       {"a:1", "tls://a", "tls://a:0", "tls://a:65536", "tls://:1", "https://a:1", "tls://A:1"}) {
    EXPECT_THAT(fault(kOurs, ",COMT,,,,x," + std::string(endpoint) + ",\n"),
                HasSubstr("is no endpoint"))
        << endpoint;
  }
}

TEST(TargetsCsv, TheSamePageUnderTwoSpellingsIsOneTarget) {
  const auto read = targets(
      kCitizenLab,
      "http://example.org,NEWS,,,,\nhttps://example.org,NEWS,,,,\nhttp://example.org/,CULTR,,,,\n");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].category, "NEWS");
}

TEST(TargetsCsv, BrokenQuotingIsNamed) {
  EXPECT_EQ(fault(kCitizenLab, "\"https://a.example/,NEWS,,,,\n"),
            "list.csv:2:1: the quote that begins here is never closed");
  EXPECT_EQ(fault(kCitizenLab, "\"https://a.example/\"x,NEWS,,,,\n"),
            "list.csv:2:21: text after a closing quote; a quote inside is written twice");
  EXPECT_EQ(fault(kCitizenLab, "https://a.\"example/,NEWS,,,,\n"),
            "list.csv:2:11: a quote inside a field that does not begin with one");
  EXPECT_EQ(fault(kCitizenLab, "https://a.example/,NEWS,\xff,,,\n"),
            "list.csv:2:25: the field is not UTF-8");
}

TEST(TargetsCsv, HostileFilesEndInAnError) {
  const std::string commas(100'000, ',');
  const std::string quotes(99'999, '"');
  for (const auto& text :
       {commas, quotes, "\"" + std::string(100'000, 'x'), std::string(100'000, '\n') + "x",
        std::string("url,category_code\n\"") + std::string(100'000, 'x') + "\",NEWS\n",
        std::string("url,category_code\n") + std::string(100'000, 'x') + ",NEWS\n",
        std::string("\0\0\0\0", 4)}) {
    EXPECT_FALSE(read_targets_csv(text, "x")) << text.substr(0, 30);
  }
}

TEST(TargetsCsv, WhatIsWrittenIsRead) {
  const auto read =
      targets(kOurs,
              "https://example.org/,NEWS,core,,KZ,,,\n"
              "\"https://example.org/a,b\",CTRL,control,international,,,,\n"
              ",COMT,key,,,messenger,tcp://203.0.113.1:443 udp://[2001:db8::1]:3478,any\n");
  const auto again = read_targets_csv(write_targets_csv(read), "again.csv");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*again, read);
}

std::string file_text(const std::filesystem::path& path) {
  std::stringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

TEST(TargetsCsv, TheProjectsOwnListsAreRead) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(KUA_SOURCE_DIR "/config/targets")) {
    if (entry.path().extension() != ".csv") continue;
    ++files;
    const auto read = read_targets_csv(file_text(entry.path()), entry.path().filename());
    EXPECT_TRUE(read) << read.error().text();
    for (const auto& target : read.value_or(std::vector<Target>())) {
      EXPECT_TRUE(is_known_category(target.category)) << target.id.text();
    }
  }
  EXPECT_GT(files, 0u);
}

TEST(FingerprintsCsv, TakesTheColumnsOfPublicLists) {
  constexpr std::string_view kText =
      "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_"
      "countries,source,exp_url,notes\n"
      "a,nat,,body,contains,\"blocked, by order\",5,\"AE,SA\",x,,\n"
      "b,isp,,header.Location,prefix,http://block.example/,10,KZ,x,,\n"
      "c,prod,,header.Server,full,Filter,8,,x,,\n"
      "d,isp,,dns,full,203.0.113.5,5,RU,x,,\n"
      "e,nat,,body,regexp,a.*b,5,KZ,x,,\n"
      "f,fp,,body,contains,Access Denied,5,,x,,\n"
      "g,vbw,,body,contains,blocked,10,,x,,\n"
      "h,inst,,body,contains,school filter,10,,x,,\n"
      "i,nat,,dns,full,203.0.113.6,0,CN,x,,\n"
      "k,isp,,dns,full,Blocked.Example.org,5,ID,x,,\n"
      "j,,,title,full,Access to this site is forbidden,,,x,,\n";
  SkippedSigns skipped;
  const auto read = read_fingerprints_csv(kText, "signs.csv", skipped);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(skipped, (SkippedSigns{.regular_expression = 1, .scope = 3, .confidence = 1}));
  ASSERT_EQ(read->size(), 6u);
  const CountryCode kz = *CountryCode::parse("KZ");
  using Where = Fingerprint::Where;
  using Match = Fingerprint::Match;
  EXPECT_EQ((*read)[0], (Fingerprint{"a",
                                     Where::body,
                                     Match::contains,
                                     "",
                                     "blocked, by order",
                                     {*CountryCode::parse("AE"), *CountryCode::parse("SA")}}));
  EXPECT_EQ((*read)[1],
            (Fingerprint{"b", Where::location, Match::prefix, "", "http://block.example/", {kz}}));
  EXPECT_EQ((*read)[2], (Fingerprint{"c", Where::header, Match::full, "server", "Filter", {}}));
  EXPECT_EQ((*read)[3].where, Where::dns_answer);
  EXPECT_EQ((*read)[4].pattern, "blocked.example.org") << "the name of a CNAME";
  EXPECT_EQ((*read)[5].where, Where::title);
}

TEST(FingerprintsCsv, ErrorsNameFileLineAndColumn) {
  const auto fault_of = [](const std::string& row) {
    SkippedSigns skipped;
    const auto read = read_fingerprints_csv(
        "name,location_found,pattern_type,pattern,confidence_no_fp,expected_countries\n" + row,
        "signs.csv", skipped);
    return read ? "accepted" : read.error().message;
  };
  EXPECT_EQ(fault_of(",body,full,x,5,\n"), "signs.csv:2:1: the name is missing");
  EXPECT_EQ(fault_of("a,body,full,,5,\n"), "signs.csv:2:13: the pattern is missing");
  EXPECT_EQ(fault_of("a,footer,full,x,5,\n"),
            "signs.csv:2:3: 'footer' is not allowed (allowed: body, title, dns, header.NAME)");
  EXPECT_EQ(fault_of("a,body,fuzzy,x,5,\n"),
            "signs.csv:2:8: 'fuzzy' is not allowed (allowed: full, prefix, contains, regexp)");
  EXPECT_EQ(fault_of("a,body,full,x,high,\n"), "signs.csv:2:15: a confidence is a whole number");
  EXPECT_EQ(fault_of("a,body,full,x,5,Kazakhstan\n"),
            "signs.csv:2:17: 'Kazakhstan' is not a country's two capitals");
  EXPECT_EQ(fault_of("a,dns,full,EXAMPLE ORG,5,\n"),
            "signs.csv:2:12: a forged answer is an address or the name of a CNAME");
}

TEST(FingerprintsCsv, TheProjectsOwnSignsAreRead) {
  const std::filesystem::path directory = KUA_SOURCE_DIR "/config/fingerprints";
  SkippedSigns skipped;
  const auto pages =
      read_fingerprints_csv(file_text(directory / "block_pages.csv"), "block_pages.csv", skipped);
  ASSERT_TRUE(pages) << pages.error().text();
  EXPECT_GT(pages->size(), 0u);
  EXPECT_EQ(skipped.sum(), 0u) << "a row that is not taken is no use here";
  const auto roots = read_interception_roots_csv(file_text(directory / "interception_roots.csv"),
                                                 "interception_roots.csv");
  ASSERT_TRUE(roots) << roots.error().text();
  EXPECT_GT(roots->size(), 0u);
}

TEST(InterceptionRootsCsv, NeedsSomethingToRecogniseARootBy) {
  const auto fault_of = [](const std::string& row) {
    const auto read = read_interception_roots_csv("name,spki_sha256,subject\n" + row, "roots.csv");
    return read ? "accepted" : read.error().message;
  };
  EXPECT_EQ(fault_of("a,,CN=A\nb," + std::string(64, 'A') + ",\n"), "accepted");
  EXPECT_EQ(fault_of("a,,\n"), "roots.csv:2:4: give the subject, the spki_sha256 or both");
  EXPECT_EQ(fault_of("a,00ff,\n"), "roots.csv:2:3: not 64 hexadecimal digits");
  EXPECT_EQ(fault_of(",,CN=A\n"), "roots.csv:2:1: the name is missing");
}

}  // namespace
}  // namespace kua::protocol
