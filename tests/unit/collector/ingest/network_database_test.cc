#include "collector/ingest/network_database.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

constexpr const char* kTable =
    "prefix,asn,country,network_type\n"
    "203.0.113.0/24,64500,KZ,fixed\n"
    "203.0.113.128/25,AS64501,KZ,mobile\r\n"
    "\n# a comment\n"
    "2001:db8::/32,64502,BY,\n"
    "198.18.0.0/15,,RU,hosting\n";

NetworkFacts facts(std::uint32_t asn, const char* country, NetworkType type) {
  return {*CountryCode::parse(country), Asn{asn}, type};
}

TEST(NetworkDatabase, TheLongestPrefixAnswers) {
  const auto table = read_network_csv(kTable, "networks.csv");
  ASSERT_TRUE(table.has_value()) << table.error().text();
  struct Case {
    const char* claim;
    const char* address;
    NetworkFacts expected;
  };
  const Case cases[] = {
      {"inside one prefix", "203.0.113.7", facts(64500, "KZ", NetworkType::fixed)},
      {"inside two, the longer one", "203.0.113.200", facts(64501, "KZ", NetworkType::mobile)},
      {"inside none", "192.0.2.1", NetworkFacts{}},
      {"IPv6, without a type", "2001:db8::7", facts(64502, "BY", NetworkType::unknown)},
      {"without a number", "198.19.255.255", facts(0, "RU", NetworkType::hosting)},
  };
  for (const Case& c : cases) EXPECT_EQ((*table)->look_up(*IpAddress::parse(c.address)), c.expected) << c.claim;
}

TEST(NetworkDatabase, FaultsNameTheirLine) {
  struct Case {
    const char* claim;
    const char* text;
    const char* says;
  };
  const Case cases[] = {
      {"no column names", "203.0.113.0/24,64500,KZ,fixed\n", "networks.csv:1"},
      {"no prefix", "prefix,asn\nnonsense,1\n", "networks.csv:2: 'nonsense' is not a prefix"},
      {"no number", "prefix,asn\n\n203.0.113.0/24,many\n", "networks.csv:3: 'many' is not an AS number"},
      {"no country", "prefix,country\n203.0.113.0/24,Kazakhstan\n", "'Kazakhstan' is not a country code"},
      {"no type", "prefix,network_type\n203.0.113.0/24,fibre\n", "'fibre' is not a network type"},
  };
  for (const Case& c : cases) {
    const auto table = read_network_csv(c.text, "networks.csv");
    ASSERT_FALSE(table.has_value()) << c.claim;
    EXPECT_NE(table.error().text().find(c.says), std::string::npos) << c.claim << ": " << table.error().text();
  }
}

TEST(NetworkDatabase, AFactComesFromTheFirstFileThatKnowsIt) {
  const TemporaryDirectory directory;
  const std::string countries = directory.path() + "/countries.csv";
  const std::string numbers = directory.path() + "/numbers.csv";
  std::ofstream(countries) << "prefix,country\n203.0.113.0/24,KZ\n";
  std::ofstream(numbers) << "prefix,asn,country\n203.0.113.0/24,64500,US\n";
  const auto both = open_network_databases({countries, numbers});
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ((*both)->look_up(*IpAddress::parse("203.0.113.7")), facts(64500, "KZ", NetworkType::unknown));
}

TEST(NetworkDatabase, AFileThatIsNotThereOrNoDatabaseIsAnError) {
  EXPECT_FALSE(open_network_databases({"/nowhere/networks.csv"}).has_value());
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/half.mmdb";
  std::ofstream(path) << "not a database";
  EXPECT_FALSE(open_network_databases({path}).has_value());
}

}  // namespace
}  // namespace kua::collector
