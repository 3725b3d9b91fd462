#include "probe/step/scrub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <ostream>

#include <vector>

#include "probe/step/openssl_ptr.h"
#include "tests/support/loopback/authority.h"

namespace kua::probe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const IpAddress kOwn4 = *IpAddress::parse("198.51.100.7");
const IpAddress kOwn6 = *IpAddress::parse("2001:db8::ff:7");
const IpAddress kServer = *IpAddress::parse("203.0.113.10");

Scrubber scrubber() {
  const std::vector<IpAddress> own = {kOwn4, kOwn6};
  const std::vector<IpAddress> asked = {kServer, kOwn4};  // own wins over asked
  return Scrubber(own, asked);
}

struct Spelling {
  const char* says;
  const char* text;
  friend void PrintTo(const Spelling& row, std::ostream* out) { *out << row.says; }
};

class OwnAddress : public ::testing::TestWithParam<Spelling> {};

TEST_P(OwnAddress, IsGone) {
  const std::string out = scrubber().scrub(GetParam().text);
  EXPECT_THAT(out, HasSubstr(kScrubbed)) << GetParam().says;
  EXPECT_THAT(out, HasSubstr("before ")) << GetParam().says;
  EXPECT_THAT(out, HasSubstr(" after")) << GetParam().says;
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, OwnAddress,
    ::testing::Values(
        Spelling{"as people write it", "before 198.51.100.7 after"},
        Spelling{"with a port", "before 198.51.100.7:40000 after"},
        Spelling{"at the end of a sentence", "before (198.51.100.7). after"},
        Spelling{"with leading zeros", "before 198.051.100.007 after"},
        Spelling{"in a query string", "before /blocked?ip=198.51.100.7&u=x after"},
        Spelling{"behind a percent-escape", "before /b%3Fip%3D198.51.100.7%26u after"},
        Spelling{"reversed, as in in-addr.arpa", "before 7.100.51.198.in-addr.arpa after"},
        Spelling{"dashed, as access providers name hosts", "before host-198-51-100-7.isp.example after"},
        Spelling{"reversed and dashed", "before 7-100-51-198.pool.example after"},
        Spelling{"with underscores", "before client_198_51_100_7 after"},
        Spelling{"hexadecimal", "before c6336407 after"}, Spelling{"hexadecimal in capitals", "before 0xC6336407 after"},
        Spelling{"as one decimal number", "before 3325256711 after"},
        Spelling{"mapped into IPv6", "before ::ffff:198.51.100.7 after"},
        Spelling{"IPv6 compressed", "before 2001:db8::ff:7 after"},
        Spelling{"IPv6 in capitals and brackets", "before [2001:DB8::FF:7]:443 after"},
        Spelling{"IPv6 written out", "before 2001:0db8:0000:0000:0000:0000:00ff:0007 after"},
        Spelling{"IPv6 as nibbles",
                 "before 7.0.0.0.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa after"},
        Spelling{"IPv6 without colons", "before 20010db80000000000000000" "00ff0007 after"}));

TEST(Scrubber, RemovesAnAddressNobodyAskedFor) {
  // A probe behind NAT does not know under which address a block page sees it.
  EXPECT_EQ(scrubber().scrub("Your IP: 192.0.2.77"), "Your IP: [scrubbed]");
  EXPECT_EQ(scrubber().scrub("client 10.64.3.9 via 2001:db8:1::5"), "client [scrubbed] via [scrubbed]");
  EXPECT_EQ(scrubber().scrub("from 95-56-1-2.metro.example"), "from [scrubbed].metro.example");
}

class UnknownAddress : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(UnknownAddress, IsGone) { EXPECT_EQ(scrubber().scrub(GetParam().first), GetParam().second); }

INSTANTIATE_TEST_SUITE_P(
    Places, UnknownAddress,
    ::testing::Values(
        std::pair{"95.56.1.2.metro.example", "[scrubbed].metro.example"},
        std::pair{"dsl1.95.56.1.2.isp.example", "dsl1.[scrubbed].isp.example"},
        std::pair{"href='http://ip95-56-1-2.isp.example/'", "href='http://ip[scrubbed].isp.example/'"},
        std::pair{"dsl95.56.1.2.isp.example", "dsl[scrubbed].isp.example"},
        std::pair{"2.1.56.95.in-addr.arpa", "[scrubbed].in-addr.arpa"},
        std::pair{"host-095-056-001-002-static.isp.example", "host-[scrubbed]-static.isp.example"},
        std::pair{"9.0.0.0.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "[scrubbed].ip6.arpa"},
        std::pair{"seen from 2001:db8::9.Sorry", "seen from [scrubbed].Sorry"},
        std::pair{R"({"text":"IP:\n95.56.1.2"})", R"({"text":"IP:\n[scrubbed]"})"},
        std::pair{R"("IP:\t2001:db8::9")", R"("IP:\t[scrubbed]")"},
        std::pair{R"(\u003e95.56.1.2\u003c)", R"(\u003e[scrubbed]\u003c)"},
        std::pair{R"(ip=\x2295.56.1.2)", R"(ip=\x22[scrubbed])"},
        std::pair{"?u=a%253D95.56.1.2%2526b", "?u=a%253D[scrubbed]%2526b"},
        std::pair{"?u=a%25253D95.56.1.2", "?u=a%25253D[scrubbed]"}));

TEST(Scrubber, KeepsWhatWasAskedFor) {
  EXPECT_EQ(scrubber().scrub("served by 203.0.113.10:443"), "served by 203.0.113.10:443");
}

TEST(Scrubber, KeepsAddressesThatFingerprintsAreWrittenWith) {
  Scrubber with_patterns = scrubber();
  Fingerprint fingerprint;
  fingerprint.pattern = "iframe src=\"http://10.10.34.36";
  const std::vector<Fingerprint> fingerprints = {fingerprint};
  with_patterns.keep_patterns(fingerprints);
  const std::string block_page = "<iframe src=\"http://10.10.34.36?type=x\">";
  EXPECT_EQ(with_patterns.scrub(block_page), block_page);
  EXPECT_THAT(scrubber().scrub(block_page), Not(HasSubstr("10.10.34.36")));
}

class NotAnAddress : public ::testing::TestWithParam<const char*> {};

TEST_P(NotAnAddress, StaysAsItIs) { EXPECT_EQ(scrubber().scrub(GetParam()), GetParam()); }

INSTANTIATE_TEST_SUITE_P(Texts, NotAnAddress,
                         ::testing::Values("2022-01-05T16:45:00Z", "Tue, 04 Jan 2022 16:45:00 GMT", "a::before{}",
                                           "std::vector<int>", "version 1.2.3", "1.2.3.4.5", "1.2.3.4.5.zip", "256.1.1.1", "v256.1.1.1",
                                           "v1.2.3",
                                           "127.0.0.1 and ::1", "12:34:56", "1-2-3", "", ":", "::",
                                           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));

TEST(Scrubber, KeepsTheHashOfABodyOnlyWhereNothingWent) {
  const auto hash_beside = [](const char* sample) {
    HttpRoundTrip trip;
    trip.body_sample = sample;
    trip.body_sha256 = "ab";
    Observation observation = trip;
    scrubber().scrub(observation);
    return std::get<HttpRoundTrip>(observation).body_sha256;
  };
  EXPECT_EQ(hash_beside("<p>203.0.113.10</p>"), "ab");
  EXPECT_EQ(hash_beside("<p>192.0.2.77</p>"), "") << "2^32 tries would find it";
}

TEST(Scrubber, BlanksHeadersThatSayWhoAsked) {
  HttpRoundTrip trip;
  trip.headers = {{"X-Forwarded-For", "unknown-host-name"},
                  {"Set-Cookie", "session=0123456789; Path=/"},
                  {"X-Served-By", "cache for 192.0.2.77"},
                  {"Location", "http://warning.example/?src=192.0.2.77"}};
  trip.url = "http://warning.example/?src=192.0.2.77";
  trip.title = "Blocked for 192.0.2.77";
  trip.body_sample = "<p>192.0.2.77</p>";
  Observation observation = trip;
  scrubber().scrub(observation);
  const auto& out = std::get<HttpRoundTrip>(observation);
  EXPECT_EQ(out.headers[0].second, kScrubbed);
  EXPECT_EQ(out.headers[1].second, "session=[scrubbed]");
  EXPECT_EQ(out.headers[2].second, "cache for [scrubbed]");
  EXPECT_EQ(out.headers[3].second, "http://warning.example/?src=[scrubbed]");
  EXPECT_EQ(out.url, "http://warning.example/?src=[scrubbed]");
  EXPECT_EQ(out.title, "Blocked for [scrubbed]");
  EXPECT_EQ(out.body_sample, "<p>[scrubbed]</p>");
}

// A visitor behind NAT, sent to a name made for them.
constexpr const char* kMadeName = "host-95-56-1-2.login.isp.example";
constexpr const char* kStandIn = "host-scrubbed.login.isp.example";

template <typename Step>
Step scrubbed(Step step) {
  Scrubber with_names = scrubber();
  Observation observation = std::move(step);
  with_names.learn_names(observation);
  EXPECT_EQ(with_names.names_replaced(), 1u);
  with_names.scrub(observation);
  return std::get<Step>(observation);
}

TEST(ScrubsNames, OfALookupAndItsReply) {
  Lookup lookup;
  lookup.host = kMadeName;
  lookup.name = *DomainName::parse(kMadeName);
  lookup.reply = DnsReply{.addresses = {kServer}, .cnames = {"edge.example"}, .ttl_seconds = {}, .raw = "bytes"};
  lookup.late = {*lookup.reply};
  const Lookup out = scrubbed(lookup);
  EXPECT_EQ(out.host, kStandIn);
  EXPECT_EQ(out.name.text(), kStandIn);
  EXPECT_EQ(out.reply->raw, "");
  EXPECT_EQ(out.late[0].raw, "");
  EXPECT_EQ(out.reply->addresses, lookup.reply->addresses);
  EXPECT_EQ(out.reply->cnames, lookup.reply->cnames);
}

TEST(ScrubsNames, OfAChainOfAliases) {
  Lookup lookup;
  lookup.host = "site.example";
  lookup.name = *DomainName::parse("site.example");
  lookup.reply = DnsReply{.addresses = {}, .cnames = {kMadeName}, .ttl_seconds = {}, .raw = "bytes"};
  const Lookup out = scrubbed(lookup);
  EXPECT_EQ(out.name, lookup.name);
  EXPECT_EQ(out.reply->cnames.at(0), kStandIn);
  EXPECT_EQ(out.reply->raw, "");
}

template <typename Handshake>
void expect_a_handshake_without_it() {
  Handshake handshake;
  handshake.host = kMadeName;
  handshake.server_name = kMadeName;
  handshake.chain = {{.sha256 = "ab", .spki_sha256 = "cd", .subject = std::string("CN=") + kMadeName,
                      .issuer = "CN=Root,2.5.4.97=95.56.1.2", .der = "bytes"}};
  const Handshake out = scrubbed(handshake);
  EXPECT_EQ(out.host, kStandIn);
  EXPECT_EQ(out.server_name, kStandIn);
  EXPECT_EQ(out.chain.at(0).subject, std::string("CN=") + kStandIn);
  EXPECT_EQ(out.chain[0].issuer, "CN=Root,2.5.4.97=[scrubbed]");
  EXPECT_EQ(out.chain[0].der, "");
  EXPECT_EQ(out.chain[0].sha256, "ab");
}

TEST(ScrubsNames, OfAHandshakeAndItsCertificates) {
  expect_a_handshake_without_it<TlsHandshake>();
  expect_a_handshake_without_it<QuicHandshake>();
}

TEST(ScrubsNames, OfARoundTripAndWhereverElseTheyStand) {
  HttpRoundTrip trip;
  trip.host = kMadeName;
  trip.url = std::string("https://") + kMadeName + ":8443/?src=95.56.1.2";
  trip.title = "HOST-95-56-1-2.LOGIN.ISP.EXAMPLE";
  trip.headers = {{"Location", std::string("//") + kMadeName + "/next"}};
  const HttpRoundTrip out = scrubbed(trip);
  EXPECT_EQ(out.host, kStandIn);
  EXPECT_EQ(out.url, std::string("https://") + kStandIn + ":8443/?src=[scrubbed]");
  EXPECT_EQ(out.title, kStandIn);
  EXPECT_EQ(out.headers[0].second, std::string("//") + kStandIn + "/next");
}

TEST(ScrubsNames, ThatAreNotOpenedButLedTo) {
  HttpRoundTrip trip;
  trip.host = "site.example";
  trip.url = "http://site.example/";
  trip.body_sample = "<a href='http://u5f380102.isp.example/'>";
  trip.headers = {{"location", "http://u5f380102.isp.example/"}};
  const HttpRoundTrip out = scrubbed(trip);
  EXPECT_EQ(out.headers[0].second, "http://uscrubbed.isp.example/");
  EXPECT_EQ(out.body_sample, "<a href='http://uscrubbed.isp.example/'>");
  EXPECT_EQ(out.url, trip.url);
}

TEST(ScrubsNames, ButNotThoseOfTheListNorOfServersThatWereAsked) {
  Scrubber keeping = scrubber();
  keeping.keep("https://95-56-1-2.site.example/");
  EXPECT_EQ(keeping.scrub_name("95-56-1-2.site.example", NameFrom::visitor), "95-56-1-2.site.example");
  EXPECT_EQ(keeping.scrub_name("203-0-113-10.cloud.example", NameFrom::visitor), "203-0-113-10.cloud.example");
  EXPECT_EQ(keeping.scrub_name("10.113.0.203.in-addr.arpa", NameFrom::visitor), "10.113.0.203.in-addr.arpa");
  EXPECT_EQ(keeping.scrub_name("203.0.113.10", NameFrom::visitor), "203.0.113.10");
  EXPECT_EQ(keeping.scrub_name("198.51.100.7", NameFrom::visitor), kScrubbedName) << "its own, asked or not";
}

TEST(ScrubsNames, AndCertificatesThatHoldAnOwnAddress) {
  TlsHandshake handshake;
  handshake.host = "site.example";
  const std::string raw("\xc6\x33\x64\x07", 4);
  handshake.chain = {{.sha256 = {}, .spki_sha256 = {}, .subject = {}, .issuer = {}, .der = "abc" + raw},
                     {.sha256 = {}, .spki_sha256 = {}, .subject = {}, .issuer = {}, .der = "abc"}};
  Observation observation = handshake;
  scrubber().scrub(observation);
  const auto& out = std::get<TlsHandshake>(observation);
  EXPECT_EQ(out.chain[0].der, "");
  EXPECT_EQ(out.chain[1].der, "abc");
}

// The leaf of a fresh certificate, as DER.
std::string made_for(const char* name) {
  const std::string pem = test::Authority::self_signed({.names = {name}}).chain_pem;
  const OpensslPtr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const OpensslPtr<X509> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate.get(), &der);
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return out;
}

TEST(ScrubsNames, AndCertificatesWhoseAlternativeNamesTellTheVisitor) {
  const auto is_kept = [](const char* name) {
    TlsHandshake handshake;
    handshake.host = "site.example";
    handshake.chain = {{.sha256 = {}, .spki_sha256 = {}, .subject = {}, .issuer = {}, .der = made_for(name)}};
    Observation observation = handshake;
    scrubber().scrub(observation);
    return !std::get<TlsHandshake>(observation).chain[0].der.empty();
  };
  EXPECT_TRUE(is_kept("*.Site.example"));
  EXPECT_TRUE(is_kept("IP:203.0.113.10"));
  EXPECT_FALSE(is_kept("IP:192.0.2.77"));
  EXPECT_FALSE(is_kept("IP:2001:db8:1::5"));
  EXPECT_FALSE(is_kept("ip95-56-1-2.isp.example"));
  EXPECT_FALSE(is_kept("*.U5F380102.isp.example"));
}

}  // namespace
}  // namespace kua::probe
