#include "collector/http/url_text.h"

#include <gtest/gtest.h>

namespace kua::collector {
namespace {

using Query = std::map<std::string, std::string>;

struct QueryCase {
  const char* says;
  const char* text;
  std::optional<Query> query;
};

TEST(ReadQuery, DecodesOnceOrRefuses) {
  const QueryCase kCases[] = {
      {"nothing", "", Query{}},
      {"two keys", "x=1&y=two", Query{{"x", "1"}, {"y", "two"}}},
      {"escapes are decoded once", "%78=%2526", Query{{"x", "%26"}}},
      {"an escaped ampersand ends nothing", "x=a%26y=b", Query{{"x", "a&y=b"}}},
      {"a plus is a space", "x=c+d%2B", Query{{"x", "c d+"}}},
      {"a key without a value, and nothing between two ampersands", "x&&y=", Query{{"x", ""}, {"y", ""}}},
      {"a repeated key keeps its last value", "x=1&x=2", Query{{"x", "2"}}},
      {"an equals sign in a value", "x=a=b", Query{{"x", "a=b"}}},
      {"half an escape", "x=%4", std::nullopt},
      {"an escape that is not hexadecimal", "x=%zz", std::nullopt},
      {"an escaped NUL", "x=%00", std::nullopt},
  };
  for (const auto& c : kCases) EXPECT_EQ(read_query(c.text), c.query) << c.says;
}

TEST(ReadQuery, HoldsItsLimitOfKeys) {
  std::string text;
  for (std::size_t i = 0; i < kQueryKeysMax; ++i) text += "k" + std::to_string(i) + "=&";
  EXPECT_TRUE(read_query(text));
  EXPECT_FALSE(read_query(text + "one_more="));
}

TEST(PercentDecoded, LeavesAPlusOfAPathAlone) {
  EXPECT_EQ(percent_decoded("/a+b%20c", PlusSign::itself), "/a+b c");
  EXPECT_EQ(percent_decoded("/a+b%20c", PlusSign::space), "/a b c");
  EXPECT_EQ(percent_decoded("%41", PlusSign::itself), "A");
  EXPECT_EQ(percent_decoded("%4", PlusSign::itself), std::nullopt);
}

}  // namespace
}  // namespace kua::collector
