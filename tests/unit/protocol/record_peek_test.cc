#include "protocol/record_peek.h"

#include <gtest/gtest.h>

#include "protocol/record_codec.h"
#include "tests/unit/protocol/sample_records.h"

namespace kua::protocol {
namespace {

TEST(PeekRecord, SeesWhatTheReaderSees) {
  const auto measurement = test::full_measurement();
  const auto line = write_record(measurement);
  const auto peek = peek_record(line);
  EXPECT_EQ(peek.format, kRecordFormat);
  EXPECT_EQ(peek.kind, "measurement");
  EXPECT_EQ(peek.id, measurement.header.id);
  EXPECT_EQ(peek.probe, measurement.header.probe);
  EXPECT_EQ(peek.time, measurement.header.time);
}

TEST(PeekRecord, FindsTheIdOfALineThatIsBrokenFurtherOn) {
  const auto line = write_record(test::full_measurement());
  const auto id = test::full_measurement().header.id;
  EXPECT_EQ(peek_record(line.substr(0, line.size() / 2)).id, id);
  const auto end = line.find(R"(,"probe")");  // behind the closing quote of the id
  EXPECT_EQ(peek_record(line.substr(0, end)).id, id);
  EXPECT_EQ(peek_record(line.substr(0, end - 1)).id, std::nullopt);
}

TEST(PeekRecord, LooksOnlyAtTheOutermostMembers) {
  const auto id = test::full_measurement().header.id;
  const auto line = R"({"x":{"id":"no","y":["}",{"id":1}]},"s":"\"}","z" : -1.5e3 , "id" : ")" +
                    id.text() + "\"}";
  EXPECT_EQ(peek_record(line).id, id);
  EXPECT_EQ(peek_record(R"({"x":{"id":")" + id.text() + "\"}}").id, std::nullopt);
}

TEST(PeekRecord, TheFirstOfTwoCounts) {
  const auto id = test::full_measurement().header.id;
  const std::string other = "017e2a3b-4c5d-7e6f-8a9b-ffffffffffff";
  EXPECT_EQ(peek_record(R"({"id":")" + id.text() + R"(","id":")" + other + "\"}").id, id);
}

TEST(PeekRecord, SeesNothingInNonsense) {
  for (const char* line :
       {"", "{", "}", "[1]", "{\"id\"", "{\"id\":", "{\"id\":\"", "{\"id\":\"\\", "{]]]]",
        "{\"a\":}}}}", "{\"id\":\"not an id\"}", "\xff\xff", "{\"i\\u0064\":\"x\"}", "null"}) {
    const auto peek = peek_record(line);
    EXPECT_FALSE(peek.id) << line;
    EXPECT_FALSE(peek.probe) << line;
  }
}

}  // namespace
}  // namespace kua::protocol
