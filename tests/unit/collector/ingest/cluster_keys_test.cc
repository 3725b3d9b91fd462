#include "collector/ingest/cluster_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "collector/limits.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

using std::chrono::days;

IpAddress address(const char* text) { return *IpAddress::parse(text); }

class ClusterKeysTest : public ::testing::Test {
 protected:
  std::string path() const { return directory_.path() + "/cluster-keys"; }
  ClusterKeys open() {
    auto keys = ClusterKeys::open(path());
    EXPECT_TRUE(keys.has_value());
    return std::move(*keys);
  }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path()).rdbuf();
    return out.str();
  }
  TemporaryDirectory directory_;
  const Epoch now_ = epoch_of(kNoon);
};

TEST_F(ClusterKeysTest, OneBlockIsOneClusterInOneEpoch) {
  ClusterKeys keys = open();
  ASSERT_TRUE(keys.tend(kNoon).has_value());
  const std::string cluster = keys.cluster_of(address("203.0.113.7"), now_);
  EXPECT_EQ(cluster.size(), 14u);
  EXPECT_EQ(cluster, keys.cluster_of(address("203.0.113.250"), now_)) << "the same /24";
  EXPECT_NE(cluster, keys.cluster_of(address("203.0.112.7"), now_)) << "another /24";
  EXPECT_NE(cluster, keys.cluster_of(address("203.0.113.7"), now_ + 1)) << "another epoch";
  EXPECT_EQ(keys.cluster_of(address("2001:db8:1:2::3"), now_), keys.cluster_of(address("2001:db8:1:ffff::1"), now_))
      << "the same /48";
  EXPECT_NE(keys.cluster_of(address("2001:db8:1::3"), now_), keys.cluster_of(address("2001:db8:2::3"), now_));
}

TEST_F(ClusterKeysTest, KeysSurviveARestartAndOthersMayNotReadThem) {
  std::string cluster;
  {
    ClusterKeys keys = open();
    ASSERT_TRUE(keys.tend(kNoon).has_value());
    cluster = keys.cluster_of(address("203.0.113.7"), now_);
  }
  EXPECT_EQ(open().cluster_of(address("203.0.113.7"), now_), cluster);
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ::chmod(path().c_str(), 0644);
  const auto refused = ClusterKeys::open(path());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::permission);
}

TEST_F(ClusterKeysTest, AKeyIsDestroyedFourteenDaysAfterItsEpoch) {
  ClusterKeys keys = open();
  ASSERT_TRUE(keys.tend(kNoon).has_value());
  const std::string before = text();
  const WallTime end = WallTime(limits::kClusterEpoch * (now_ + 1));
  ASSERT_TRUE(keys.tend(end + limits::kClusterOverlap - days(1)).has_value());
  EXPECT_TRUE(keys.has(now_)) << "late records of the epoch still find their cluster";
  ASSERT_TRUE(keys.tend(end + limits::kClusterOverlap).has_value());
  EXPECT_FALSE(keys.has(now_));
  EXPECT_EQ(keys.cluster_of(address("203.0.113.7"), now_), "");
  const std::string old_key = before.substr(before.find(' ') + 1, 64);
  EXPECT_EQ(text().find(old_key), std::string::npos);
}

TEST_F(ClusterKeysTest, AStopWhileWritingLosesNoKey) {
  {
    ClusterKeys keys = open();
    ASSERT_TRUE(keys.tend(kNoon).has_value());
  }
  const std::string cluster = open().cluster_of(address("203.0.113.7"), now_);
  std::filesystem::copy_file(path(), path() + ".new");
  std::ofstream(path()) << std::string(text().size(), '0');  // the old file is wiped before it goes
  EXPECT_EQ(open().cluster_of(address("203.0.113.7"), now_), cluster);
}

TEST_F(ClusterKeysTest, ADamagedFileIsAnError) {
  std::ofstream(path()) << "689 abc\n";
  ::chmod(path().c_str(), 0600);
  const auto refused = ClusterKeys::open(path());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
}

}  // namespace
}  // namespace kua::collector
