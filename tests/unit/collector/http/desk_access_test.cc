#include "collector/http/desk_access.h"

#include <gtest/gtest.h>

#include <cctype>

#include "platform/crypto/crypto.h"

namespace kua::collector {
namespace {

HttpRequest request(const char* peer, const char* host, const char* authorization) {
  HttpRequest out;
  out.peer = *IpAddress::parse(peer);
  out.headers["host"] = host;
  if (*authorization != '\0') out.headers["authorization"] = authorization;
  return out;
}

DeskAccess access() {
  const std::string text = "# a comment\nreader " + platform::to_hex(platform::sha256("read-me")) + "\nreviewer " +
                           platform::to_hex(platform::sha256("sign-me")) + "\n";
  return *DeskAccess::parse(text, "desk-tokens");
}

TEST(DeskAccess, WhoMayDoWhat) {
  struct Case {
    const char* claim;
    HttpRequest request;
    std::optional<DeskRole> role;
  };
  const Case cases[] = {
      {"from this machine", request("127.0.0.1", "127.0.0.1:9780", ""), DeskRole::reviewer},
      {"from this machine, by its name", request("127.0.0.1", "localhost:9780", ""), DeskRole::reviewer},
      {"from this machine over IPv6", request("::1", "[::1]:9780", ""), DeskRole::reviewer},
      {"a page that let its own name resolve to us", request("127.0.0.1", "evil.example:9780", ""), std::nullopt},
      {"from elsewhere", request("192.0.2.1", "192.0.2.2:9780", ""), std::nullopt},
      {"from elsewhere with a token", request("192.0.2.1", "desk.example", "Bearer read-me"), DeskRole::reader},
      {"the token decides the role", request("192.0.2.1", "desk.example", "Bearer sign-me"), DeskRole::reviewer},
      {"a wrong token", request("192.0.2.1", "desk.example", "Bearer guess"), std::nullopt},
      {"a wrong token from this machine", request("127.0.0.1", "127.0.0.1", "Bearer guess"), std::nullopt},
      {"another scheme", request("192.0.2.1", "desk.example", "Basic read-me"), std::nullopt},
      {"the hash is not the token",
       request("192.0.2.1", "d", ("Bearer " + platform::to_hex(platform::sha256("read-me"))).c_str()), std::nullopt},
  };
  const DeskAccess desk = access();
  for (const Case& c : cases) EXPECT_EQ(desk.role_of(c.request), c.role) << c.claim;
}

TEST(DeskAccess, TheGateAnswersThoseItKeepsOut) {
  const HttpGate gate = access().gate(DeskRole::analyst);
  EXPECT_FALSE(gate(request("127.0.0.1", "localhost", "")).has_value());
  EXPECT_FALSE(gate(request("192.0.2.1", "d", "Bearer sign-me")).has_value());
  EXPECT_EQ(gate(request("192.0.2.1", "d", "Bearer read-me"))->status, 403u);
  EXPECT_EQ(gate(request("192.0.2.1", "d", ""))->status, 401u);
}

TEST(DeskAccess, AHashInCapitalsIsTheSameHash) {
  std::string hash = platform::to_hex(platform::sha256("read-me"));
  for (char& c : hash) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto desk = DeskAccess::parse("reader " + hash + "\n", "desk-tokens");
  ASSERT_TRUE(desk.has_value());
  EXPECT_EQ(desk->role_of(request("192.0.2.1", "d", "Bearer read-me")), DeskRole::reader);
}

TEST(DeskAccess, ABadLineIsNamed) {
  const auto bad = DeskAccess::parse("reader abc\n", "desk-tokens");
  ASSERT_FALSE(bad.has_value());
  EXPECT_NE(bad.error().text().find("desk-tokens:1"), std::string::npos);
  EXPECT_FALSE(DeskAccess::parse("owner " + std::string(64, '0') + "\n", "desk-tokens").has_value());
}

}  // namespace
}  // namespace kua::collector
