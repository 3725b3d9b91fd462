#include "collector/rejudge/record_line.h"

#include <gtest/gtest.h>

namespace kua::collector {
namespace {

struct Case {
  const char* claim;
  std::string_view line;
  std::string_view record;
  std::string_view verdicts;
};

const Case kCases[] = {
    {"a record alone is itself", R"({"format":"kua/1"})", R"({"format":"kua/1"})", ""},
    {"a line of the log holds one", R"({"record":{"a":"}]\""},"received":{}})", R"({"a":"}]\""})", ""},
    {"spaces are nothing", R"( { "record" : {"a":[1,{}]} , "received":{} } )", R"({"a":[1,{}]})", ""},
    {"the desk adds verdicts", R"({"record":{},"received":{},"verdicts":[{"x":1}]})", "{}", R"([{"x":1}])"},
    {"a batch header holds none", R"({"batch":{"record":{}}})", "", ""},
    {"an empty line holds none", " ", "", ""},
    {"a member of that name inside is no header", R"({"format":"kua/1","batch":1})", R"({"format":"kua/1","batch":1})", ""},
    {"what has no form is for the record reader to refuse", R"({"a":)", "error", ""},
    {"garbage", "garbage", "error", ""},
    {"a line of the log that was cut off", R"({"record":{"a":1},"received":{)", "error", ""},
};

TEST(RecordLine, EveryShapeIsTakenApart) {
  for (const Case& row : kCases) {
    const auto line = read_record_line(row.line);
    if (row.record == "error") {
      EXPECT_FALSE(line.has_value()) << row.claim;
      continue;
    }
    ASSERT_TRUE(line.has_value()) << row.claim;
    EXPECT_EQ(line->record, row.record) << row.claim;
    EXPECT_EQ(line->verdicts, row.verdicts) << row.claim;
  }
}

TEST(RecordLine, AMemberIsFoundByItsNameAtTheOutermostLevelOnly) {
  EXPECT_EQ(member_of(R"({"a":{"id":1},"id":"x,}","n":-1.5e3})", "id"), R"("x,}")");
  EXPECT_EQ(member_of(R"({"a":{"id":1},"n":-1.5e3})", "n"), "-1.5e3");
  EXPECT_EQ(member_of(R"({"a":{"id":1}})", "id"), std::nullopt);
  EXPECT_EQ(member_of(R"(["id",1])", "id"), std::nullopt);
}

}  // namespace
}  // namespace kua::collector
