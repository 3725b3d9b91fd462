#include "probe/uplink/socks5.h"

#include <gtest/gtest.h>

namespace kua::probe {
namespace {

using namespace std::string_literals;

TEST(Socks5, ANameGoesOutAsAName) {
  EXPECT_EQ(socks_connect_request("c.example", 443), "\x05\x01\x00\x03\x09"s + "c.example" + "\x01\xbb"s);
}

TEST(Socks5, AnAddressGoesOutAsAnAddress) {
  EXPECT_EQ(socks_connect_request("203.0.113.5", 179), "\x05\x01\x00\x01\xcb\x00\x71\x05\x00\xb3"s);
  EXPECT_EQ(socks_connect_request("2001:db8::1", 443).size(), 4u + 16 + 2);
}

TEST(Socks5, TheReplyTellsItsOwnLength) {
  EXPECT_EQ(socks_reply_rest("\x05\x00\x00\x01\x7f"s), 5u);
  EXPECT_EQ(socks_reply_rest("\x05\x00\x00\x04\x00"s), 17u);
  EXPECT_EQ(socks_reply_rest("\x05\x00\x00\x03\x0a"s), 12u);
}

TEST(Socks5, ARefusalSaysWhy) {
  EXPECT_EQ(socks_reply_rest("\x05\x05\x00\x01\x00"s).error().message, "connection refused");
  EXPECT_EQ(socks_reply_rest("\x05\xff\x00\x01\x00"s).error().message, "unknown reply");
  EXPECT_FALSE(socks_reply_rest("\x05\x00\x00\x07\x00"s));
  EXPECT_FALSE(socks_reply_rest("HTTP/"s));
  EXPECT_FALSE(check_socks_greeting("\x05\xff"s));
  EXPECT_FALSE(check_socks_greeting("\x04\x00"s));
  EXPECT_TRUE(check_socks_greeting("\x05\x00"s));
}

}  // namespace
}  // namespace kua::probe
