#include "measurement/address.h"

#include <gtest/gtest.h>

namespace kua {
namespace {

struct RoutableCase {
  const char* address;
  bool routable;
};

TEST(IsGloballyRoutable, FollowsTheSpecialPurposeRegistries) {
  constexpr RoutableCase kCases[] = {
      {"8.8.8.8", true},      {"10.0.0.1", false},    {"172.32.0.1", true},  {"172.31.255.255", false},
      {"192.0.2.1", false},   {"198.18.0.1", false},  {"198.20.0.1", true},  {"0.0.0.0", false},
      {"127.0.0.1", false},   {"100.127.0.1", false}, {"224.0.0.1", false},  {"255.255.255.255", false},
      {"2a00:1450::1", true}, {"::1", false},         {"fe80::1", false},    {"fd00::1", false},
      {"2001:db8::1", false}, {"::ffff:8.8.8.8", false},
      {"64:ff9b::808:808", true}, {"64:ff9b::a00:1", false}};
  for (const auto& c : kCases) {
    EXPECT_EQ(is_globally_routable(*IpAddress::parse(c.address)), c.routable) << c.address;
  }
}

TEST(Prefix, ContainsByBits) {
  const auto prefix = Prefix::parse("198.18.0.0/15");
  ASSERT_TRUE(prefix);
  EXPECT_TRUE(prefix->contains(*IpAddress::parse("198.19.255.255")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("198.20.0.0")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("2001:db8::1")));
  EXPECT_FALSE(Prefix::parse("198.18.0.1/15"));
  EXPECT_FALSE(Prefix::parse("198.18.0.0/33"));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("8.8.8.8")));
}

TEST(Endpoint, ReadsWhatItWrites) {
  for (const char* text : {"203.0.113.10:443", "[2001:db8::10]:853"}) {
    const auto endpoint = Endpoint::parse(text, Transport::tcp);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->text(), text);
  }
  for (const char* text : {"203.0.113.10", "203.0.113.10:0", "2001:db8::10:443", "[1.2.3.4]:5", ":443",
                           "203.0.113.10:65536"}) {
    EXPECT_FALSE(Endpoint::parse(text, Transport::tcp)) << text;
  }
}

}  // namespace
}  // namespace kua
