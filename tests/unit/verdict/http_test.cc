#include "tests/unit/verdict/case.h"
#include "verdict/page.h"

namespace kua::verdict::test {
namespace {

using enum StepRole;
constexpr Layer kHttp = Layer::http;
constexpr auto kSystem = ResolverEngine::system;
constexpr auto kDoh = ResolverEngine::doh;

Story plain() { return resolved().connects(kTrue, 80); }
Story over_tls() { return resolved().shakes(kTrue); }
Controls up() { return {well()}; }
Controls plain_up() { return {plain_well()}; }
constexpr const char* kBlockPage = "this resource is blocked by order of the court";

TEST(HttpRules, OverValidTls) {
  const Case rows[] = {
      {"an answer over valid TLS needs no control", over_tls().page(kTrue, 200, "Example Domain", 4000), {},
       kHttp, State::ok, "http.answered"},
      {"a news front page that changed is ok", over_tls().page(kTrue, 200, "Example News: storm", 9000),
       {resolved().shakes(kTrue).page(kTrue, 200, "Example News: calm", 4000)}, kHttp, State::ok,
       "http.answered"},
      {"a fingerprint in the site's own words over valid TLS is a quotation",
       over_tls().page(kTrue, 200, "Example Domain", 4000).with_body(kBlockPage), up(), kHttp, State::ok,
       "http.answered"},
      {"the server refuses this client and lets the control in",
       over_tls().page(kTrue, 403, "Forbidden", 200), up(), kHttp, State::impaired,
       "http.refused_by_server", "http.server_side"},
      {"… for legal reasons", over_tls().page(kTrue, 451, "Unavailable", 200), up(), kHttp, State::impaired,
       "http.refused_by_server", "http.server_side"},
      {"a captcha of the very server that serves the page",
       over_tls().page(kTrue, 200, "Prove yourself", 700, "lab"), up(), kHttp, State::impaired,
       "http.other_page_by_server", "http.server_side"},
      {"a captcha instead of the page", over_tls().page(kTrue, 200, "Prove yourself", 700), up(), kHttp,
       State::impaired, "http.other_page_by_server", "http.server_side"},
      {"403 to everybody is the site's way", over_tls().page(kTrue, 403, "Forbidden", 200),
       {over_tls().page(kTrue, 403, "Forbidden", 200)}, kHttp, State::ok, "http.answered"},
      {"a control that is itself turned away knows nothing of the page",
       over_tls().page(kTrue, 200, "Example Domain", 4000), {over_tls().page(kTrue, 403, "Captcha", 90)}, kHttp,
       State::ok, "http.answered"},
      {"403 that no control can tell of", over_tls().page(kTrue, 403, "Forbidden", 200), {}, kHttp,
       State::impaired, "http.turned_away", "http.server_side"},
      {"… though only a repetition got it",
       over_tls().page_cut(kTrue, kReset, 0).as(retry).shakes(kTrue).page(kTrue, 403, "Forbidden", 200), {},
       kHttp, State::impaired, "http.turned_away", "http.server_side"},
      {"404 that no control can tell of is an answer", over_tls().page(kTrue, 404, "Not found", 200), {},
       kHttp, State::ok, "http.answered"},
      {"5xx to everybody is down", over_tls().page(kTrue, 502, "Bad gateway", 200),
       Controls::failed_twice(over_tls().page(kTrue, 502, "Bad gateway", 200)), kHttp, State::down,
       "http.fails_for_everybody"},
      {"a server that closes on everybody is down", over_tls().page_cut(kTrue, kClosed, 0),
       Controls::failed_twice(over_tls().page_cut(kTrue, kClosed, 0)), kHttp, State::down,
       "http.fails_for_everybody"},
      {"a cut behind the handshake is TLS's affair", over_tls().page_cut(kTrue, kReset, 0), up(), kHttp,
       State::insufficient, "http.cut_behind_handshake"},
      {"a repetition that was answered", over_tls().page_cut(kTrue, kReset, 0).as(retry).shakes(kTrue)
                                             .page(kTrue, 200, "Example Domain", 4000),
       up(), kHttp, State::impaired, "http.answered_on_retry"},
      {"a self-signed site whose key controls got too is authentic",
       resolved().presents(kTrue, ChainTrust::self_signed, "own", "own")
           .page(kTrue, 200, "Example Domain", 4000).with_body(kBlockPage),
       Controls::failed_twice(resolved().presents(kTrue, ChainTrust::self_signed, "own", "own")
                                  .page(kTrue, 200, "Another", 100)),
       kHttp, State::impaired, "http.other_page_by_server", "http.server_side"},
      {"what comes over a forged chain is no page of the site",
       resolved().presents(kTrue, ChainTrust::unknown_authority, "f", "n").page(kTrue, 200, "Hm", 40), up(),
       kHttp, State::insufficient, "http.bad_chain"},
      {"the right page over a forged chain is the right page, read by others",
       resolved().presents(kTrue, ChainTrust::unknown_authority, "f", "n")
           .page(kTrue, 200, "Example Domain", 4000),
       up(), kHttp, State::ok, "http.same_page"},
      {"a block page over a forged chain is a block page",
       resolved().presents(kTrue, ChainTrust::unknown_authority, "f", "n").page(kTrue, 200, "Hm", 40)
           .with_body(kBlockPage),
       up(), kHttp, State::blocked, "http.block_page", "http.blockpage"},
  };
  for (const Case& row : rows) check(row);
}

TEST(HttpRules, InClearText) {
  const Case rows[] = {
      {"the control's page", plain().plain_page(kTrue, 200, "Example Domain", 4000), plain_up(), kHttp,
       State::ok, "http.same_page"},
      {"a page with enough in common", plain().plain_page(kTrue, 200, "Example Domain today", 9000),
       plain_up(), kHttp, State::ok, "http.like_control"},
      {"a page that nothing can vouch for", plain().plain_page(kTrue, 200, "Example Domain", 4000), {}, kHttp,
       State::insufficient, "http.unverified"},
      {"a control that is turned away cannot vouch for a page in clear text",
       plain().plain_page(kTrue, 200, "Stop", 300), {plain().plain_page(kTrue, 403, "Captcha", 90)}, kHttp,
       State::insufficient, "http.unverified"},
      {"a page whose end is missing is a page",
       plain().plain_page(kTrue, 200, "Example Domain", 4000).ended_early(), plain_up(), kHttp, State::ok,
       "http.same_page"},
      {"a known block page", plain().plain_page(kTrue, 200, "Stop", 300).with_body(kBlockPage), plain_up(),
       kHttp, State::blocked, "http.block_page", "http.blockpage"},
      {"… needs no control", plain().plain_page(kTrue, 200, "Access denied by law", 300), {}, kHttp,
       State::blocked, "http.block_page", "http.blockpage"},
      {"a block page in a dead site's place is still one",
       plain().plain_page(kTrue, 503, "Access denied by law", 300),
       Controls::failed_twice(plain().page_cut(kTrue, kReset, 0, 80)), kHttp, State::blocked,
       "http.block_page", "http.blockpage"},
      {"a page that controls get too is the site's, whatever it says",
       plain().plain_page(kTrue, 200, "Access denied by law", 300),
       {plain().plain_page(kTrue, 200, "Access denied by law", 300)}, kHttp, State::ok, "http.same_page"},
      {"another page altogether, of nobody known", plain().plain_page(kTrue, 200, "Stop", 300), plain_up(),
       kHttp, State::likely_blocked, "http.diff", "http.diff"},
      {"another page of the same server is the server's choice",
       plain().plain_page(kTrue, 403, "Forbidden", 300, "lab"), plain_up(), kHttp, State::impaired,
       "http.refused_by_server", "http.server_side"},
      {"5xx to everybody", plain().plain_page(kTrue, 503, "Sorry", 300),
       Controls::failed_twice(plain().plain_page(kTrue, 503, "Sorry", 300)), kHttp, State::down,
       "http.fails_for_everybody"},
      {"a reset for this Host only", plain().page_cut(kTrue, kReset, 0, 80).as(same_address)
                                         .plain_page(kTrue, 200, "Other", 10),
       {}, kHttp, State::blocked, "http.cut_for_host_only", "http.reset.host"},
      {"an orderly close for this Host only", plain().page_cut(kTrue, kClosed, 0, 80).as(same_address)
                                                  .plain_page(kTrue, 404, "Other", 10),
       {}, kHttp, State::blocked, "http.cut_for_host_only", "http.eof.host"},
      {"repeated silence for this Host only",
       plain().page_cut(kTrue, kSilence, 0, 80).as(retry).page_cut(kTrue, kSilence, 0, 80).as(same_address)
           .plain_page(kTrue, 200, "Other", 10),
       {}, kHttp, State::blocked, "http.cut_for_host_only", "http.timeout.host"},
      {"silence once", plain().page_cut(kTrue, kSilence, 0, 80).as(same_address)
                           .plain_page(kTrue, 200, "Other", 10),
       {}, kHttp, State::likely_blocked, "http.cut_for_host_once", "http.timeout.host"},
      {"a Host that is cut at a witness address too",
       plain().page_cut(kTrue, kReset, 0, 80).as(witness).page_cut(kWitness, kReset, 0, 80), plain_up(),
       kHttp, State::blocked, "http.cut_at_witness", "http.reset.host"},
      {"a passed pair outweighs a witness",
       plain().page_cut(kTrue, kReset, 0, 80).as(same_address).plain_page(kTrue, 200, "Other", 10).as(witness)
           .page_cut(kWitness, kReset, 0, 80),
       plain_up(), kHttp, State::blocked, "http.cut_for_host_only", "http.reset.host"},
      {"any Host is cut here, none elsewhere",
       plain().page_cut(kTrue, kReset, 0, 80).as(same_address).page_cut(kTrue, kReset, 0, 80), plain_up(),
       kHttp, State::likely_blocked, "http.fails_here_only", "http.reset"},
      {"cut for everybody", plain().page_cut(kTrue, kReset, 0, 80).as(same_address)
                                .plain_page(kTrue, 200, "Other", 10),
       Controls::failed_twice(plain().page_cut(kTrue, kReset, 0, 80)), kHttp, State::down,
       "http.fails_for_everybody"},
      {"cut, and nothing to compare with", plain().page_cut(kTrue, kReset, 0, 80), {}, kHttp,
       State::insufficient, "http.nothing_to_compare"},
  };
  for (const Case& row : rows) check(row);
}

TEST(HttpRules, Garbage) {
  const Case rows[] = {
      {"garbage that controls do not get proves nothing",
       plain().page_cut(kTrue, FailureCode::http_request_failed, 60, 80), plain_up(), kHttp,
       State::insufficient, "http.nothing_to_compare"},
      {"garbage for everybody is down", plain().page_cut(kTrue, FailureCode::http_request_failed, 60, 80),
       Controls::failed_twice(plain().page_cut(kTrue, FailureCode::http_request_failed, 60, 80)), kHttp,
       State::down, "http.fails_for_everybody"},
  };
  for (const Case& row : rows) check(row);
}

TEST(HttpRules, AFingerprintOfAnotherCountry) {
  Story abroad = plain().plain_page(kTrue, 200, "Example Domain", 4000).with_body(kBlockPage);
  abroad.measurement.header.vantage.country = CountryCode::parse("DE").value();
  check({"another country's fingerprint alone may be chance", abroad, {}, kHttp, State::insufficient,
         "http.unverified"});
  Story transit = plain().plain_page(kTrue, 200, "Stop", 300).with_body(kBlockPage);
  transit.measurement.header.vantage.country = CountryCode::parse("DE").value();
  check({"against another page of controls it is a path through that country", transit, plain_up(), kHttp,
         State::blocked, "http.block_page", "http.blockpage"});
}

constexpr const char* kBlocker = "blocked.isp.example";
Story redirected_to(const char* location) { return plain().redirects(kTrue, location); }
// The second hop, fetched.
Story then_fetched(Story story, const char* host, const char* title, const char* body) {
  return story.host(host, 1).answers(kSystem, {kElsewhere}).answers(kDoh, {kElsewhere})
      .connects(kElsewhere, 80).plain_page(kElsewhere, 200, title, 300).with_body(body);
}
Controls sent_to(const char* location) {
  return {Story(redirected_to(location)).host("www2.example.net", 1).answers(kSystem, {kElsewhere})
              .connects(kElsewhere, 80).plain_page(kElsewhere, 200, "Second", 5000, "lab")};
}

TEST(HttpRules, Redirects) {
  const Story second_cut = Story(resolved().connects(kTrue, 80).redirects(kTrue, "https://www2.example.net/"))
                               .host("www2.example.net", 1).answers(kSystem, {kElsewhere})
                               .answers(kDoh, {kElsewhere}).cut(kElsewhere, kReset).as(same_address)
                               .shakes(kElsewhere);
  const Case rows[] = {
      {"a redirect to a known block page", redirected_to("http://blocked.isp.example/?id=7"), plain_up(),
       kHttp, State::blocked, "http.redirect_known", "http.redirect.blockpage"},
      {"a redirect whose page is known",
       then_fetched(redirected_to("http://warning.isp.example/"), "warning.isp.example", "Stop", kBlockPage),
       plain_up(), kHttp, State::blocked, "http.redirect_leads_to_block_page", "http.redirect.blockpage"},
      {"a known place outweighs the page found there",
       then_fetched(redirected_to("http://blocked.isp.example/"), kBlocker, "Stop", kBlockPage), plain_up(),
       kHttp, State::blocked, "http.redirect_known", "http.redirect.blockpage"},
      {"… and the block page's host is not itself accused",
       then_fetched(redirected_to("http://warning.isp.example/"), "warning.isp.example", "Stop", kBlockPage),
       plain_up(), kHttp, State::insufficient, "http.block_page_host", "", "warning.isp.example"},
      {"first hop works, the second host's page is replaced: the second is blocked",
       then_fetched(redirected_to("http://www2.example.net/"), "www2.example.net", "Stop", kBlockPage),
       sent_to("http://www2.example.net/"), kHttp, State::blocked, "http.block_page", "http.blockpage",
       "www2.example.net"},
      {"… and the first is ok",
       then_fetched(redirected_to("http://www2.example.net/"), "www2.example.net", "Stop", kBlockPage),
       sent_to("http://www2.example.net/"), kHttp, State::ok, "http.same_page"},
      {"without a control a redirect within the owner's names is genuine",
       then_fetched(redirected_to("http://m.example.com/"), "m.example.com", "Stop", kBlockPage), {}, kHttp,
       State::blocked, "http.block_page", "http.blockpage", "m.example.com"},
      {"first hop works, second is reset under its name", second_cut,
       sent_to("https://www2.example.net/"), Layer::tls, State::blocked, "tls.cut_for_name_only",
       "tls.reset.sni", "www2.example.net"},
      {"a redirect to a related host that proves itself needs no control",
       Story(redirected_to("https://www.example.com/")).host(kHost, 1).shakes(kTrue)
           .page(kTrue, 200, "Example Domain", 4000),
       {}, kHttp, State::ok, "http.redirects_home"},
      {"a redirect elsewhere than controls are sent",
       redirected_to("http://203.0.113.77/stop"), plain_up(), kHttp, State::likely_blocked, "http.diff",
       "http.diff"},
      {"a country's own suffix is the same house", redirected_to("http://www.example.kz/"), plain_up(), kHttp,
       State::ok, "http.like_control"},
  };
  for (const Case& row : rows) check(row);
}

TEST(HttpRules, Limits) {
  const auto looping = [] {
    Story story = resolved().shakes(kTrue);
    for (std::uint32_t hop = 0; hop <= 10; ++hop) {
      story.host(kHost, hop).redirects(kTrue, "/again", 443);
    }
    return story.limit("redirects");
  };
  const auto endless = [](Story story) {
    auto& step = std::get<HttpRoundTrip>(story.measurement.observations.back());
    step.body_truncated = true;
    step.bytes_received = step.body_bytes = 260'000;
    return story;
  };
  Story long_page = endless(over_tls().page(kTrue, 200, "A long page", 1));
  std::get<HttpRoundTrip>(long_page.measurement.observations.back())
      .headers.emplace_back("Content-Encoding", "gzip");
  const Story bomb = Story(long_page).limit("compression_ratio");
  const auto has = [](const Story& story, const Controls& controls, const char* rule, State state) {
    const auto verdicts = judge(story.measurement, controls.views(), knowledge());
    for (const Verdict& v : verdicts) {
      if (v.rule == rule) return v.state == state;
    }
    ADD_FAILURE() << describe(verdicts);
    return false;
  };
  EXPECT_TRUE(has(looping(), {looping()}, "http.endless_for_everybody", State::down));
  EXPECT_TRUE(has(looping(), {}, "http.endless", State::insufficient));
  check({"a body without end", endless(over_tls().page(kTrue, 200, "", 1)), {}, kHttp, State::insufficient,
         "http.endless"});
  check({"a body without end for controls too", endless(over_tls().page(kTrue, 200, "", 1)),
         {endless(over_tls().page(kTrue, 200, "", 1))}, kHttp, State::down, "http.endless_for_everybody"});
  check({"a body that unpacks without end", bomb, {bomb}, kHttp, State::down, "http.endless_for_everybody"});
  check({"a long document is a document", long_page, {long_page}, kHttp, State::ok, "http.answered"});
}

TEST(Page, RelatedNames) {
  EXPECT_TRUE(related_names("www.example.com", "m.example.com"));
  EXPECT_TRUE(related_names("example.com", "www.EXAMPLE.com"));
  EXPECT_TRUE(related_names("google.com", "www.google.kz"));
  EXPECT_TRUE(related_names("a.site.com.kz", "b.site.com.kz"));
  EXPECT_FALSE(related_names("a.com.kz", "b.com.kz"));
  EXPECT_FALSE(related_names("example.com", "example-blocked.isp.net"));
  EXPECT_FALSE(related_names("isp.kz", "egov.kz"));
}

TEST(Page, HostOfUrl) {
  EXPECT_EQ(host_of_url("https://user@www.example.com:8443/a?b//c"), "www.example.com");
  EXPECT_EQ(host_of_url("//cdn.example.com/x"), "cdn.example.com");
  EXPECT_EQ(host_of_url("http://[2001:db8::1]:80/"), "2001:db8::1");
  EXPECT_EQ(host_of_url("/relative//path"), "");
  EXPECT_EQ(host_of_url("http://[broken"), "");
  EXPECT_EQ(host_of_url("//"), "");
  EXPECT_EQ(host_of_url(""), "");
}

TEST(HttpRules, Residue) {
  const Case rows[] = {
      {"residual blocking: the address fails for all names, and after two minutes for this one alone",
       plain().page_cut(kTrue, kReset, 0, 80).as(same_address).no_connect(kTrue, kReset, 80).as(residual)
           .plain_page(kTrue, 404, "Other", 10).as(retry).page_cut(kTrue, kReset, 0, 80),
       {}, kHttp, State::blocked, "http.cut_with_residue", "http.reset.host"},
      {"that the address passes again after two minutes may be the end of its outage",
       plain().page_cut(kTrue, kReset, 0, 80).as(same_address).no_connect(kTrue, kReset, 80).as(residual)
           .plain_page(kTrue, 404, "Other", 10),
       {}, kHttp, State::insufficient, "http.nothing_to_compare"},
      {"silence once with a residue may be a line that was gone for a moment",
       plain().page_cut(kTrue, kSilence, 0, 80).as(same_address).no_connect(kTrue, kSilence, 80).as(residual)
           .plain_page(kTrue, 404, "Other", 10),
       {}, kHttp, State::insufficient, "http.nothing_to_compare"},
  };
  for (const Case& row : rows) check(row);
}

}  // namespace
}  // namespace kua::verdict::test
