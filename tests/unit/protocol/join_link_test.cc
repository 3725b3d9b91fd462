#include "protocol/join_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kua::protocol {
namespace {

using ::testing::HasSubstr;

JoinLink full_link() {
  JoinLink link;
  link.operator_name = "Куә — Almaty & friends";
  link.endpoints = {{"203.0.113.7", 443, "", ""},
                    {"collector.example.org", 8443, "cdn.example.net", ""},
                    {"2001:db8::7", 5060, "", "127.0.0.1:9050"}};
  link.pins = {std::string(43, 'A'), "__________________________________________8"};
  link.list_keys = {platform::PublicKey{1}, platform::PublicKey{2}};
  link.minimum_list_sha256 = std::string(64, 'e');
  link.invitation = "a b/c";
  return link;
}

std::string fault(const std::string& text) {
  const auto link = read_join_link(text);
  return link ? "accepted" : link.error().message;
}

std::string without(std::string text, const std::string& parameter) {
  const auto at = text.find(parameter);
  EXPECT_NE(at, std::string::npos) << parameter;
  return text.erase(at, text.find('&', at + 1) - at);
}

TEST(JoinLink, ComesBack) {
  const auto text = write_join_link(full_link());
  const auto back = read_join_link(text);
  ASSERT_TRUE(back) << back.error().text() << "\n" << text;
  EXPECT_EQ(*back, full_link());
  EXPECT_TRUE(text.starts_with("kua://203.0.113.7:443/join?n=")) << text;
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; })) << text;
}

TEST(JoinLink, AUsualOneFitsAQrCodeThatAPhoneReads) {
  auto link = full_link();
  link.endpoints.resize(1);
  link.pins.resize(1);
  link.list_keys.resize(1);
  link.operator_name = "Example";
  EXPECT_LE(write_join_link(link).size(), 300u);
}

TEST(JoinLink, SpaceAroundItAndNewPartsDoNotMatter) {
  EXPECT_EQ(read_join_link("\n " + write_join_link(full_link()) + "&zz=1&y \r\n").value(),
            full_link());
}

TEST(JoinLink, EveryPartIsNeededButTheInvitation) {
  const auto text = write_join_link([] {
    auto link = full_link();
    link.endpoints.resize(1);
    link.pins.resize(1);
    link.list_keys.resize(1);
    return link;
  }());
  EXPECT_THAT(fault(without(text, "&e=")), HasSubstr("'e='"));
  EXPECT_THAT(fault(without(text, "&p=")), HasSubstr("'p='"));
  EXPECT_THAT(fault(without(text, "&k=")), HasSubstr("'k='"));
  EXPECT_THAT(fault(without(text, "&m=")), HasSubstr("'m='"));
  EXPECT_EQ(fault(without(text, "&i=")), "accepted");
}

TEST(JoinLink, TheFrontCannotLie) {
  auto text = write_join_link(full_link());
  text.replace(text.find("203.0.113.7"), 11, "203.0.113.8");
  EXPECT_THAT(fault(text), HasSubstr("at the front"));
}

TEST(JoinLink, DamageIsNamed) {
  const auto text = write_join_link(full_link());
  EXPECT_THAT(fault("https://example.org/"), HasSubstr("kua://"));
  EXPECT_THAT(fault("kua://203.0.113.7:443/"), HasSubstr("/join?"));
  EXPECT_THAT(fault(text + "&p=AAAA"), HasSubstr("'p='"));
  EXPECT_THAT(fault(text + "&k=" + std::string(44, 'A')), HasSubstr("'k='"));
  EXPECT_THAT(fault(text + "&n=again"), HasSubstr("'n='"));
  EXPECT_THAT(fault(text + "&i=again"), HasSubstr("'i='"));
  EXPECT_THAT(fault(text + "&m=00"), HasSubstr("'m='"));
  EXPECT_THAT(fault(text + "&e=%zz"), HasSubstr("'e='"));
  for (const char* endpoint : {"x", "x:0", "x:65536", "x:1x", ":443", "a b:1", "[::1:443",
                               "::1]:443", "x:1,UP", "x:1,,socks"}) {
    EXPECT_THAT(fault(text + "&e=" + endpoint), HasSubstr("'e='")) << endpoint;
  }
  EXPECT_EQ(read_join_link(text + std::string(5'000, 'x')).error().kind, ErrorKind::limit);
}

TEST(JoinLink, ANameCannotSteerATerminal) {
  auto link = full_link();
  link.operator_name = "x\x1b[2J";
  EXPECT_THAT(fault(write_join_link(link)), HasSubstr("'n='"));
  link.operator_name = "x\xff";
  EXPECT_THAT(fault(write_join_link(link)), HasSubstr("'n='"));
}

TEST(JoinLink, EveryTruncationIsRefusedOrReadWhole) {
  const auto text = write_join_link(full_link());
  for (std::size_t size = 0; size < text.find("&m="); ++size)
    EXPECT_FALSE(read_join_link(text.substr(0, size))) << size;
}

}  // namespace
}  // namespace kua::protocol
