#include "measurement/names.h"

#include <gtest/gtest.h>

namespace kua {
namespace {

TEST(DomainName, TakesALabelsOnly) {
  EXPECT_TRUE(DomainName::parse("www.example.com"));
  EXPECT_TRUE(DomainName::parse("xn--80ak6aa92e.com"));
  EXPECT_TRUE(DomainName::parse("_dmarc.example.com"));
  for (const char* text : {"", ".", "example.com.", "EXAMPLE.com", "-a.com", "a-.com", "a..b", "a b.com",
                           "казахстан.kz"}) {
    EXPECT_FALSE(DomainName::parse(text)) << text;
  }
  EXPECT_FALSE(DomainName::parse(std::string(64, 'a') + ".com"));
  EXPECT_FALSE(DomainName::parse(std::string(254, 'a')));
}

TEST(TargetId, NeverHoldsAQuery) {
  EXPECT_TRUE(TargetId::parse("web:https://www.example.com/"));
  EXPECT_FALSE(TargetId::parse("web:https://www.example.com/?user=1"));
  EXPECT_FALSE(TargetId::parse("a b"));
}

TEST(RecordId, SortsByTimeAndSurvivesItsText) {
  RecordId::Bytes random{};
  random.fill(0xff);
  const auto early = RecordId::make(1641380100000, random);
  const auto late = RecordId::make(1641380100001, RecordId::Bytes{});
  EXPECT_LT(early, late);
  EXPECT_EQ(early.unix_milliseconds(), 1641380100000);
  EXPECT_EQ(RecordId::parse(early.text()), early);
  EXPECT_FALSE(RecordId::parse("00000000-0000-0000-0000-000000000000"));
  EXPECT_FALSE(RecordId::parse(early.text() + "0"));
}

TEST(Region, IsIso3166Part2) {
  EXPECT_TRUE(Region::parse("KZ-75"));
  EXPECT_FALSE(Region::parse("KZ75"));
  EXPECT_FALSE(Region::parse("kz-75"));
}

}  // namespace
}  // namespace kua
