#include "protocol/api.h"

#include <gtest/gtest.h>

#include "platform/crypto/crypto.h"

namespace kua::protocol {
namespace {

const ProbeId kProbe = *ProbeId::parse("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
const WallTime kTime = *parse_rfc3339("2022-01-05T10:55:10.5Z");

TEST(SigningInput, CoversDomainMethodPathAndBody) {
  EXPECT_EQ(request_signing_input("POST", kRecordsPath, "body"),
            "kua/1 request\nPOST\n/v1/records\nbody");
  EXPECT_EQ(request_signing_input("POST", kRecordsPath, ""), "kua/1 request\nPOST\n/v1/records\n");
}

TEST(Enrolment, ComesBack) {
  Enrolment enrolment;
  enrolment.public_key = platform::to_text(platform::PublicKey{1, 2, 3});
  enrolment.country = *CountryCode::parse("KZ");
  enrolment.asn = Asn{64'500};
  enrolment.network_type = NetworkType::mobile;
  enrolment.role = ProbeRole::control;
  enrolment.invitation = "алма-7\"";
  enrolment.software = "kua-probe/0.1.0";
  const auto back = read_enrolment(write_enrolment(enrolment));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(write_enrolment(*back), write_enrolment(enrolment));
  EXPECT_EQ(back->invitation, enrolment.invitation);
  EXPECT_EQ(back->role, ProbeRole::control);
}

TEST(Enrolment, AKeyThatIsNoneIsRefused) {
  Enrolment enrolment;
  for (const char* key : {"", "AAAA", "not base64url of thirty-two bytes at all!!!"}) {
    enrolment.public_key = key;
    EXPECT_EQ(read_enrolment(write_enrolment(enrolment)).error().message,
              "public_key: not base64url of 32 bytes");
  }
  EXPECT_EQ(read_enrolment(std::string(5'000, ' ')).error().kind, ErrorKind::limit);
}

TEST(EnrolmentAnswer, ComesBack) {
  const EnrolmentAnswer answer{*CountryCode::parse("KZ"), Asn{9}, NetworkType::fixed, kTime};
  const auto text = write_enrolment_answer(answer);
  EXPECT_EQ(
      text,
      R"({"country":"KZ","asn":9,"network_type":"fixed","server_time":"2022-01-05T10:55:10.5Z"})");
  EXPECT_EQ(write_enrolment_answer(read_enrolment_answer(text).value()), text);
}

TEST(BatchAnswer, ComesBack) {
  BatchAnswer answer;
  answer.accepted = {"a", "b"};
  answer.rejected = {{"c", Rejection::too_old}, {"d", Rejection::wrong_probe}};
  answer.unreadable = 3;
  answer.server_time = kTime;
  answer.advice = {"web:https://example.org/"};
  const auto text = write_batch_answer(answer);
  const auto back = read_batch_answer(text);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->accepted, answer.accepted);
  ASSERT_EQ(back->rejected.size(), 2u);
  EXPECT_EQ(back->rejected[1].reason, Rejection::wrong_probe);
  EXPECT_EQ(write_batch_answer(*back), text);
}

TEST(BatchAnswer, AReasonOfALaterVersionStillRejects) {
  const auto back = read_batch_answer(
      R"({"accepted":[],"rejected":[{"id":"x","reason":"embargo"}],"server_time":"2022-01-05T00:00:00Z","new":{}})");
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->rejected.front().reason, Rejection::malformed);
}

TEST(BatchAnswer, WhatNamesNothingIsRefused) {
  for (const char* text :
       {"", "{}", "[]", R"({"accepted":"all","server_time":"2022-01-05T00:00:00Z"})",
        R"({"accepted":[1],"server_time":"2022-01-05T00:00:00Z"})", R"({"accepted":[]})"}) {
    EXPECT_EQ(read_batch_answer(text).error().kind, ErrorKind::invalid_input) << text;
  }
}

TEST(Rejection, WordsComeBack) {
  for (int i = 0; i <= static_cast<int>(Rejection::unknown_format); ++i) {
    const auto reason = static_cast<Rejection>(i);
    EXPECT_EQ(parse_rejection(to_string(reason)), reason);
  }
  EXPECT_EQ(parse_rejection("because"), std::nullopt);
}

TEST(Heartbeat, FitsItsBoundAtItsLongest) {
  const Heartbeat heartbeat{kProbe, UINT64_MAX, LinkState::international_cut};
  const auto text = write_heartbeat(heartbeat);
  EXPECT_LE(text.size(), kHeartbeatBytesMax);
  const auto back = read_heartbeat(text);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->sequence, UINT64_MAX);
  EXPECT_EQ(back->link_state, LinkState::international_cut);
  EXPECT_EQ(read_heartbeat(text + std::string(kHeartbeatBytesMax, ' ')).error().kind,
            ErrorKind::limit);
}

TEST(Heartbeat, AStateOfALaterVersionIsUnknown) {
  const auto back = read_heartbeat(
      R"({"probe":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","sequence":1,"link_state":"satellite"})");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->link_state, LinkState::unknown);
}

TEST(ApiError, ComesBack) {
  const auto text = write_api_error({"rate_limited", "try again in 30 s"});
  EXPECT_EQ(text, R"({"error":"rate_limited","message":"try again in 30 s"})");
  EXPECT_EQ(read_api_error(text)->error, "rate_limited");
  EXPECT_FALSE(read_api_error("<html>"));
}

}  // namespace
}  // namespace kua::protocol
