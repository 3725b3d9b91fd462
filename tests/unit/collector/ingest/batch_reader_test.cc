#include "collector/ingest/batch_reader.h"

#include <gtest/gtest.h>

#include "collector/limits.h"
#include "tests/unit/collector/store/sample_records.h"

namespace kua::collector {
namespace {

using protocol::Rejection;

std::string line_of(const Measurement& measurement) { return protocol::write_record(measurement); }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(BatchReader, EveryLineIsTakenOrRefusedWithItsReason) {
  Measurement foreign = sample_measurement(2);
  foreign.header.probe = sample_probe(99);
  Measurement id_from_future = sample_measurement(3);
  id_from_future.header.id = sample_measurement(3, kNoon + limits::kRecordFutureMax + std::chrono::hours(1)).header.id;
  struct Case {
    const char* claim;
    std::string line;
    std::optional<Rejection> refused;
  };
  const Case cases[] = {
      {"a record of the signer's own", line_of(sample_measurement(1)), std::nullopt},
      {"a record of another probe", line_of(foreign), Rejection::wrong_probe},
      {"a record as old as the window", line_of(sample_measurement(4, kNoon - limits::kRecordAgeMax)), std::nullopt},
      {"a record older than the window",
       line_of(sample_measurement(5, kNoon - limits::kRecordAgeMax - std::chrono::seconds(1))), Rejection::too_old},
      {"a clock some hours ahead", line_of(sample_measurement(6, kNoon + std::chrono::hours(6))), std::nullopt},
      {"no clock at all", line_of(sample_measurement(7, kNoon + limits::kRecordFutureMax + std::chrono::seconds(1))),
       Rejection::from_future},
      {"an id born in the future", line_of(id_from_future), Rejection::from_future},
      {"another format", replaced(line_of(sample_measurement(8)), "kua/1", "kua/9"), Rejection::unknown_format},
      {"a member missing", replaced(line_of(sample_measurement(9)), "\"runtime_us\"", "\"runtime\""),
       Rejection::malformed},
      {"cut in half, but with its id", line_of(sample_measurement(10)).substr(0, 200), Rejection::malformed},
      {"something behind the record", line_of(sample_measurement(11)) + "{}", Rejection::malformed},
      {"larger than a record may be",
       replaced(line_of(sample_measurement(12)), "https://www.example.com/\"",
                "https://www.example.com/" + std::string(protocol::kRecordBytesMax, 'a') + "\""),
       Rejection::too_large},
  };
  for (const Case& c : cases) {
    BatchReader reader;
    const std::string lines = c.line + "\n";
    const ReadBatch batch = reader.read(lines, sample_probe(1), kNoon);
    EXPECT_EQ(batch.unreadable, 0u) << c.claim;
    if (c.refused) {
      EXPECT_TRUE(batch.items.empty()) << c.claim;
      ASSERT_EQ(batch.rejected.size(), 1u) << c.claim;
      EXPECT_EQ(batch.rejected[0].reason, *c.refused) << c.claim;
    } else {
      ASSERT_EQ(batch.items.size(), 1u) << c.claim;
      EXPECT_EQ(batch.items[0].line, c.line) << c.claim;
    }
  }
}

TEST(BatchReader, WhatHasNoReadableIdIsOnlyCounted) {
  BatchReader reader;
  const std::string lines = "\n\nnoise\n{\"id\":\"not one\"}\n\xff\xfe\n" + line_of(sample_measurement(1)) + "\n{\"id\":";
  const ReadBatch batch = reader.read(lines, sample_probe(1), kNoon);
  EXPECT_EQ(batch.items.size(), 1u);
  EXPECT_EQ(batch.unreadable, 4u);
  EXPECT_TRUE(batch.rejected.empty());
}

TEST(BatchReader, LinesBeyondTheLimitAreLeftForNextTime) {
  std::string lines;
  for (std::size_t i = 0; i < limits::kBatchRecordsMax + 10; ++i) lines += "noise\n";
  BatchReader reader;
  EXPECT_EQ(reader.read(lines, sample_probe(1), kNoon).unreadable, limits::kBatchRecordsMax);
}

}  // namespace
}  // namespace kua::collector
