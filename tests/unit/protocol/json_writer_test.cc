#include "protocol/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace kua::protocol {
namespace {

std::string text(std::string_view value) {
  std::string out;
  JsonWriter(out).text(value);
  return out;
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.object("empty");
  json.end_object();
  json.array("list");
  json.number(1);
  json.begin_array();
  json.end_array();
  json.text("x");
  json.flag(true);
  json.end_array();
  json.number("big", std::numeric_limits<std::uint64_t>::max());
  json.number("small", std::numeric_limits<std::int64_t>::min());
  json.real("real", 0.1);
  json.real("none", std::numeric_limits<double>::quiet_NaN());
  json.base64("bytes", "\xff");
  json.raw("raw", "[1,2]");
  json.end_object();
  EXPECT_EQ(
      out,
      R"({"empty":{},"list":[1,[],"x",true],"big":18446744073709551615,"small":-9223372036854775808,)"
      R"("real":0.1,"none":null,"bytes":"/w==","raw":[1,2]})");
}

TEST(JsonWriter, EscapesWhatMustBe) {
  EXPECT_EQ(text("a\"b\\c\n\r\t\x01\x1f\x7f/"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f/\"");
  EXPECT_EQ(text(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(text("Қазақ 🇰🇿"), "\"Қазақ 🇰🇿\"");
}

TEST(JsonWriter, ReplacesWhatIsNotUtf8) {
  const std::string bad = "\xef\xbf\xbd";
  struct Row {
    const char* claim;
    std::string given;
    std::string written;
  };
  const Row rows[] = {
      {"a lone continuation byte", "\x80", bad},
      {"an overlong slash", "\xc0\xaf", bad + bad},
      {"a sequence cut by an ASCII byte", "\xe2\x82x", bad + "x"},
      {"a sequence cut by the end", "\xf0\x9f\x98", bad},
      {"a surrogate", "\xed\xa0\x80", bad + bad + bad},
      {"beyond U+10FFFF", "\xf4\x90\x80\x80", bad + bad + bad + bad},
      {"the last code point is one", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
      {"bytes that never occur", "\xfe\xff", bad + bad},
      {"a good one after a bad one", "\xe2\xc3\xa4", bad + "\xc3\xa4"},
  };
  for (const auto& row : rows) EXPECT_EQ(text(row.given), "\"" + row.written + "\"") << row.claim;
}

}  // namespace
}  // namespace kua::protocol
