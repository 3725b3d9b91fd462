#include "collector/store/stored_line.h"

#include <gtest/gtest.h>

#include "tests/unit/collector/store/sample_records.h"

namespace kua::collector {
namespace {

ReceivedFacts facts() {
  ReceivedFacts out;
  out.received = kNoon + Microseconds(123);
  out.country = *CountryCode::parse("KZ");
  out.asn = Asn{9198};
  out.network_type = NetworkType::mobile;
  out.cluster = "00112233aabbcc";
  out.network_agrees = true;
  return out;
}

std::string line_of(const std::string& record, const ReceivedFacts& received) {
  std::string out(kStoredLineBegin);
  out += record;
  append_received(received, out);
  out.pop_back();  // the newline
  return out;
}

TEST(StoredLine, RecordBytesAndFactsComeBackAsTheyWere) {
  const std::string record = R"({"id":"x",  "odd" : [1, 2 ],"received":{"country":"US"}})";
  ReceivedFacts late = facts();
  late.late = true;
  late.network_agrees = false;
  late.clock_skew = Microseconds(-1'500'000);
  for (const ReceivedFacts& received : {facts(), late}) {
    const std::string line = line_of(record, received);
    const auto read = read_stored_line(line);
    ASSERT_TRUE(read.has_value()) << read.error().text();
    EXPECT_EQ(read->record, record);
    EXPECT_EQ(read->facts, received);
  }
}

TEST(StoredLine, WhatARecordClaimsAboutItsReceptionIsNotBelieved) {
  // The reader takes the last `received`, and so does jq.
  const auto read = read_stored_line(line_of(R"({"a":1},"received":{"time":"2020-01-01T00:00:00Z"})", facts()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->facts.country.text(), "KZ");
}

TEST(StoredLine, DamageIsAnErrorNeverAGuess) {
  const std::string good = line_of("{}", facts());
  ASSERT_TRUE(read_stored_line(good).has_value());
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(read_stored_line(good.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(read_stored_line(R"({"record":{},"received":{"time":"noon"}})").has_value());
  EXPECT_FALSE(read_stored_line(R"({"record":{},"received":[]})").has_value());
}

TEST(StoredLine, FactsOfALaterVersionArePassedOver) {
  std::string line = line_of("{}", facts());
  line.insert(line.size() - 2, R"(,"later":{"deep":[1]})");
  const auto read = read_stored_line(line);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->facts, facts());
}

TEST(StoredLine, AClusterThatIsNoneOfOursIsDamage) {
  for (const char* cluster : {"00112233aabbc", "00112233aabbccd", "00112233AABBCC", "00112233aabbcg", "-0112233aabbcc"}) {
    ReceivedFacts received = facts();
    received.cluster = cluster;
    EXPECT_FALSE(read_stored_line(line_of("{}", received)).has_value()) << cluster;
  }
  ReceivedFacts nobody = facts();
  nobody.cluster.clear();
  EXPECT_TRUE(read_stored_line(line_of("{}", nobody)).has_value()) << "counts as no witness";
}

}  // namespace
}  // namespace kua::collector
