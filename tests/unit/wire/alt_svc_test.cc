#include "wire/alt_svc.h"

#include <gtest/gtest.h>

namespace kua::wire {
namespace {

struct Case {
  const char* says;
  const char* field;
  std::optional<std::uint16_t> port;
};

TEST(Http3Port, IsThatOfThisHostAlone) {
  const Case kCases[] = {
      {"as most sites say it", R"(h3=":443"; ma=2592000)", 443},
      {"behind drafts and other protocols", R"(h3-29=":443"; ma=60, h2=":443" , h3=":8443";persist=1)", 8443},
      {"another host's is none of ours", R"(h3="alt.example:443")", std::nullopt},
      {"… and does not hide this host's", R"(h3="alt.example:443",h3=":444")", 444},
      {"a comma inside quotes separates nothing", R"(h2="a,h3=\":1", h3=":443")", 443},
      {"drafts alone are no HTTP/3", R"(h3-29=":443")", std::nullopt},
      {"clear", "clear", std::nullopt},
      {"nothing", "", std::nullopt},
      {"commas alone", " , ,", std::nullopt},
      {"port 0", R"(h3=":0")", std::nullopt},
      {"a port beyond 65535", R"(h3=":65536")", std::nullopt},
      {"no digits", R"(h3=":")", std::nullopt},
      {"digits and more", R"(h3=":443x")", std::nullopt},
      {"a quote that never ends", R"(h3=":443)", std::nullopt},
      {"a backslash at the end", R"(h2="\)", std::nullopt},
  };
  for (const Case& c : kCases) EXPECT_EQ(http3_port(c.field), c.port) << c.says;
}

}  // namespace
}  // namespace kua::wire
