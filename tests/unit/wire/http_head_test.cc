#include "wire/http_head.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"
#include "wire/limits.h"

namespace kua::wire {
namespace {

std::expected<HttpRequestHead, HttpPause> request(std::string_view text) {
  return decode_http_request(as_bytes(text));
}
std::expected<HttpResponseHead, HttpPause> response(std::string_view text) {
  return decode_http_response(as_bytes(text));
}

TEST(DecodeHttpRequest, ReadsCurl) {
  const Bytes stream = vector_bytes("http_request_curl");
  const auto head = decode_http_request(stream);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "GET");
  EXPECT_EQ(head->target, "/missing?q=1");
  EXPECT_EQ(head->host(), "www.example.com");
  EXPECT_EQ(head->fields.find("user-agent"), "curl/7.88.1");
  EXPECT_EQ(head->bytes, stream.size());
  EXPECT_EQ(encode_http_request(*head), as_text(stream));
}

TEST(DecodeHttpResponse, ReadsPythonsServer) {
  const Bytes stream = vector_bytes("http_response_python");
  const auto head = decode_http_response(stream);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->minor_version, 0);
  EXPECT_EQ(head->status, 404);
  EXPECT_EQ(head->reason, "File not found");
  EXPECT_EQ(head->fields.find("Content-Type"), "text/html;charset=utf-8");
  EXPECT_EQ(encode_http_response(*head), as_text(stream));
}

TEST(DecodeHttp, EveryPrefixNeedsMore) {
  for (const char* name : {"http_request_curl", "http_response_python"}) {
    const Bytes stream = vector_bytes(name);
    const bool asks = stream[0] == 'G';
    for (std::size_t length = 0; length < stream.size(); ++length) {
      const BytesView prefix = BytesView(stream).first(length);
      const auto pause =
          asks ? decode_http_request(prefix).error() : decode_http_response(prefix).error();
      ASSERT_EQ(pause, HttpPause::need_more) << name << " " << length;
    }
  }
}

struct HostCase {
  const char* says;
  const char* head;
  std::optional<std::string> host;
};

TEST(HttpRequestHead, KnowsWhichHostIsMeant) {
  const HostCase kCases[] = {
      {"the Host field", "GET / HTTP/1.1\r\nHost: Www.Example.com\r\n\r\n", "www.example.com"},
      {"its port is left out", "GET / HTTP/1.1\r\nHost: www.example.com:8080\r\n\r\n",
       "www.example.com"},
      {"a trailing dot is left out", "GET / HTTP/1.1\r\nhost:www.example.com.\r\n\r\n",
       "www.example.com"},
      {"an IPv6 literal loses its brackets", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
       "2001:db8::1"},
      {"an absolute target wins over Host",
       "GET http://user@a.example:81/x HTTP/1.1\r\nHost: b.example\r\n\r\n", "a.example"},
      {"a URL inside a path is no absolute target",
       "GET /go?u=http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", "b.example"},
      {"CONNECT names it in the target", "CONNECT a.example:443 HTTP/1.1\r\n\r\n", "a.example"},
      {"the first Host of two, as a middlebox that scans would find it",
       "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "a.example"},
      {"none at all", "GET / HTTP/1.0\r\n\r\n", std::nullopt},
  };
  for (const auto& c : kCases) {
    const auto head = request(c.head);
    ASSERT_TRUE(head) << c.says;
    EXPECT_EQ(head->host(), c.host) << c.says;
  }
}

TEST(DecodeHttp, WaitsForHalfAnEmptyLine) {
  EXPECT_EQ(request("\r\n\r").error(), HttpPause::need_more);
  EXPECT_EQ(response("\r").error(), HttpPause::need_more);
}

TEST(DecodeHttpResponse, ForgivesWhatBrowsersForgive) {
  const auto head = response(
      "\r\nhttp/1.1 302\n"
      "Location :  http://warning.example/\n"
      "this is no field\n"
      "X-Long: one\r\n"
      "\t two\r\n"
      "Empty:\r\n"
      "\r\n"
      "body");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 302);
  EXPECT_EQ(head->reason, "");
  EXPECT_EQ(head->fields.find("location"), "http://warning.example/");
  EXPECT_EQ(head->fields.find("x-long"), "one two");
  EXPECT_EQ(head->fields.find("Empty"), "");
  EXPECT_EQ(head->fields.find("absent"), std::nullopt);
  EXPECT_EQ(head->fields.skipped_lines, 1u);
}

struct RefusedCase {
  const char* says;
  std::string head;
};

TEST(DecodeHttpResponse, RefusesWhatIsNoHttp1) {
  const RefusedCase kCases[] = {
      {"a TLS record", "\x16\x03\x01"},
      {"a page without a head", "<html>"},
      {"HTTP/2", "HTTP/2 200\r\n"},
      {"a status of two digits", "HTTP/1.1 20\r\n"},
      {"a status of four digits", "HTTP/1.1 2000 OK\r\n"},
      {"a status that begins with zero", "HTTP/1.1 099 OK\r\n"},
      {"letters for a status", "HTTP/1.1 abc\r\n"},
      {"a NUL in a field", std::string("HTTP/1.1 200 OK\r\na: \0b\r\n\r\n", 25)},
      {"a CR inside a field", "HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n"},
  };
  for (const auto& c : kCases) {
    const auto head = response(c.head);
    ASSERT_FALSE(head) << c.says;
    EXPECT_EQ(head.error(), HttpPause::not_http) << c.says;
  }
}

TEST(DecodeHttpRequest, RefusesWhatIsNoHttp1) {
  const RefusedCase kCases[] = {
      {"a ClientHello", "\x16\x03\x01"},
      {"a method that goes on for ever", std::string(33, 'A')},
      {"no target", "GET HTTP/1.1\r\n"},
      {"no version", "GET /\r\n"},
      {"a space first", " GET / HTTP/1.1\r\n"},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n"},
  };
  for (const auto& c : kCases) {
    const auto head = request(c.head);
    ASSERT_FALSE(head) << c.says;
    EXPECT_EQ(head.error(), HttpPause::not_http) << c.says;
  }
}

TEST(DecodeHttp, HoldsItsLimits) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (std::size_t i = 0; i < kHttpHeadersMax; ++i) many += "a: b\r\n";
  EXPECT_TRUE(response(many + "\r\n"));
  EXPECT_EQ(response(many + "a: b\r\n\r\n").error(), HttpPause::too_large);
  const std::string endless = "HTTP/1.1 200 OK\r\na: " + std::string(kHttpHeadBytesMax, 'x');
  EXPECT_EQ(response(endless).error(), HttpPause::too_large);
  EXPECT_EQ(response(endless + "\r\n\r\n").error(), HttpPause::too_large);
  EXPECT_EQ(request("GET /" + std::string(kHttpHeadBytesMax, 'x')).error(), HttpPause::too_large);
}

}  // namespace
}  // namespace kua::wire
