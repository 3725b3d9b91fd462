#include "collector/store/log_check.h"

#include <gtest/gtest.h>

#include <fstream>

#include "collector/store/batch_line.h"
#include "collector/store/day_log.h"
#include "platform/compress/compress.h"
#include "protocol/api.h"
#include "protocol/record_codec.h"
#include "tests/unit/collector/store/recording_files.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

class LogCheckTest : public ::testing::Test {
 protected:
  std::string records_of(const ProbeId& probe) {
    std::string lines;
    for (const unsigned number : {1u, 2u}) {
      Measurement measurement = sample_measurement(number);
      measurement.header.probe = probe;
      protocol::append_record(measurement, lines);
    }
    return platform::zstd_compress(lines);
  }
  // Two batches' frames: `records` under a line with this key's signature of `signed_bytes`.
  std::string batch(const std::string& records, const std::string& signed_bytes) {
    BatchLine line;
    line.reception.time = kNoon;
    line.seal = Seal{key_.public_key(), key_.sign(protocol::request_signing_input("POST", protocol::kRecordsPath, signed_bytes))};
    std::string about;
    append_batch_line(line, about);
    return DayLog::to_frames(about, records);
  }
  LogCheck check(const std::string& bytes) {
    const std::string path = directory_.path() + "/any-name";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    const auto checked = check_log(files_, path, [](std::uint64_t done, std::uint64_t all) { EXPECT_LE(done, all); });
    EXPECT_TRUE(checked.has_value());
    return checked.value_or(LogCheck{});
  }

  platform::SigningKey key_ = platform::SigningKey::generate();
  ProbeId probe_ = platform::probe_id_of(key_.public_key());
  TemporaryDirectory directory_;
  RecordingFiles files_;
};

TEST_F(LogCheckTest, WhatWasSignedAndNotChangedIsClean) {
  const std::string records = records_of(probe_);
  const LogCheck checked = check(batch(records, records) + batch(records, records));
  EXPECT_EQ(checked.signed_batches, 2u);
  EXPECT_EQ(checked.records, 4u);
  EXPECT_TRUE(checked.is_clean());
}

TEST_F(LogCheckTest, WhatWasPutInsteadIsForged) {
  const std::string records = records_of(probe_);
  std::string lines = *platform::zstd_decompress(records, 1 << 20);
  lines.replace(lines.find("online"), 6, "captiv");
  const LogCheck changed = check(batch(platform::zstd_compress(lines), records));
  EXPECT_EQ(changed.forged_batches, 1u);
  EXPECT_FALSE(changed.is_clean());

  const std::string others = records_of(sample_probe(1));
  EXPECT_EQ(check(batch(others, others)).forged_batches, 1u) << "signed, but not by the probe that the records name";
}

TEST_F(LogCheckTest, UnsignedBatchesAndDamageAreTold) {
  const std::string records = records_of(probe_);
  std::string about;
  BatchLine line;
  line.reception.time = kNoon;
  append_batch_line(line, about);
  const LogCheck unsigned_one = check(DayLog::to_frames(about, records));
  EXPECT_EQ(unsigned_one.unsigned_batches, 1u);
  EXPECT_TRUE(unsigned_one.is_clean()) << "nothing contradicts it";

  const LogCheck damaged = check(batch(records, records) + "damage" + batch(records, records));
  EXPECT_EQ(damaged.damaged_bytes, 6u);
  EXPECT_EQ(damaged.signed_batches, 2u);
  EXPECT_FALSE(damaged.is_clean());

  const std::string odd = platform::zstd_compress(*platform::zstd_decompress(records, 1 << 20) + "no record\n");
  const LogCheck unreadable = check(batch(odd, odd));
  EXPECT_EQ(unreadable.unreadable_lines, 1u);
  EXPECT_FALSE(unreadable.is_clean());
}

TEST_F(LogCheckTest, NoFileIsAnError) {
  EXPECT_FALSE(check_log(files_, directory_.path() + "/none", [](std::uint64_t, std::uint64_t) {}).has_value());
}

}  // namespace
}  // namespace kua::collector
