#include "collector/ingest/list_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

TEST(ListFiles, ACountryHasItsOwnListOrTheGeneralOne) {
  const TemporaryDirectory directory;
  ListFiles lists(directory.path());
  const CountryCode kz = *CountryCode::parse("KZ");
  const CountryCode by = *CountryCode::parse("BY");
  EXPECT_EQ(lists.find(kz), nullptr);
  std::ofstream(directory.path() + "/targets.json") << "general";
  std::ofstream(directory.path() + "/targets-KZ.json") << "own";
  ASSERT_NE(lists.find(kz), nullptr);
  EXPECT_EQ(lists.find(kz)->bytes, "own");
  EXPECT_EQ(lists.find(by)->bytes, "general");
}

TEST(ListFiles, AChangedFileIsServedAtOnceUnderANewTag) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/targets.json";
  ListFiles lists(directory.path());
  const CountryCode any = *CountryCode::parse("ZZ");
  std::ofstream(path) << "first";
  const std::string tag = lists.find(any)->etag;
  EXPECT_EQ(lists.find(any)->etag, tag);
  // As an operator is told to: a new file, renamed over the old one.
  std::ofstream(path + ".new") << "later";
  std::filesystem::rename(path + ".new", path);
  EXPECT_EQ(lists.find(any)->bytes, "later");
  EXPECT_NE(lists.find(any)->etag, tag);
  std::filesystem::remove(path);
  EXPECT_EQ(lists.find(any), nullptr);
}

TEST(ListFiles, IfNoneMatchIsReadAsRfc9110Says) {
  EXPECT_TRUE(etag_matches("\"abc\"", "\"abc\""));
  EXPECT_TRUE(etag_matches("W/\"abc\"", "\"abc\""));
  EXPECT_TRUE(etag_matches("\"x\", \"abc\"", "\"abc\""));
  EXPECT_TRUE(etag_matches("*", "\"abc\""));
  EXPECT_FALSE(etag_matches("\"x\"", "\"abc\""));
  EXPECT_FALSE(etag_matches("", "\"abc\""));
}

}  // namespace
}  // namespace kua::collector
