#include "collector/config/collector_config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace kua::collector {
namespace {

std::string file_text(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(std::string(KUA_SOURCE_DIR) + "/" + path).rdbuf();
  return out.str();
}

TEST(CollectorConfig, TheReferenceSaysWhatTheProgramDoes) {
  const auto reference = CollectorConfig::parse(file_text("config/collector.yaml"), "collector.yaml");
  ASSERT_TRUE(reference.has_value()) << reference.error().text();
  const auto defaults = CollectorConfig::parse("", "empty");
  ASSERT_TRUE(defaults.has_value()) << defaults.error().text();
  EXPECT_TRUE(*reference == *defaults) << "a documented default differs from the code's";
}

TEST(CollectorConfig, TheReferenceNamesEveryKey) {
  const std::string code = file_text("collector/config/collector_config.cc");
  const std::string reference = file_text("config/collector.yaml");
  const std::regex getter(R"re((?:text|texts|one_of|flag|integer|real|duration|bytes|section|sections|has)\("([a-z_]+)")re");
  std::set<std::string> keys;
  for (auto it = std::sregex_iterator(code.begin(), code.end(), getter); it != std::sregex_iterator(); ++it) {
    keys.insert((*it)[1]);
  }
  EXPECT_GT(keys.size(), 30u);
  for (const std::string& key : keys) {
    EXPECT_TRUE(std::regex_search(reference, std::regex("(^|[\\n{ ,])" + key + ":"))) << key;
  }
}

TEST(CollectorConfig, MistakesNameFileLineKeyAndWhatIsAllowed) {
  struct Case {
    const char* claim;
    const char* text;
    std::vector<const char*> says;
  };
  const Case cases[] = {
      {"an unknown key", "state_dir: x\noperater_name: y\n", {"test.yaml:2", "operater_name"}},
      {"a nested unknown key", "store:\n  retention: 5d\n", {"test.yaml:2", "retention"}},
      {"a number without its unit", "store:\n  retention_age: 400\n", {"test.yaml:2", "retention_age"}},
      {"a size where a duration belongs", "store: {replay_window: 5MB}\n", {"test.yaml:1", "replay_window"}},
      {"an address without a port", "listeners:\n  desk:\n    address: localhost\n", {"test.yaml:3", "ADDRESS:PORT"}},
      {"a certificate without its key", "listeners:\n  desk: {certificate: a.crt}\n", {"test.yaml", "neither"}},
      {"a word outside its set", "ingest: {invitations: maybe}\n", {"test.yaml:1", "optional"}},
      {"a control that is no probe id", "controls: [mine]\n", {"test.yaml:1", "probe ids"}},
      {"a threshold below one", "publish: {min_clusters: 0}\n", {"test.yaml:1", "min_clusters"}},
      {"not YAML", "a: [", {"test.yaml"}},
  };
  for (const Case& c : cases) {
    const auto config = CollectorConfig::parse(c.text, "test.yaml");
    ASSERT_FALSE(config.has_value()) << c.claim;
    for (const char* says : c.says) {
      EXPECT_NE(config.error().text().find(says), std::string::npos) << c.claim << ": " << config.error().text();
    }
  }
}

TEST(CollectorConfig, RelativePathsBelongToTheFilesDirectory) {
  auto config = CollectorConfig::parse("state_dir: here\nlists_dir: /there\nnetwork_databases: [a.csv]\n", "test.yaml");
  ASSERT_TRUE(config.has_value());
  config->resolve_paths("/etc/kua");
  EXPECT_EQ(config->state_dir, "/etc/kua/here");
  EXPECT_EQ(config->lists_dir, "/there");
  EXPECT_EQ(config->network_databases, std::vector<std::string>{"/etc/kua/a.csv"});
  EXPECT_EQ(config->probes.certificate, "/etc/kua/probes.crt");
  EXPECT_EQ(config->public_pages.certificate, "") << "no certificate stays none";
}

}  // namespace
}  // namespace kua::collector
