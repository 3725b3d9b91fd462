#include "tests/lab/forwarder/quic_initial.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace kua::lab {
namespace {

wire::Bytes read_hex(const std::string& name) {
  std::ifstream file(std::string(KUA_SOURCE_DIR) + "/tests/vectors/lab/" + name);
  std::string digits;
  for (char c = 0; file.get(c);) {
    if (c != '\n') digits.push_back(c);
  }
  wire::Bytes out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

TEST(QuicInitial, OpensTheSampleOfRfc9001) {
  const wire::Bytes datagram = read_hex("quic_client_initial.hex");
  ASSERT_EQ(datagram.size(), 1200u);
  std::map<std::uint64_t, wire::Bytes> crypto;
  EXPECT_EQ(quic_server_name(datagram, crypto), "example.com");
}

TEST(QuicInitial, BytesThatWereChangedOpenNothing) {
  wire::Bytes datagram = read_hex("quic_client_initial.hex");
  datagram[600] ^= 1;
  std::map<std::uint64_t, wire::Bytes> crypto;
  EXPECT_EQ(quic_server_name(datagram, crypto), std::nullopt);
}

TEST(QuicInitial, EveryTruncationIsSurvived) {
  const wire::Bytes datagram = read_hex("quic_client_initial.hex");
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    std::map<std::uint64_t, wire::Bytes> crypto;
    EXPECT_EQ(quic_server_name(wire::BytesView(datagram).first(size), crypto), std::nullopt) << size;
  }
}

}  // namespace
}  // namespace kua::lab
