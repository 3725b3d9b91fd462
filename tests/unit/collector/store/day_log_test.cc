#include "collector/store/day_log.h"

#include <gtest/gtest.h>

#include <fstream>

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
  // All frames of the day, in order.
  std::vector<std::string> frames(const DayLog& log, sys_days day = kDay) {
    std::vector<std::string> out;
    for (std::uint64_t at = 0;;) {
      const auto frame = log.next_frame(day, at);
      EXPECT_TRUE(frame.has_value());
      if (!frame || !*frame) return out;
      out.push_back((*frame)->lines);
      at = (*frame)->position.offset + (*frame)->position.bytes;
    }
  }

  TemporaryDirectory directory_;
  RecordingFiles files_;
};

TEST_F(DayLogTest, FramesComeBackInOrderAndTheWholeFileIsOneZstdStream) {
  DayLog log = open();
  ASSERT_TRUE(log.append(kDay, "one\n").has_value());
  const auto second = log.append(kDay, "two\n");
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(*log.read(*second), "two\n");
  EXPECT_EQ(*platform::zstd_decompress(bytes(), 1000), "one\ntwo\n");
  EXPECT_EQ(log.bytes(), bytes().size());
}

TEST_F(DayLogTest, AFrameIsSyncedBeforeAppendReturns) {
  DayLog log = open();
  files_.forget();
  ASSERT_TRUE(log.append(kDay, "one\n").has_value());
  EXPECT_EQ(files_.journal(), (std::vector<std::string>{"append", "sync"}));
}

TEST_F(DayLogTest, ATornEndIsCutOffAndKeptAside) {
  std::string whole;
  {
    DayLog log = open();
    ASSERT_TRUE(log.append(kDay, "one\n").has_value());
    whole = bytes();
    ASSERT_TRUE(log.append(kDay, "two, which was being written when the power went\n").has_value());
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
    ASSERT_TRUE(log.append(kDay, "one\n").has_value());
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
  EXPECT_EQ(frames(log), std::vector<std::string>{"one\n"});
}

TEST_F(DayLogTest, ACopyThatAnEarlierStartBeganIsBegunAnew) {
  {
    DayLog log = open();
    ASSERT_TRUE(log.append(kDay, "one\n").has_value());
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
    ASSERT_TRUE(log.append(kDay, "one\n").has_value());
  }
  const std::string whole = bytes();
  overwrite(whole + std::string(4096, '\0'));  // what a power cut leaves of a file that was extended
  DayLog log = open(Ends{{kDay, whole.size()}});
  EXPECT_EQ(log.recovery().torn_bytes, 4096u);
  ASSERT_TRUE(log.append(kDay, "two\n").has_value());
  EXPECT_EQ(frames(log), (std::vector<std::string>{"one\n", "two\n"}));
}

TEST_F(DayLogTest, DamageInTheMiddleCostsItsFrameOnly) {
  {
    DayLog log = open();
    for (const char* lines : {"one\n", "two\n", "three\n"}) ASSERT_TRUE(log.append(kDay, lines).has_value());
  }
  std::string full = bytes();
  const std::size_t frame = *platform::zstd_frame_bytes(full);
  full[frame + frame / 2] ^= 0x55;
  overwrite(full);
  const DayLog log = open();
  EXPECT_EQ(frames(log), (std::vector<std::string>{"one\n", "three\n"}));
  EXPECT_EQ(log.recovery().torn_bytes, 0u);
  EXPECT_EQ(bytes(), full) << "nothing but an end is ever cut";
}

TEST_F(DayLogTest, AFullDiskLeavesTheFileAsItWas) {
  DayLog log = open();
  ASSERT_TRUE(log.append(kDay, "one\n").has_value());
  const std::string before = bytes();
  files_.room = [](std::size_t bytes) { return bytes / 2; };
  const auto refused = log.append(kDay, "two\n");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::no_space);
  EXPECT_EQ(bytes(), before);
  files_.room = [](std::size_t) { return std::string::npos; };
  ASSERT_TRUE(log.append(kDay, "three\n").has_value()) << "space again: as if nothing had been";
  EXPECT_EQ(frames(log), (std::vector<std::string>{"one\n", "three\n"}));
}

TEST_F(DayLogTest, ASyncThatFailedStoredNothing) {
  DayLog log = open();
  ASSERT_TRUE(log.append(kDay, "one\n").has_value());
  const std::string before = bytes();
  files_.sync_fails = true;
  EXPECT_FALSE(log.append(kDay, "two\n").has_value());
  EXPECT_EQ(bytes(), before);
}

TEST_F(DayLogTest, WhatCannotBeCutBackStopsTheLogUntilItCan) {
  DayLog log = open();
  ASSERT_TRUE(log.append(kDay, "one\n").has_value());
  files_.room = [](std::size_t) { return std::size_t{3}; };
  files_.truncate_fails = true;
  EXPECT_FALSE(log.append(kDay, "two\n").has_value());
  files_.room = [](std::size_t) { return std::string::npos; };
  EXPECT_FALSE(log.append(kDay, "three\n").has_value()) << "behind garbage nothing may be written";
  files_.truncate_fails = false;
  ASSERT_TRUE(log.append(kDay, "four\n").has_value());
  EXPECT_EQ(frames(log), (std::vector<std::string>{"one\n", "four\n"}));
}

TEST_F(DayLogTest, DaysNeverGoBackAndAreRemovedWhole) {
  DayLog log = open();
  ASSERT_TRUE(log.append(kDay, "one\n").has_value());
  ASSERT_TRUE(log.append(kDay + std::chrono::days(1), "two\n").has_value());
  const auto back = log.append(kDay, "three, after the clock was set back\n");
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
