#include "wire/dns_name.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"

namespace kua::wire {
namespace {

struct NameCase {
  const char* says;
  const char* hex;
  const char* text;
  std::size_t end;
};

TEST(DecodeDnsName, ReadsLabelsAndPointersBackwards) {
  const NameCase kCases[] = {
      {"the root", "00", ".", 1},
      {"two labels", "0161 02 6263 00", "a.bc", 6},
      {"case is kept", "0141 00", "A", 3},
      {"a dot and a backslash inside a label", "04 612e5c62 00", "a\\.\\\\b", 6},
      {"bytes that do not print", "03 00ff20 00", "\\000\\255\\032", 5},
  };
  for (const auto& c : kCases) {
    const Bytes bytes = from_hex(c.hex);
    const auto name = decode_dns_name(bytes, 0);
    ASSERT_TRUE(name) << c.says;
    EXPECT_EQ(name->name, c.text) << c.says;
    EXPECT_EQ(name->end, c.end) << c.says;
  }
  const Bytes pointed = from_hex("0161 02 6263 00 0164 c002 c006");
  EXPECT_EQ(decode_dns_name(pointed, 6)->name, "d.bc");
  EXPECT_EQ(decode_dns_name(pointed, 6)->end, 10u);
  EXPECT_EQ(decode_dns_name(pointed, 10)->name, "d.bc");
  EXPECT_EQ(decode_dns_name(pointed, 10)->end, 12u);
}

struct NameFaultCase {
  const char* says;
  const char* hex;
  std::size_t at;
  DnsFault fault;
};

TEST(DecodeDnsName, EndsOnEveryTrick) {
  const NameFaultCase kCases[] = {
      {"nothing there", "", 0, DnsFault::truncated},
      {"a label beyond the end", "0361", 0, DnsFault::truncated},
      {"no root", "0161", 0, DnsFault::truncated},
      {"half a pointer", "00c0", 1, DnsFault::truncated},
      {"a pointer to itself", "c000", 0, DnsFault::bad_pointer},
      {"two pointers to each other", "c002c000", 2, DnsFault::bad_pointer},
      {"a pointer forwards", "c002 0161 00", 0, DnsFault::bad_pointer},
      {"a pointer back to labels that go on past it", "0361 c000 00", 2, DnsFault::bad_pointer},
      {"a label and a pointer back to it", "0161 c000", 0, DnsFault::bad_pointer},
      {"the reserved label type 01", "41 00", 0, DnsFault::bad_name},
      {"the reserved label type 10", "81 00", 0, DnsFault::bad_name},
  };
  for (const auto& c : kCases) {
    const Bytes bytes = from_hex(c.hex);
    const auto name = decode_dns_name(bytes, c.at);
    ASSERT_FALSE(name) << c.says;
    EXPECT_EQ(name.error(), c.fault) << c.says;
  }
}

TEST(DecodeDnsName, HoldsTheLimitOf255OctetsThroughPointers) {
  // A chain of one-label runs, each pointing to the one before: 128 labels would be 257 octets.
  Bytes bytes = {0};
  std::size_t previous = 0;
  for (int labels = 1; labels <= 128; ++labels) {
    const std::size_t at = bytes.size();
    put_bytes(bytes, from_hex("0161"));
    put_u16(bytes, static_cast<std::uint16_t>(0xc000 | previous));
    previous = at;
    const auto name = decode_dns_name(bytes, at);
    EXPECT_EQ(name.has_value(), labels <= 127) << labels;
  }
}

TEST(DnsNameWriter, PointsBackToSuffixesAndReadsBack) {
  Bytes out(12);
  DnsNameWriter names;
  ASSERT_TRUE(names.append("www.example.com", out));
  const std::size_t second = out.size();
  ASSERT_TRUE(names.append("web01.example.com", out));
  EXPECT_EQ(out.size() - second, 8u);  // "web01" and a pointer
  const std::size_t third = out.size();
  ASSERT_TRUE(names.append("www.example.com", out));
  EXPECT_EQ(out.size() - third, 2u);
  const std::size_t other_case = out.size();
  ASSERT_TRUE(names.append("www.EXAMPLE.com", out));  // a pointer would change its letters
  EXPECT_EQ(decode_dns_name(out, second)->name, "web01.example.com");
  EXPECT_EQ(decode_dns_name(out, third)->name, "www.example.com");
  EXPECT_EQ(decode_dns_name(out, other_case)->name, "www.EXAMPLE.com");
}

TEST(DnsNameWriter, RefusesTextThatIsNoName) {
  for (const std::string& text :
       {std::string(), std::string(".."), std::string("a..b"), std::string(".a"),
        std::string(64, 'a'), std::string("a\\"), std::string("\\25"), std::string("\\256"),
        std::string("\\2x5")}) {
    Bytes out;
    DnsNameWriter names;
    EXPECT_FALSE(names.append(text, out)) << text;
  }
  std::string longest;
  for (int i = 0; i < 3; ++i) longest += std::string(63, 'a') + ".";
  Bytes out;
  EXPECT_TRUE(DnsNameWriter().append(longest + std::string(61, 'a'), out));
  EXPECT_FALSE(DnsNameWriter().append(longest + std::string(62, 'a'), out));
}

TEST(SameDnsName, FoldsAsciiOnly) {
  EXPECT_TRUE(same_dns_name("WwW.eXaMpLe.cOm", "www.example.com"));
  EXPECT_FALSE(same_dns_name("www.example.com", "www.example.co"));
  EXPECT_FALSE(same_dns_name("[", "{"));
}

}  // namespace
}  // namespace kua::wire
