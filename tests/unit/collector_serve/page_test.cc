#include "collector/serve/page/page.h"

#include <gtest/gtest.h>

#include "collector/serve/page/html.h"
#include "collector/serve/page/style.h"
#include "collector/serve/page/words.h"
#include "platform/crypto/crypto.h"
#include "tests/unit/collector_serve/sample.h"

namespace kua::collector::test {
namespace {

using ::testing::Test;

std::string page_of(const Overview& now, PublicationRule rule = {}) {
  Publisher publisher(rule);
  return render_page(shown_since_the_hour(publisher, now), {"Example Foundation", "0.1.0"});
}

bool says(const std::string& page, std::string_view text) {
  return page.find(text) != std::string::npos;
}

TEST(Page, NoDataIsSaidAndIsNeverOk) {
  const std::string page = page_of(overview({}));
  EXPECT_TRUE(says(page, "Nothing is known right now"));
  EXPECT_TRUE(says(page, "Nobody measured in the last 30 minutes"));
  EXPECT_TRUE(says(page, "not a sign that everything works"));
  EXPECT_FALSE(says(page, "No blocking seen"));
}

TEST(Page, ASilentNetworkIsSilentNotOpen) {
  NetworkOverview silent = network("KZ", 9198, 0);
  silent.expected = 1;
  silent.last_heard = kNow - std::chrono::hours(3);
  const std::string page = page_of(overview({silent}), {.min_clusters = 1});
  EXPECT_TRUE(says(page, "Nobody measured a target here in the last 30 minutes"));
  EXPECT_TRUE(says(page, "07:55 UTC</time>, 3 h ago"));
  EXPECT_FALSE(says(page, "No blocking seen"));
}

TEST(Page, InsufficientIsNeverCountedAsOpen) {
  NetworkOverview one = network("KZ", 9198, 9);
  one.targets.push_back(target("web:https://a.example/", State::insufficient, 9));
  const std::string page = page_of(overview({one}));
  EXPECT_TRUE(says(page, "1 Not enough data"));
  EXPECT_FALSE(says(page, "1 Open"));
  EXPECT_FALSE(says(page, "No blocking seen")) << "nothing decisive was seen either";
}

TEST(Page, AStateHasWordSymbolTimeAndWitnesses) {
  NetworkOverview one = network("KZ", 9198, 12);
  one.targets.push_back(
      target("web:https://www.example.com/", State::blocked, 12, "tls.reset.sni"));
  const std::string page = page_of(overview({one}));
  EXPECT_TRUE(says(page, "Blocking seen in Kazakhstan"));
  EXPECT_TRUE(says(page, "AS9198"));
  EXPECT_TRUE(says(page, "<use href=\"#s-blocked\"/></svg>Blocked"));
  EXPECT_TRUE(says(page, "datetime=\"2022-01-05T10:30:00Z\">10:30 UTC"));
  EXPECT_TRUE(says(page, "last seen so 15 min ago")) << "in steps of five minutes as the begin is";
  EXPECT_TRUE(says(page, "25 min ago"));
  EXPECT_TRUE(says(page, "10–19"));
  EXPECT_TRUE(says(page, "once the name is shown"));
}

TEST(Page, SaysLocalInstanceBelowFiveAndOnlyThen) {
  EXPECT_TRUE(says(page_of(overview({}), {.min_clusters = 4}), "Local instance."));
  EXPECT_FALSE(says(page_of(overview({}), {.min_clusters = 5}), "Local instance."));
}

TEST(Page, WhatCameFromOutsideIsText) {
  NetworkOverview one = network("KZ", 9198, 12);
  one.targets.push_back(target("web:https://a.example/?<script>alert(1)</script>&\"'",
                               State::blocked, 12, "tls.<img src=x onerror=1>"));
  const std::string page = page_of(overview({one}));
  EXPECT_FALSE(says(page, "<script"));
  EXPECT_FALSE(says(page, "<img"));
  EXPECT_TRUE(says(page, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;"));
  Publisher publisher({});
  const std::string by = render_page(publisher.publish(overview({})), {"</footer><b>", "<i>"});
  EXPECT_FALSE(says(by, "<b>"));
  EXPECT_FALSE(says(by, "<i>"));
}

TEST(Page, ThePolicyAllowsTheStyleSheetAndNothingElse) {
  const std::string page = page_of(overview({}));
  const auto begin = page.find("<style>") + 7;
  const std::string style = page.substr(begin, page.find("</style>") - begin);
  const platform::Digest digest = platform::sha256(style);
  const std::string hash =
      platform::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
  EXPECT_NE(content_security_policy().find("style-src 'sha256-" + hash + "'"), std::string::npos);
  EXPECT_EQ(content_security_policy().find("unsafe"), std::string::npos);
  EXPECT_FALSE(says(page, "style=\"")) << "a style attribute would not be allowed";
  EXPECT_FALSE(says(page, "http-equiv"));
  EXPECT_FALSE(says(page, "src=\""));
}

TEST(Page, EqualOverviewsGiveEqualBytes) {
  NetworkOverview one = network("KZ", 9198, 12);
  one.targets.push_back(target("web:https://www.example.com/", State::ok, 12));
  EXPECT_EQ(page_of(overview({one})), page_of(overview({one})));
}

TEST(Words, Times) {
  struct Case {
    std::string claim;
    std::string time;
    std::string clock;
    std::string ago;
  };
  const Case cases[] = {
      {"today needs no date", "2022-01-05T10:31:00Z", "10:31 UTC", "24 min ago"},
      {"seconds ago is now", "2022-01-05T10:55:00Z", "10:55 UTC", "just now"},
      {"an hour and a half is still minutes", "2022-01-05T09:25:30Z", "09:25 UTC", "90 min ago"},
      {"yesterday needs its date", "2022-01-04T22:05:00Z", "4 Jan 2022, 22:05 UTC", "12 h ago"},
      {"a week is days", "2021-12-29T10:00:00Z", "29 Dec 2021, 10:00 UTC", "7 days ago"},
  };
  for (const Case& row : cases) {
    const WallTime time = *parse_rfc3339(row.time);
    EXPECT_EQ(clock_words(time, kNow), row.clock) << row.claim;
    EXPECT_EQ(ago_words(time, kNow), row.ago) << row.claim;
  }
  EXPECT_EQ(date_words(kNow), "5 January 2022, 10:55 UTC");
}

TEST(Words, NamesOfTargets) {
  EXPECT_EQ(target_name("web:https://www.example.com/"), "www.example.com");
  EXPECT_EQ(target_name("web:https://www.bbc.com/russian"), "www.bbc.com/russian");
  EXPECT_EQ(target_name("web:http://example.com/"), "http://example.com") << "unencrypted is said";
  EXPECT_EQ(target_name("service:telegram"), "Telegram");
  EXPECT_EQ(target_name("service:whatsapp"), "WhatsApp");
  EXPECT_EQ(target_name("something-else"), "something-else");
}

TEST(Words, AMechanismIsPutInWordsByItsDeepestKnownParent) {
  EXPECT_NE(mechanism_phrase("tls.mitm.known_root"), mechanism_phrase("tls.mitm.untrusted_root"));
  EXPECT_EQ(mechanism_phrase("tls.mitm.untrusted_root"), mechanism_phrase("tls.mitm"));
  EXPECT_EQ(mechanism_phrase("dns.injection.bogon"), mechanism_phrase("dns.injection"));
  EXPECT_TRUE(mechanism_phrase("tls.resetting").empty()) << "a longer word is another word";
  EXPECT_TRUE(mechanism_phrase("unheard.of").empty());
}

TEST(Words, Countries) {
  EXPECT_EQ(country_name(*CountryCode::parse("KZ")), "Kazakhstan");
  EXPECT_EQ(country_name(*CountryCode::parse("ZZ")), "Unknown country");
  EXPECT_EQ(country_name(*CountryCode::parse("QQ")), "QQ");
}

}  // namespace
}  // namespace kua::collector::test
