// The lines of tests/vectors/records and the document that explains them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "protocol/record_codec.h"
#include "protocol/record_peek.h"

namespace kua::protocol {
namespace {

const std::filesystem::path kSource = KUA_SOURCE_DIR;

std::string file_text(const std::filesystem::path& path) {
  std::stringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_FALSE(out.str().empty()) << path;
  return out.str();
}

std::string vector_line(const std::string& name) {
  auto text = file_text(kSource / "tests/vectors/records" / name);
  EXPECT_TRUE(text.ends_with('\n') && text.find('\n') == text.size() - 1) << name;
  text.pop_back();
  return text;
}

Record read(const std::string& line) {
  RecordReader reader;
  auto record = reader.read(line);
  EXPECT_TRUE(record) << record.error().text();
  return record.value_or(Record());
}

// Without the white space between tokens.
std::string compact(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (!in_string && (json[i] == ' ' || json[i] == '\n')) continue;
    out.push_back(json[i]);
    if (in_string && json[i] == '\\') {
      out.push_back(json[++i]);
    } else if (json[i] == '"') {
      in_string = !in_string;
    }
  }
  return out;
}

TEST(RecordVectors, EachLineIsWrittenBackByteForByte) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests/vectors/records")) {
    const auto name = entry.path().filename().string();
    const auto line = vector_line(name);
    EXPECT_EQ(write_record(read(line)), line) << name;
    EXPECT_EQ(peek_record(line).id, header_of(read(line)).id) << name;
    ++files;
  }
  EXPECT_EQ(files, 3u);
}

TEST(RecordVectors, TheDocumentShowsTheVector) {
  const auto text = file_text(kSource / "docs/record-format.md");
  constexpr std::string_view kFence = "```json\n";
  const auto begin = text.find(kFence);
  ASSERT_NE(begin, std::string::npos);
  const auto end = text.find("```", begin + kFence.size());
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(
      compact(std::string_view(text).substr(begin + kFence.size(), end - begin - kFence.size())),
      vector_line("measurement.ndjson"));
}

TEST(RecordVectors, TheWorkedExampleMeansWhatTheDocumentSays) {
  const auto example = std::get<Measurement>(read(vector_line("measurement.ndjson")));
  ASSERT_EQ(example.observations.size(), 8u);
  const auto& lookup = std::get<Lookup>(example.observations[0]);
  ASSERT_TRUE(lookup.reply);
  EXPECT_FALSE(is_globally_routable(lookup.reply->addresses.at(0))) << "a bogon";
  ASSERT_EQ(lookup.late.size(), 1u);
  EXPECT_EQ((lookup.late[0].offset - lookup.reply->offset).count(), 38'805);
  const auto& reset = std::get<TlsHandshake>(example.observations[5]);
  EXPECT_EQ(reset.failure, (Failure{FailureCode::connection_reset, Operation::tls_handshake}));
  EXPECT_EQ(reset.server_name, "news.example");
  const auto& harmless = std::get<TlsHandshake>(example.observations[7]);
  EXPECT_EQ(harmless.role, StepRole::same_address);
  EXPECT_FALSE(harmless.failure);
  EXPECT_EQ(harmless.endpoint, reset.endpoint);
}

TEST(RecordVectors, TheDayHasItsCut) {
  const auto day = std::get<MinuteSummary>(read(vector_line("minute_summary.ndjson")));
  EXPECT_TRUE(day.watched.all());
  EXPECT_TRUE(day.international[10 * 60 + 54]);
  EXPECT_FALSE(day.international[10 * 60 + 55]);
  EXPECT_FALSE(day.international[15 * 60 + 29]);
  EXPECT_TRUE(day.international[15 * 60 + 30]);
  EXPECT_EQ(day.international.count(), kMinutesPerDay - 275);
}

TEST(RecordVectors, ALaterVersionLosesNothingAndIsNotJudgedByHalves) {
  const auto later = std::get<Measurement>(read(vector_line("later_version.ndjson")));
  ASSERT_EQ(later.header.unknown.size(), 2u);
  EXPECT_EQ(later.header.unknown[0].first, "device");
  EXPECT_EQ(std::get<UnknownObservation>(later.observations[1]).kind, "path_trace");
  EXPECT_EQ(std::get<UnknownObservation>(later.observations[2]).kind, "connect");
  EXPECT_EQ(std::get<HttpRoundTrip>(later.observations[3]).unknown.size(), 1u);
}

}  // namespace
}  // namespace kua::protocol
