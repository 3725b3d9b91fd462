#include "wire/quic_packet.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"
#include "wire/limits.h"

namespace kua::wire {
namespace {

Bytes ping() {
  Bytes out(kQuicFirstDatagramBytes);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i);
  make_version_ping(out);
  return out;
}

TEST(MakeVersionPing, IsALongHeaderOfAReservedVersion) {
  const Bytes bytes = ping();
  EXPECT_EQ(bytes[0] & 0xc0, 0xc0);
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(bytes[i] & 0x0f, 0x0a) << i;
  EXPECT_EQ(bytes[5], 8);
  EXPECT_EQ(bytes[6], 6) << "the ids stay what was drawn";
  EXPECT_EQ(bytes[14], 8);
  EXPECT_EQ(bytes[15], 15);
}

// A ping's ids are 06…0d and 0f…16.
constexpr char kBegin[] = "ca 00000000 08 0f10111213141516 08 060708090a0b0c0d ";

struct Case {
  const char* says;
  std::string hex;
  std::optional<std::vector<std::uint32_t>> versions;
};

TEST(ReadVersionNegotiation, TakesOnlyTheAnswerToThisPing) {
  const std::string begin(kBegin);
  const Case kCases[] = {
      {"versions 1 and 2", begin + "00000001 6b3343cf", {{1, 0x6b3343cf}}},
      {"bytes that make no whole version are left", begin + "00000001 0000", {{1}}},
      {"an answer without a version offers nothing", begin, std::nullopt},
      {"a packet of version 1 is no negotiation", "ca 00000001" + begin.substr(11) + "00000001", std::nullopt},
      {"a short header", "4a" + begin.substr(2) + "00000001", std::nullopt},
      {"ids that are not exchanged",
       "ca 00000000 08 060708090a0b0c0d 08 0f10111213141516 00000001", std::nullopt},
      {"another ping's source id",
       "ca 00000000 08 0f10111213141517 08 060708090a0b0c0d 00000001", std::nullopt},
      {"another ping's destination id",
       "ca 00000000 08 0f10111213141516 08 060708090a0b0c0e 00000001", std::nullopt},
      {"an id that reaches past the end", "ca 00000000 08 0f10111213141516 ff 06", std::nullopt},
      {"nothing", "", std::nullopt},
  };
  const Bytes asked = ping();
  for (const Case& c : kCases) {
    EXPECT_EQ(read_version_negotiation(from_hex(c.hex), asked), c.versions) << c.says;
  }
}

TEST(ReadVersionNegotiation, KeepsACap) {
  Bytes bytes = from_hex(kBegin);
  for (std::size_t i = 0; i < 2 * kQuicVersionsMax; ++i) put_u32(bytes, 1);
  EXPECT_EQ(read_version_negotiation(bytes, ping())->size(), kQuicVersionsMax);
}

}  // namespace
}  // namespace kua::wire
