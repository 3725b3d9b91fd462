#include "collector/store/day_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "platform/compress/compress.h"
#include "tests/unit/collector/store/recording_files.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

constexpr sys_days kDay = sys_days(2026y / 11 / 24);
using Ends = std::map<sys_days, std::uint64_t>;

class DayLogTest : public ::testing::Test {
 protected:
  DayLog open(const Ends& known = {}) {
    auto log = DayLog::open(files_, directory_.path(), known);
    EXPECT_TRUE(log.has_value());
    return std::move(*log);
  }
  std::string path(sys_days day = kDay) const { return directory_.path() + "/" + DayLog::file_name(day); }
  std::string bytes(sys_days day = kDay) { return *files_.read(path(day), 0, 1 << 20); }
  void overwrite(const std::string& text, sys_days day = kDay) {
    std::ofstream(path(day), std::ios::binary | std::ios::trunc) << text;
  }
  static std::string batch(const std::string& records) {
    return DayLog::to_frames(kLine, platform::zstd_compress(records));
  }
  static Expected<BatchPosition> append(DayLog& log, const std::string& records, sys_days day = kDay) {
    return log.append(day, batch(records));
  }
  // The records of all batches of the day, in order.
  std::vector<std::string> batches(const DayLog& log, sys_days day = kDay) {
    std::vector<std::string> out;
    DayScan scan = log.scan(day, 0);
    while (true) {
      const auto found = scan.next();
      EXPECT_TRUE(found.has_value());
      if (!found || !*found) return out;
      EXPECT_TRUE((*found)->text.starts_with(kLine));
      out.push_back((*found)->text.substr(kLine.size()));
      EXPECT_EQ(*log.read((*found)->position), (*found)->text);
    }
  }
  static constexpr std::string_view kLine = "{\"batch\":{}}\n";

  TemporaryDirectory directory_;
  RecordingFiles files_;
};

TEST_F(DayLogTest, BatchesComeBackInOrderAndTheWholeFileIsOneZstdStream) {
  DayLog log = open();
  ASSERT_TRUE(append(log, "one\n").has_value());
  const auto second = append(log, "two\n");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(*log.read(*second), std::string(kLine) + "two\n");
  EXPECT_EQ(*platform::zstd_decompress(bytes(), 1000), std::string(kLine) + "one\n" + std::string(kLine) + "two\n");
  EXPECT_EQ(log.bytes(), bytes().size());
}

TEST_F(DayLogTest, ABatchIsSyncedBeforeAppendReturns) {
  DayLog log = open();
  files_.forget();
  ASSERT_TRUE(append(log, "one\n").has_value());
  EXPECT_EQ(files_.journal(), (std::vector<std::string>{"append", "sync"}));
}

TEST_F(DayLogTest, ATornEndIsCutOffAndKeptAside) {
  std::string whole;
  {
    DayLog log = open();
    ASSERT_TRUE(append(log, "one\n").has_value());
    whole = bytes();
    ASSERT_TRUE(append(log, "two, which was being written when the power went\n").has_value());
  }
  const std::string full = bytes();
  for (std::size_t length = whole.size() + 1; length < full.size(); ++length) {
    overwrite(full.substr(0, length));
    const DayLog log = open();
    EXPECT_EQ(log.recovery().torn_bytes, length - whole.size());
    EXPECT_EQ(bytes(), whole);
    const std::string aside = path() + ".torn-" + std::to_string(whole.size());
    EXPECT_EQ(*files_.read(aside, 0, 1000), full.substr(whole.size(), length - whole.size()));
    ASSERT_TRUE(files_.remove(aside).has_value());
  }
}

TEST_F(DayLogTest, ATornEndOnAFullDiskIsCutWithoutACopy) {
  {
    DayLog log = open();
    ASSERT_TRUE(append(log, "one\n").has_value());
  }
  const std::string whole = bytes();
  const std::string aside = path() + ".torn-" + std::to_string(whole.size());
  overwrite(whole + "half of two");
  files_.room = [](std::size_t bytes) { return bytes / 2; };
  const DayLog log = open();
  EXPECT_EQ(bytes(), whole);
  EXPECT_EQ(log.recovery().torn_bytes, 11u);
  EXPECT_EQ(log.recovery().torn_bytes_lost, 11u);
  EXPECT_FALSE(files_.size(aside).has_value()) << "a part of it is no copy";
  EXPECT_EQ(batches(log), std::vector<std::string>{"one\n"});
}

TEST_F(DayLogTest, ACopyThatAnEarlierStartBeganIsBegunAnew) {
  {
    DayLog log = open();
    ASSERT_TRUE(append(log, "one\n").has_value());
  }
  const std::string whole = bytes();
  const std::string aside = path() + ".torn-" + std::to_string(whole.size());
  overwrite(whole + "half of two");
  std::ofstream(aside) << "half";
  EXPECT_EQ(open().recovery().torn_bytes_lost, 0u);
  EXPECT_EQ(*files_.read(aside, 0, 1000), "half of two");
}

TEST_F(DayLogTest, AnEndOfZerosIsTornToo) {
  {
    DayLog log = open();
    ASSERT_TRUE(append(log, "one\n").has_value());
  }
  const std::string whole = bytes();
  overwrite(whole + std::string(4096, '\0'));  // what a power cut leaves of a file that was extended
  DayLog log = open(Ends{{kDay, whole.size()}});
  EXPECT_EQ(log.recovery().torn_bytes, 4096u);
  ASSERT_TRUE(append(log, "two\n").has_value());
  EXPECT_EQ(batches(log), (std::vector<std::string>{"one\n", "two\n"}));
}

TEST_F(DayLogTest, DamageInTheMiddleCostsItsBatchOnly) {
  {
    DayLog log = open();
    for (const char* lines : {"one\n", "two\n", "three\n"}) ASSERT_TRUE(append(log, lines).has_value());
  }
  const std::string full = bytes();
  const std::size_t first = batch("one\n").size();
  for (std::size_t at = first; at < first + batch("two\n").size(); ++at) {
    std::string damaged = full;
    damaged[at] ^= 0x55;
    overwrite(damaged);
    const DayLog log = open();
    EXPECT_EQ(batches(log), (std::vector<std::string>{"one\n", "three\n"})) << at;
    EXPECT_EQ(log.recovery().torn_bytes, 0u);
    EXPECT_EQ(bytes(), damaged) << "nothing but an end is ever cut";
  }
}

// More than is read at a time, with damage in it: nothing behind is missed.
TEST_F(DayLogTest, ALongDayIsReadInPieces) {
  std::vector<std::string> expected;
  {
    DayLog log = open();
    std::minstd_rand random(1);
    for (int i = 0; i < 40; ++i) {
      std::string noise(i % 10 == 9 ? 1'500'000 : 60'000, '\0');
      std::ranges::generate(noise, [&] { return static_cast<char>(random()); });
      expected.push_back(std::to_string(i) + noise);
      ASSERT_TRUE(append(log, expected.back()).has_value());
    }
  }
  std::string damaged = *files_.read(path(), 0, 64 << 20);
  ASSERT_GT(damaged.size(), 3u << 20);
  const std::size_t where = batch(expected[0]).size() + batch(expected[1]).size() / 2;
  damaged[where] ^= 0x55;
  overwrite(damaged);
  expected.erase(expected.begin() + 1);
  EXPECT_EQ(batches(open()), expected);
}

// Records that pose as a line about a batch, where the line before them is damaged.
TEST_F(DayLogTest, RecordsAreNotTakenForALineAboutABatch) {
  const std::string posing = "{\"batch\":{},\"format\":\"kua/1\"}\n{\"format\":\"kua/1\"}\n";
  {
    DayLog log = open();
    for (const std::string& lines : {posing, std::string("two\n")}) ASSERT_TRUE(append(log, lines).has_value());
  }
  std::string damaged = bytes();
  damaged[damaged.find(platform::zstd_compress(posing)) - 1] ^= 0x55;
  overwrite(damaged);
  EXPECT_EQ(batches(open()), std::vector<std::string>{"two\n"});
}

TEST_F(DayLogTest, ALogOfAnEarlierVersionIsRefusedAndLeftAlone) {
  const std::string old = platform::zstd_compress("{\"record\":{},\"received\":{}}\n");
  overwrite(old);
  EXPECT_FALSE(DayLog::open(files_, directory_.path(), {}).has_value());
  EXPECT_EQ(bytes(), old);
}

TEST_F(DayLogTest, AFullDiskLeavesTheFileAsItWas) {
  DayLog log = open();
  ASSERT_TRUE(append(log, "one\n").has_value());
  const std::string before = bytes();
  files_.room = [](std::size_t bytes) { return bytes / 2; };
  const auto refused = append(log, "two\n");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::no_space);
  EXPECT_EQ(bytes(), before);
  files_.room = [](std::size_t) { return std::string::npos; };
  ASSERT_TRUE(append(log, "three\n").has_value()) << "space again: as if nothing had been";
  EXPECT_EQ(batches(log), (std::vector<std::string>{"one\n", "three\n"}));
}

TEST_F(DayLogTest, ASyncThatFailedStoredNothing) {
  DayLog log = open();
  ASSERT_TRUE(append(log, "one\n").has_value());
  const std::string before = bytes();
  files_.sync_fails = true;
  EXPECT_FALSE(append(log, "two\n").has_value());
  EXPECT_EQ(bytes(), before);
}

TEST_F(DayLogTest, WhatCannotBeCutBackStopsTheLogUntilItCan) {
  DayLog log = open();
  ASSERT_TRUE(append(log, "one\n").has_value());
  files_.room = [](std::size_t) { return std::size_t{3}; };
  files_.truncate_fails = true;
  EXPECT_FALSE(append(log, "two\n").has_value());
  files_.room = [](std::size_t) { return std::string::npos; };
  EXPECT_FALSE(append(log, "three\n").has_value()) << "behind garbage nothing may be written";
  files_.truncate_fails = false;
  ASSERT_TRUE(append(log, "four\n").has_value());
  EXPECT_EQ(batches(log), (std::vector<std::string>{"one\n", "four\n"}));
}

TEST_F(DayLogTest, DaysNeverGoBackAndAreRemovedWhole) {
  DayLog log = open();
  ASSERT_TRUE(append(log, "one\n").has_value());
  ASSERT_TRUE(append(log, "two\n", kDay + std::chrono::days(1)).has_value());
  const auto back = append(log, "three, after the clock was set back\n");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->day, kDay + std::chrono::days(1));
  ASSERT_TRUE(log.remove_day(kDay).has_value());
  EXPECT_EQ(log.days().size(), 1u);
  EXPECT_FALSE(files_.size(path(kDay)).has_value());
}

TEST_F(DayLogTest, OtherFilesInTheDirectoryAreLeftAlone) {
  std::ofstream(directory_.path() + "/notes.txt") << "mine";
  std::ofstream(directory_.path() + "/2026-13-40.ndjson.zst") << "no day";
  EXPECT_TRUE(open().days().empty());
}

}  // namespace
}  // namespace kua::collector
