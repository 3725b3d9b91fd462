#include "protocol/target_url.h"

#include <gtest/gtest.h>

namespace kua::protocol {
namespace {

std::string normal(std::string_view text) {
  const auto url = parse_target_url(text);
  return url ? url->text() : "refused: " + url.error().message;
}

std::string resolved(std::string_view base, std::string_view reference) {
  const auto url = resolve_reference(parse_target_url(base).value(), reference);
  return url ? url->text() : "refused: " + url.error().message;
}

TEST(ParseTargetUrl, HasOneNormalForm) {
  struct Row {
    const char* claim;
    const char* given;
    const char* normal;
  };
  const Row rows[] = {
      {"an empty path is the root", "https://example.org", "https://example.org/"},
      {"scheme and host are case-insensitive, the path is not", "HTTPS://Example.ORG/Path",
       "https://example.org/Path"},
      {"a default port says nothing", "http://example.org:80/", "http://example.org/"},
      {"an empty port is the default", "https://example.org:/", "https://example.org/"},
      {"another port stays", "http://example.org:8080", "http://example.org:8080/"},
      {"443 is not http's port", "http://example.org:443/", "http://example.org:443/"},
      {"a fragment never reaches a server", "https://example.org/a#b?c", "https://example.org/a"},
      {"a query stays", "https://example.org?a=b", "https://example.org/?a=b"},
      {"an empty query stays", "https://example.org/?", "https://example.org/?"},
      {"dot segments are resolved", "https://example.org/a/../b/./c", "https://example.org/b/c"},
      {"a name outside ASCII becomes A-labels", "https://Қазақстан.қаз/",
       "https://xn--80aaa0a6awh12ed.xn--80ao21a/"},
      {"so does one that is percent-encoded", "https://%D2%9B%D0%B0%D0%B7.example/",
       "https://xn--80ao21a.example/"},
      {"sharp s is a letter of its own", "https://straße.example/",
       "https://xn--strae-oqa.example/"},
      {"the root's dot is dropped", "https://example.org./", "https://example.org/"},
      {"letters in a path are percent-encoded", "https://example.org/ә x",
       "https://example.org/%D3%99%20x"},
      {"percent-encoding is left alone", "https://example.org/%7e%C3%A4",
       "https://example.org/%7e%C3%A4"},
      {"a lone percent sign is one", "https://example.org/100%", "https://example.org/100%25"},
      {"backslashes are slashes", "https:\\\\example.org\\a?b\\c", "https://example.org/a?b%5Cc"},
      {"spaces around are not part of it", "  https://example.org/ ", "https://example.org/"},
      {"an IPv4 address is a host", "http://203.0.113.7/", "http://203.0.113.7/"},
      {"an IPv6 address is shortened", "https://[2001:DB8:0::1]:8443/",
       "https://[2001:db8::1]:8443/"},
      {"underscores occur in names", "https://a_b.example.org/", "https://a_b.example.org/"},
  };
  for (const auto& row : rows) EXPECT_EQ(normal(row.given), row.normal) << row.claim;
}

TEST(ParseTargetUrl, IsStableUnderItself) {
  for (const char* text :
       {"https://example.org/a b?c d#e", "http://[::1]:80/\\x", "https://ü.example/%zz|"}) {
    EXPECT_EQ(normal(normal(text)), normal(text)) << text;
  }
}

TEST(ParseTargetUrl, RefusesWhatIsNoWebPage) {
  const char* rows[] = {"",
                        " ",
                        "example.org",
                        "//example.org/",
                        "/path",
                        "ftp://example.org/",
                        "javascript:alert(1)",
                        "https:",
                        "https://",
                        "https:///path",
                        "https:example.org",
                        "https://:443/",
                        "https://user@example.org/",
                        "https://user:pass@example.org/",
                        "https://example.org:0/",
                        "https://example.org:65536/",
                        "https://example.org:99999999999/",
                        "https://example.org:-1/",
                        "https://example.org:8x/",
                        "https://a b.example/",
                        "https://-a.example/",
                        "https://a..example/",
                        "https://127.1/",
                        "https://0x7f000001/",
                        "https://2130706433/",
                        "https://[::1/",
                        "https://[1.2.3.4]/",
                        "https://[fe80::1%25eth0]/",
                        "https://[v1.x]/",
                        "https://exa\nmple.org/",
                        "https://example.org/\r\nX: y",
                        "https://%00.example/",
                        "https://\xff\xfe.example/"};
  for (const char* row : rows) {
    const auto url = parse_target_url(row);
    EXPECT_FALSE(url) << row << " became " << url->text();
    if (!url) {
      EXPECT_EQ(url.error().kind, ErrorKind::invalid_input) << row;
    }
  }
  EXPECT_EQ(parse_target_url("https://example.org/" + std::string(kUrlBytesMax, 'a')).error().kind,
            ErrorKind::limit);
}

TEST(ParseTargetUrl, ErrorsQuoteNoControlCharacters) {
  EXPECT_EQ(parse_target_url("https://a\x1b[31m/").error().text(),
            "reading URL 'https://a?[31m/': control characters are not allowed");
}

TEST(ParseTargetUrl, PartsAreReadyForARequest) {
  const auto url = parse_target_url("https://[2001:db8::1]:8443/a?b=c").value();
  EXPECT_EQ(url.scheme, UrlScheme::https);
  EXPECT_EQ(url.host, "2001:db8::1");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.authority(), "[2001:db8::1]:8443");
  EXPECT_EQ(url.request_target(), "/a?b=c");
  EXPECT_EQ(url.address(), IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(parse_target_url("https://example.org/")->authority(), "example.org");
  EXPECT_EQ(parse_target_url("https://example.org/")->address(), std::nullopt);
}

TEST(ResolveReference, AgreesWithRfc3986) {
  // §5.4.1 and §5.4.2, without fragments.
  constexpr std::string_view kBase = "http://a.example/b/c/d;p?q";
  const std::pair<const char*, const char*> rows[] = {{"g", "/b/c/g"},
                                                      {"./g", "/b/c/g"},
                                                      {"g/", "/b/c/g/"},
                                                      {"/g", "/g"},
                                                      {"?y", "/b/c/d;p?y"},
                                                      {"g?y", "/b/c/g?y"},
                                                      {"#s", "/b/c/d;p?q"},
                                                      {";x", "/b/c/;x"},
                                                      {"g;x", "/b/c/g;x"},
                                                      {"", "/b/c/d;p?q"},
                                                      {".", "/b/c/"},
                                                      {"./", "/b/c/"},
                                                      {"..", "/b/"},
                                                      {"../", "/b/"},
                                                      {"../g", "/b/g"},
                                                      {"../..", "/"},
                                                      {"../../g", "/g"},
                                                      {"../../../g", "/g"},
                                                      {"../../../../g", "/g"},
                                                      {"/./g", "/g"},
                                                      {"/../g", "/g"},
                                                      {"g.", "/b/c/g."},
                                                      {"..g", "/b/c/..g"},
                                                      {"./../g", "/b/g"},
                                                      {"g/./h", "/b/c/g/h"},
                                                      {"g/../h", "/b/c/h"},
                                                      {"g;x=1/../y", "/b/c/y"},
                                                      {"g?y/../x", "/b/c/g?y/../x"}};
  for (const auto& [reference, path] : rows) {
    EXPECT_EQ(resolved(kBase, reference), std::string("http://a.example") + path) << reference;
  }
  EXPECT_EQ(resolved(kBase, "//G.example"), "http://g.example/");
}

TEST(ResolveReference, FollowsWhatServersWrite) {
  EXPECT_EQ(resolved("http://a.example/", "https://b.example"), "https://b.example/");
  EXPECT_EQ(resolved("https://a.example:8443/x", "/y"), "https://a.example:8443/y");
  EXPECT_EQ(resolved("https://a.example/", "//қаз.example/б"),
            "https://xn--80ao21a.example/%D0%B1");
  EXPECT_EQ(resolved("https://a.example/x/", "page one?q=a|b"),
            "https://a.example/x/page%20one?q=a%7Cb");
  EXPECT_EQ(resolved("https://[2001:db8::1]/x", "y"), "https://[2001:db8::1]/y");
}

TEST(ResolveReference, LeadsNowhereElse) {
  for (const char* reference :
       {"ftp://b.example/", "mailto:x@y.example", "b.example:443/x", "https://u@b.example/",
        "http://b.example:0/", "//", "http://300.1.1.1/", "\x01"}) {
    EXPECT_TRUE(resolved("https://a.example/", reference).starts_with("refused")) << reference;
  }
}

TEST(TargetIdOf, IsTheUrlWithoutItsQuery) {
  const auto id = [](const char* text) {
    return target_id_of(parse_target_url(text).value()).text();
  };
  EXPECT_EQ(id("https://www.example.com/"), "web:https://www.example.com/");
  EXPECT_EQ(id("http://www.example.com:8080/a"), "web:http://www.example.com:8080/a");
  EXPECT_EQ(id("https://example.com/it's"), "web:https://example.com/it%27s");
  const auto first = id("https://example.com/watch?v=1");
  EXPECT_TRUE(first.starts_with("web:https://example.com/watch#")) << first;
  EXPECT_EQ(first.size(), std::string("web:https://example.com/watch#").size() + 8);
  EXPECT_NE(first, id("https://example.com/watch?v=2"));
  EXPECT_EQ(first, id("https://EXAMPLE.com/watch?v=1#top"));
}

TEST(TargetIdOf, LongUrlsStayApartWithinTheirBound) {
  const std::string long_url = "https://example.com/" + std::string(300, 'a');
  const auto one = target_id_of(parse_target_url(long_url + "1").value());
  const auto two = target_id_of(parse_target_url(long_url + "2").value());
  EXPECT_EQ(one.text().size(), 200u);
  EXPECT_NE(one, two);
  std::string host;
  for (int i = 0; i < 24; ++i) host += "abcdefghi.";
  EXPECT_LE(target_id_of(parse_target_url("https://" + host + "example/").value()).text().size(),
            200u);
}

}  // namespace
}  // namespace kua::protocol
