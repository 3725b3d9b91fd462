#include "collector/lines/line_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "platform/compress/compress.h"
#include "tests/support/temp_directory.h"

namespace kua::collector {
namespace {

class LineFileTest : public ::testing::Test {
 protected:
  LineFile open(std::string_view bytes, std::size_t line_bytes_max = 100) {
    const std::string path = directory.file("file");
    std::ofstream(path, std::ios::binary) << bytes;
    auto file = LineFile::open(path, line_bytes_max, Reading::once);
    EXPECT_TRUE(file.has_value());
    return std::move(*file);
  }
  // Every line; "(too long)" for one that is.
  static std::vector<std::string> all(LineFile& file) {
    std::vector<std::string> out;
    while (true) {
      const auto line = file.next();
      if (!line) {
        out.push_back(line.error().text());
        return out;
      }
      if (!*line) return out;
      EXPECT_EQ((*line)->number, out.size() + 1);
      out.push_back((*line)->too_long ? "(too long)" : std::string((*line)->text));
    }
  }
  test::TempDirectory directory;
};

using Lines = std::vector<std::string>;

TEST_F(LineFileTest, LinesAreGivenWithoutTheirEnds) {
  LineFile file = open("one\n\r\ntwo\r\nlast");
  EXPECT_EQ(all(file), (Lines{"one", "", "two", "last"}));
  LineFile empty = open("");
  EXPECT_EQ(all(empty), Lines{});
}

TEST_F(LineFileTest, ALineThatIsTooLongIsPassedOverWholeAndTheNextIsRead) {
  LineFile file = open(std::string(101, 'x') + "\n" + std::string(100, 'y') + "\nz\n" + std::string(300'000, 'v'));
  EXPECT_EQ(all(file), (Lines{"(too long)", std::string(100, 'y'), "z", "(too long)"}));
}

TEST_F(LineFileTest, PackedFilesReadTheSameAndCanBeReadAgain) {
  LineFile file = open(platform::zstd_compress("one\n") + platform::zstd_compress("two\n"));
  EXPECT_EQ(all(file), (Lines{"one", "two"}));
  ASSERT_TRUE(file.rewind());
  EXPECT_EQ(all(file), (Lines{"one", "two"}));
}

TEST_F(LineFileTest, ACutOffFileIsSaid) {
  const std::string packed = platform::zstd_compress("one\ntwo\n");
  LineFile file = open(packed.substr(0, packed.size() - 3));
  const Lines lines = all(file);
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find("cut off"), std::string::npos) << lines.back();
}

TEST_F(LineFileTest, ABombEndsTheReadingLongBeforeItsEnd) {
  // 64 MiB of one letter pack into a few kilobytes; thirty of them are 2 GB.
  const std::string frame = platform::zstd_compress(std::string(64 * 1024 * 1024, 'x'));
  std::string bomb;
  for (int i = 0; i < 30; ++i) bomb += frame;
  LineFile file = open(bomb);
  const auto line = file.next();
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().kind, ErrorKind::limit);
}

TEST_F(LineFileTest, WhatIsNotThereOrIsADirectoryIsAnError) {
  const auto missing = LineFile::open(directory.file("missing"), 100, Reading::once);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(LineFile::open(directory.path(), 100, Reading::once).has_value());
}

}  // namespace
}  // namespace kua::collector
