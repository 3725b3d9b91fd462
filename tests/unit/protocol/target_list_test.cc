#include "protocol/target_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kua::protocol {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

const WallTime kIssued = *parse_rfc3339("2026-11-20T00:00:00Z");
const WallTime kNow = kIssued + 24h;

TargetList full_list() {
  const CountryCode kz = *CountryCode::parse("KZ");
  TargetList list;
  list.serial = 7;
  list.issued = kIssued;
  list.expires = kIssued + kTargetListLifeMax;
  list.country = kz;
  list.targets = {{*TargetId::parse("web:https://example.org/"),
                   "https://example.org/",
                   {},
                   ServiceRule::any,
                   "NEWS",
                   Tier::key,
                   ControlScope::none,
                   std::nullopt},
                  {*TargetId::parse("web:https://gov.example/"),
                   "https://gov.example/",
                   {},
                   ServiceRule::any,
                   "CTRL",
                   Tier::control,
                   ControlScope::national,
                   kz},
                  {*TargetId::parse("service:messenger"),
                   "",
                   {{"203.0.113.1", 443, Transport::tcp, false},
                    {"im.example", 443, Transport::tcp, true},
                    {"2001:db8::1", 3478, Transport::udp, false}},
                   ServiceRule::all,
                   "COMT",
                   Tier::core,
                   ControlScope::none,
                   std::nullopt}};
  list.witnesses = {*Endpoint::parse("203.0.113.9:443", Transport::tcp),
                    *Endpoint::parse("[2001:db8::9]:443", Transport::tcp)};
  list.no_resolvers = {*IpAddress::parse("203.0.113.10")};
  list.trusted_resolvers = {
      {"one", "https://dns.example/dns-query", {*IpAddress::parse("203.0.113.53")}, true},
      {"two", "", {*IpAddress::parse("2001:db8::53")}, true}};
  list.harmless_name = "www.example.com";
  list.fingerprints = {
      {"page", Fingerprint::Where::header, Fingerprint::Match::prefix, "server", "Сүзгі", {kz}},
      {"answer", Fingerprint::Where::dns_answer, Fingerprint::Match::full, "", "203.0.113.11", {}}};
  list.interception_roots = {{"root", std::string(64, 'a'), "CN=Root,C=ZZ"},
                             {"other", "", "CN=Other"}};
  list.routable = {*Prefix::parse("198.18.0.0/15")};
  return list;
}

const platform::SigningKey& key() {
  static const auto made = platform::SigningKey::generate();
  return made;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

std::string fault(const std::string& json) {
  const auto list = read_target_list(json);
  return list ? "accepted" : list.error().message;
}

TEST(TargetList, ComesBack) {
  const auto text = write_target_list(full_list());
  const auto back = read_target_list(text);
  ASSERT_TRUE(back) << back.error().text() << "\n" << text;
  EXPECT_EQ(*back, full_list());
  EXPECT_EQ(write_target_list(*back), text);
}

TEST(TargetList, AListOfNothingComesBack) {
  TargetList list;
  list.issued = kIssued;
  list.expires = kIssued + 1h;
  const auto text = write_target_list(list);
  EXPECT_EQ(text, R"({"format":"kua/1 targets","serial":0,"issued":"2026-11-20T00:00:00Z",)"
                  R"("expires":"2026-11-20T01:00:00Z","targets":[]})");
  EXPECT_EQ(read_target_list(text).value(), list);
}

TEST(TargetList, LivesAtMostFourteenDays) {
  const auto text = write_target_list(full_list());
  EXPECT_THAT(fault(replaced(text, "2026-12-04T00:00:00Z", "2026-12-04T00:00:01Z")),
              HasSubstr("14 days"));
  EXPECT_THAT(fault(replaced(text, "2026-12-04T00:00:00Z", "2026-11-20T00:00:00Z")),
              HasSubstr("14 days"));
  EXPECT_THAT(fault(replaced(text, "2026-12-04T00:00:00Z", "2026-11-19T00:00:00Z")),
              HasSubstr("14 days"));
}

TEST(TargetList, FaultsNameTheMember) {
  const auto text = write_target_list(full_list());
  const struct {
    const char* from;
    const char* to;
    const char* fault;
  } rows[] = {
      {"kua/1 targets", "kua/2 targets", "format: not kua/1 targets"},
      {R"("url":"https://example.org/")", R"("url":"https://EXAMPLE.org/")",
       "targets[0].url: not a URL in its normal form"},
      {R"("url":"https://example.org/")", R"("url":"file:///etc/passwd")",
       "targets[0].url: not a URL in its normal form"},
      {R"("url":"https://example.org/",)", "", "targets[0]: needs either a url or endpoints"},
      {R"("id":"web:https://gov.example/")", R"("id":"web:https://example.org/")",
       "targets: web:https://example.org/ stands twice"},
      {R"("port":443)", R"("port":0)", "targets[2].endpoints[0].port: not a port"},
      {R"("host":"im.example")", R"("host":"im example")",
       "targets[2].endpoints[1].host: not a host"},
      {R"("tier":"key")", R"("tier":"often")", "targets[0].tier: not a word of its set"},
      {R"(203.0.113.9:443)", R"(203.0.113.9)", "witnesses[0]: not an address with a port"},
      {R"("pattern":"203.0.113.11")", R"("pattern":"")",
       "fingerprints[1].pattern: matches everything"},
      {R"("where":"header")", R"("where":"footer")",
       "fingerprints[0].where: not a word of its set"},
      {R"("name":"other","subject":"CN=Other")", R"("name":"other")",
       "interception_roots[1]: names no certificate"},
      {R"("harmless_name":"www.example.com")", R"("harmless_name":"a b")",
       "harmless_name: not a DNS name"},
      {R"(198.18.0.0/15)", R"(198.18.0.0/33)", "routable[0]: not of its form"},
      {R"("serial":7,)", "", "serial: missing"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(fault(replaced(text, row.from, row.to)), row.fault) << row.to;
}

TEST(SignedList, OpensWithItsKeyWhileItLives) {
  const auto envelope = sign_target_list(full_list(), key()).value();
  const auto list =
      open_target_list(envelope, {platform::PublicKey{}, key().public_key()}, kNow, 7);
  ASSERT_TRUE(list) << list.error().text();
  EXPECT_EQ(*list, full_list());
  EXPECT_TRUE(open_target_list(envelope, {key().public_key()}, full_list().expires - 1us, 0));
  const auto expired = open_target_list(envelope, {key().public_key()}, full_list().expires, 0);
  EXPECT_EQ(expired.error().kind, ErrorKind::unavailable);
}

TEST(SignedList, AnOlderSerialIsRefused) {
  const auto envelope = sign_target_list(full_list(), key()).value();
  EXPECT_TRUE(open_target_list(envelope, {key().public_key()}, kNow, 7));
  const auto older = open_target_list(envelope, {key().public_key()}, kNow, 8);
  EXPECT_EQ(older.error().kind, ErrorKind::permission);
  EXPECT_THAT(older.error().message, HasSubstr("serial 7 is older than 8"));
}

TEST(SignedList, OnlyTrustedKeysOpenIt) {
  const auto envelope = sign_target_list(full_list(), key()).value();
  EXPECT_EQ(open_target_list(envelope, {}, kNow, 0).error().kind, ErrorKind::permission);
  const auto other = platform::SigningKey::generate();
  EXPECT_EQ(open_target_list(envelope, {other.public_key()}, kNow, 0).error().kind,
            ErrorKind::permission);
  // Another's list under a trusted key's name.
  const auto forged =
      replaced(sign_target_list(full_list(), other).value(), platform::to_text(other.public_key()),
               platform::to_text(key().public_key()));
  EXPECT_THAT(open_target_list(forged, {key().public_key()}, kNow, 0).error().message,
              HasSubstr("signature is wrong"));
}

TEST(SignedList, AnyChangedByteIsRefused) {
  const auto envelope = sign_target_list(full_list(), key()).value();
  for (std::size_t at = 0; at < envelope.size(); at += 3) {
    auto changed = envelope;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open_target_list(changed, {key().public_key()}, kNow, 0)) << at;
    EXPECT_FALSE(open_target_list(envelope.substr(0, at), {key().public_key()}, kNow, 0)) << at;
  }
}

TEST(SignedList, ASignatureOfSomethingElseMeansNothing) {
  const auto bytes = write_target_list(full_list());
  const auto envelope = R"({"format":"kua/1 list","key":")" +
                        platform::to_text(key().public_key()) + R"(","signature":")" +
                        platform::to_text(key().sign(bytes)) + R"(","list":")" +
                        platform::to_base64(bytes) + "\"}";
  EXPECT_EQ(open_target_list(envelope, {key().public_key()}, kNow, 0).error().kind,
            ErrorKind::permission);
}

TEST(SignedList, WhatNoProbeWouldTakeIsNotSigned) {
  auto list = full_list();
  list.expires = list.issued + kTargetListLifeMax + 1s;
  EXPECT_EQ(sign_target_list(list, key()).error().kind, ErrorKind::invalid_input);
  list = full_list();
  list.targets.push_back(list.targets.front());
  EXPECT_EQ(sign_target_list(list, key()).error().kind, ErrorKind::invalid_input);
  list = full_list();
  list.fingerprints.front().pattern = "\xff";
  EXPECT_EQ(sign_target_list(list, key()).error().kind, ErrorKind::invalid_input);
  list = full_list();
  for (int i = 0; i < 20'001; ++i) {
    list.targets.push_back(list.targets.front());
    list.targets.back().id = *TargetId::parse("web:" + std::to_string(i));
  }
  EXPECT_EQ(sign_target_list(list, key()).error().kind, ErrorKind::limit);
}

TEST(SignedList, GarbageIsRefused) {
  for (const char* text : {"", "{}", "null", R"({"format":"kua/1 list"})", "\xff"}) {
    EXPECT_EQ(open_target_list(text, {key().public_key()}, kNow, 0).error().kind,
              ErrorKind::invalid_input)
        << text;
  }
  EXPECT_EQ(
      open_target_list(std::string(kTargetListEnvelopeBytesMax + 1, ' '), {}, kNow, 0).error().kind,
      ErrorKind::limit);
}

}  // namespace
}  // namespace kua::protocol
