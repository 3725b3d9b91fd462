#include "probe/step/scrub_name.h"

#include <gtest/gtest.h>

#include <ostream>

#include "measurement/names.h"

namespace kua::probe {
namespace {

// 203.0.113.10 is a server that was asked; every other address may be the visitor's.
bool may_stay(const IpAddress& address) { return address == *IpAddress::parse("203.0.113.10"); }

struct Row {
  const char* says;
  const char* name;
  const char* left;
  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.says; }
};

class NameMadeForAVisitor : public ::testing::TestWithParam<Row> {};

TEST_P(NameMadeForAVisitor, TellsNoAddress) {
  const std::string out = without_addresses(GetParam().name, may_stay, NameFrom::visitor);
  EXPECT_EQ(out, GetParam().left);
  EXPECT_TRUE(DomainName::parse(out));
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, NameMadeForAVisitor,
    ::testing::Values(
        Row{"dashes", "203-0-113-7.example", "scrubbed.example"},
        Row{"dots", "203.0.113.7.example", "scrubbed.example"},
        Row{"reversed", "7.113.0.203.pool.example", "scrubbed.pool.example"},
        Row{"underscores", "client_203_0_113_7.example", "client_scrubbed.example"},
        Row{"letters that touch it", "ip203-0-113-7x.example", "ipscrubbedx.example"},
        Row{"leading zeros", "203-000-113-007.example", "scrubbed.example"},
        Row{"a counter behind it", "203-0-113-7-1.example", "scrubbed.example"},
        Row{"a number before it", "dsl1.95.56.1.2.example", "dslscrubbed.example"},
        Row{"zeros and no separator", "u203000113007.example", "uscrubbed.example"},
        Row{"one number", "3405803783.example", "scrubbed.example"},
        Row{"hexadecimal", "cb007107.example", "scrubbed.example"},
        Row{"hexadecimal, reversed", "077100cb.example", "scrubbed.example"},
        Row{"hexadecimal with letters before it", "hostcb007107.example", "hostscrubbed.example"},
        Row{"hexadecimal bytes", "cb-00-71-07.example", "scrubbed.example"},
        Row{"IPv6 in full", "2001-db8-0-0-0-0-ff-7.example", "scrubbed.example"},
        Row{"IPv6 shortened", "cable-2001-db8--ff-7.example", "cablscrubbed.example"},
        Row{"IPv6 as nibbles", "7.0.0.0.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "scrubbed.ip6.arpa"},
        Row{"IPv6 without separators", "20010db8000000000000000000ff0007.example", "scrubbed.example"},
        Row{"two of them", "203-0-113-7.198-51-100-9.example", "scrubbed.scrubbed.example"}));

TEST(LongNameMadeForAVisitor, GoesWholeWhereTheStandInDoesNotFit) {
  const std::string longest = std::string(56, 'g') + "1-2-3-4.example";
  ASSERT_TRUE(DomainName::parse(longest));
  EXPECT_EQ(without_addresses(longest, may_stay, NameFrom::visitor), kScrubbedName);
}

class OrdinaryName : public ::testing::TestWithParam<const char*> {};

TEST_P(OrdinaryName, StaysAsItIs) {
  EXPECT_EQ(without_addresses(GetParam(), may_stay, NameFrom::visitor), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Names, OrdinaryName,
                         ::testing::Values("www.example.com", "xn--80ak6aa92e.example", "a-b-c-d.example",
                                           "cdn-1-2-3.example", "256-1-1-1.example", "2024-01-05.news.example",
                                           "203-0-113-10.cloud.example", "10-113-0-203.cloud.example",
                                           "cb00710a.cloud.example", "abc123.example", "facade--bad.example",
                                           "e3b0c44298fc1c14.example", "12345.example", "s3-eu-west-1.example"));

TEST(NameOfAnAnswer, IsOnlyLookedAtForNumbersWithSeparators) {
  EXPECT_EQ(without_addresses("95-56-1-2.cdn.example", may_stay, NameFrom::answer), "scrubbed.cdn.example");
  for (const char* name : {"cb007107.cdn.example", "1234567890.cdn.example", "203000113007.cdn.example"}) {
    EXPECT_EQ(without_addresses(name, may_stay, NameFrom::answer), name);
  }
}

}  // namespace
}  // namespace kua::probe
