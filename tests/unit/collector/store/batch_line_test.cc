#include "collector/store/batch_line.h"

#include <gtest/gtest.h>

#include "tests/unit/collector/store/sample_records.h"

namespace kua::collector {
namespace {

BatchLine sample() {
  BatchLine out;
  Reception& reception = out.reception;
  reception.time = kNoon + Microseconds(123);
  reception.country = *CountryCode::parse("KZ");
  reception.asn = Asn{4'200'000'000};
  reception.network_type = NetworkType::mobile;
  reception.clusters = {{686, "00112233aabbcc"}, {687, "ffeeddccbbaa99"}};
  reception.anchor = BootAnchor{"0123456789abcdef", Microseconds(-1'500'000)};
  Seal seal;
  seal.key.fill(7);
  seal.signature.fill(9);
  out.seal = seal;
  return out;
}

std::string text_of(const BatchLine& line) {
  std::string out;
  append_batch_line(line, out);
  EXPECT_TRUE(out.ends_with('\n'));
  out.pop_back();
  return out;
}

TEST(BatchLine, WhatIsWrittenIsRead) {
  BatchLine bare;
  bare.reception.time = kNoon;
  for (const BatchLine& line : {sample(), bare}) {
    const auto read = read_batch_line(text_of(line));
    ASSERT_TRUE(read.has_value()) << read.error().text();
    EXPECT_EQ(*read, line);
  }
}

TEST(BatchLine, DamageIsAnErrorNeverAGuess) {
  const std::string good = text_of(sample());
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(read_batch_line(good.substr(0, cut)).has_value()) << cut;
  }
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string line = good;
    line.replace(line.find(from), from.size(), to);
    return line;
  };
  for (const std::string& line : {
           with("2026-", "noon-"), with("\"KZ\"", "\"Kazakhstan\""), with("4200000000", "4294967296"),
           with("4200000000", "-1"), with("mobile", "pigeon"), with("\"686\"", "\"686x\""),
           with("00112233aabbcc", "00112233aabbc"), with("00112233aabbcc", "00112233AABBCC"),
           with("00112233aabbcc", "-0112233aabbcc"), with("\"key\":\"", "\"key\":\"x"),
           with("\"signature\":\"", "\"signature\":\"x"), std::string(R"({"batch":[]})")}) {
    EXPECT_FALSE(read_batch_line(line).has_value()) << line;
  }
}

TEST(BatchLine, MembersOfALaterVersionArePassedOver) {
  std::string line = text_of(sample());
  line.insert(line.size() - 2, R"(,"later":{"deep":[1]})");
  const auto read = read_batch_line(line);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, sample());
}

TEST(Reception, EachRecordHasItsOwnFacts) {
  const Reception reception = sample().reception;
  RecordHeader header = sample_measurement(1).header;
  header.boot = "0123456789abcdef";
  header.time = WallTime(std::chrono::days(30 * 687)) + std::chrono::hours(1);
  header.monotonic = MonotonicTime(std::chrono::hours(1));
  header.vantage.asn = reception.asn;
  ReceivedFacts facts = facts_of(reception, header);
  EXPECT_EQ(facts.cluster, "ffeeddccbbaa99");
  EXPECT_EQ(facts.clock_skew, Microseconds(std::chrono::days(30 * 687)) + Microseconds(1'500'000));
  EXPECT_TRUE(facts.network_agrees);
  EXPECT_EQ(facts.late, reception.time - header.time > std::chrono::minutes(15));

  header.time = reception.time - std::chrono::minutes(15);
  EXPECT_FALSE(facts_of(reception, header).late);
  header.time -= Microseconds(1);
  EXPECT_TRUE(facts_of(reception, header).late);
  header.vantage.country = *CountryCode::parse("BY");
  EXPECT_FALSE(facts_of(reception, header).network_agrees);
  header.boot = "fedcba9876543210";
  EXPECT_FALSE(facts_of(reception, header).clock_skew.has_value());
  header.time = WallTime(std::chrono::days(30 * 600));
  EXPECT_EQ(facts_of(reception, header).cluster, "") << "its epoch has no key: no witness";
}

}  // namespace
}  // namespace kua::collector
