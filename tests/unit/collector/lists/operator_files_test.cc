#include "collector/setup/operator_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "collector/config/collector_config.h"
#include "collector/http/desk_access.h"
#include "collector/lists/list_commands.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

class OperatorFilesTest : public ::testing::Test {
 protected:
  OperatorFilesTest() {
    std::ofstream(path("targets.csv"))
        << "url,category_code,category_description,date_added,source,notes,tier,scope,country,service,endpoints,rule\n"
           "https://www.example.com/,NEWS,News,2026-11-24,kua,,key,,,,,\n";
    EXPECT_TRUE(make_list_key(path("list.key")).has_value());
    SignOptions signing;
    signing.key_file = path("list.key");
    signing.target_files = {path("targets.csv")};
    signing.country = CountryCode::parse("KZ");
    signing.out_file = path("list.json");
    EXPECT_TRUE(sign_list(signing, kNoon).has_value());
  }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  InitOptions options() const {
    InitOptions out;
    out.directory = path("collector");
    out.name = "Some \"people\"";
    out.endpoints = {"collector.example:8443", "192.0.2.1:443"};
    out.list_key_files = {path("list.key.pub")};
    out.list_file = path("list.json");
    return out;
  }
  std::string text(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(path(name)).rdbuf();
    return out.str();
  }
  unsigned mode(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat(path(name).c_str(), &status), 0) << name;
    return status.st_mode & 0777;
  }

  TemporaryDirectory directory_;
};

TEST_F(OperatorFilesTest, TheLinkCarriesWhatAProbeMustTrust) {
  const auto made = make_operator_files(options(), kNoon);
  ASSERT_TRUE(made.has_value() && made->has_value()) << made.error().text();
  const auto link = protocol::read_join_link(**made);
  ASSERT_TRUE(link.has_value()) << link.error().text();
  EXPECT_EQ(link->operator_name, "Some \"people\"");
  ASSERT_EQ(link->endpoints.size(), 2u);
  EXPECT_EQ(link->endpoints[0].server_name, "collector.example");
  EXPECT_EQ(link->endpoints[1].server_name, "") << "an address is not shown as a name";
  EXPECT_EQ(link->pins, std::vector<std::string>{*platform::spki_pin_of(text("collector/probes.crt"))});
  EXPECT_EQ(link->minimum_list_sha256, platform::to_hex(platform::sha256(text("list.json"))));
  EXPECT_EQ(text("collector/join.link"), **made + "\n");
}

TEST_F(OperatorFilesTest, SecretsAreForTheOwnerOnlyAndTheConfigurationLoads) {
  ASSERT_TRUE(make_operator_files(options(), kNoon).has_value());
  for (const char* secret : {"collector/probes.key", "collector/desk-tokens", "collector/desk-tokens.clear",
                             "collector/invitations", "collector/state/cluster-keys"}) {
    EXPECT_EQ(mode(secret), 0600u) << secret;
  }
  EXPECT_EQ(mode("collector/state"), 0700u);
  const auto config = CollectorConfig::load(path("collector/collector.yaml"));
  ASSERT_TRUE(config.has_value()) << config.error().text();
  EXPECT_EQ(config->operator_name, "Some \"people\"");
  EXPECT_EQ(config->probes.address, "0.0.0.0:8443");
  EXPECT_EQ(config->probes.certificate, path("collector/probes.crt"));
  EXPECT_TRUE(DeskAccess::load(config->desk_tokens).has_value());
  EXPECT_EQ(text("collector/lists/targets.json"), text("list.json"));
  EXPECT_EQ(text("collector/lists/targets-KZ.json"), text("list.json"));
}

TEST_F(OperatorFilesTest, ItListensWhereTheLinkLeads) {
  struct Case {
    const char* endpoint;
    const char* listens;
  };
  constexpr Case kCases[] = {
      {"probes.example:9779", "0.0.0.0:9779"}, {"192.0.2.1:443", "0.0.0.0:443"},   {"[2001:db8::1]:9779", "[::]:9779"},
      {"127.0.0.1:9779", "127.0.0.1:9779"},    {"[::1]:9779", "[::1]:9779"},
  };
  int number = 0;
  for (const Case& c : kCases) {
    InitOptions wanted = options();
    wanted.directory = path("collector" + std::to_string(++number));
    wanted.endpoints = {c.endpoint};
    const auto made = make_operator_files(wanted, kNoon);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    const auto config = CollectorConfig::load(wanted.directory + "/collector.yaml");
    ASSERT_TRUE(config.has_value()) << config.error().text();
    EXPECT_EQ(config->probes.address, c.listens);
  }
}

TEST_F(OperatorFilesTest, TheTokensHandedOutAreTheOnesTheDeskKnows) {
  ASSERT_TRUE(make_operator_files(options(), kNoon).has_value());
  const auto access = DeskAccess::load(path("collector/desk-tokens"));
  ASSERT_TRUE(access.has_value());
  std::istringstream lines(text("collector/desk-tokens.clear"));
  std::string line;
  int tokens = 0;
  while (std::getline(lines, line)) {
    if (line.starts_with('#')) continue;
    const auto space = line.find(' ');
    HttpRequest request;
    request.peer = *IpAddress::parse("192.0.2.1");
    request.headers["authorization"] = "Bearer " + line.substr(space + 1);
    EXPECT_EQ(access->role_of(request), parse_desk_role(line.substr(0, space)));
    ++tokens;
  }
  EXPECT_EQ(tokens, 3);
}

TEST_F(OperatorFilesTest, NothingThatExistsIsOverwritten) {
  ASSERT_TRUE(make_operator_files(options(), kNoon).has_value());
  const std::string key = text("collector/probes.key");
  const auto again = make_operator_files(options(), kNoon);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind, ErrorKind::configuration);
  EXPECT_EQ(text("collector/probes.key"), key);
}

TEST_F(OperatorFilesTest, MistakesAreErrorsBeforeAnythingIsMade) {
  struct Case {
    const char* claim;
    void (*spoil)(InitOptions&, const std::string&);
  };
  const Case cases[] = {
      {"an endpoint without a port", [](InitOptions& o, const std::string&) { o.endpoints = {"collector.example"}; }},
      {"an endpoint with port 0", [](InitOptions& o, const std::string&) { o.endpoints = {"collector.example:0"}; }},
      {"a list without its key", [](InitOptions& o, const std::string&) { o.list_key_files.clear(); }},
      {"a key without a list", [](InitOptions& o, const std::string&) { o.list_file.clear(); }},
      {"the secret key instead of the public one",
       [](InitOptions& o, const std::string& directory) { o.list_key_files = {directory + "/list.key"}; }},
      {"a list that is none", [](InitOptions& o, const std::string& directory) { o.list_file = directory + "/targets.csv"; }},
  };
  for (const Case& c : cases) {
    InitOptions spoilt = options();
    c.spoil(spoilt, directory_.path());
    EXPECT_FALSE(make_operator_files(spoilt, kNoon).has_value()) << c.claim;
    EXPECT_FALSE(std::filesystem::exists(path("collector"))) << c.claim;
  }
  EXPECT_FALSE(make_operator_files(options(), kNoon + std::chrono::days(15)).has_value()) << "an expired list";
}

TEST_F(OperatorFilesTest, InvitationsAreAddedToThoseThereAre) {
  ASSERT_TRUE(make_operator_files(options(), kNoon).has_value());
  const auto first = make_invitations(path("collector"), 2);
  const auto second = make_invitations(path("collector"), 1);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(text("collector/invitations"), (*first)[0] + "\n" + (*first)[1] + "\n" + (*second)[0] + "\n");
}

}  // namespace
}  // namespace kua::collector
