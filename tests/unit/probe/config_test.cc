#include "probe/config/probe_config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <ostream>
#include <regex>
#include <set>
#include <sstream>

namespace kua::probe {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::string kReference = std::string(KUA_SOURCE_DIR) + "/config/probe.yaml";

TEST(ProbeConfigTest, TheDocumentedDefaultsAreTheOnesInTheCode) {
  const auto documented = load_probe_config(kReference);
  ASSERT_TRUE(documented) << documented.error().text();
  EXPECT_EQ(*documented, ProbeConfig());
  const auto empty = parse_probe_config("", "empty.yaml");
  ASSERT_TRUE(empty) << empty.error().text();
  EXPECT_EQ(*empty, ProbeConfig());
}

TEST(ProbeConfigTest, EveryKeyThatIsReadIsDocumented) {
  const std::string source = read_file(std::string(KUA_SOURCE_DIR) + "/probe/config/probe_config.cc");
  const std::string reference = read_file(kReference);
  // Getters name their key first, or right after the section they read from.
  const std::regex key(R"re((?:\(|section, |\.section\()"([a-z_0-9]+)")re");
  std::set<std::string> keys;
  for (std::sregex_iterator it(source.begin(), source.end(), key), end; it != end; ++it) keys.insert((*it)[1]);
  EXPECT_GT(keys.size(), 25u);
  for (const std::string& name : keys) {
    EXPECT_TRUE(std::regex_search(reference, std::regex("(^|\n) *" + name + ":"))) << name;
  }
}

TEST(ProbeConfigTest, EveryKeyHasAnEffect) {
  const auto config = parse_probe_config(R"(
state_dir: /tmp/kua
user: somebody
language: kk
role: control
log_level: debug
vantage: {country: KZ, asn: 9198, network_type: mobile, region: KZ-75, detect_vpn: false}
resolver: {resolv_conf: /run/resolv.conf, class: local_filter}
trust: {ca_file: /etc/ca.pem}
schedule: {profile: wide, bytes_per_day: 10MB, categories_off: [POLR, ANON], ipv6: false}
spool: {bytes_max: 8MiB, age_max: 2d}
uplink: {enabled: false, interval: 90s, socks5: "127.0.0.1:9050", batch_records_max: 7, batch_bytes_max: 64KiB, list_refresh: 2h}
lab: {time_scale: 10, record_rounding: 100ms}
)",
                                         "all.yaml");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->state_dir, "/tmp/kua");
  EXPECT_EQ(config->language, Language::kazakh);
  EXPECT_EQ(config->role, ProbeRole::control);
  EXPECT_EQ(config->vantage.asn, Asn{9198});
  EXPECT_EQ(config->vantage.network_type, NetworkType::mobile);
  EXPECT_EQ(config->vantage.region->text(), "KZ-75");
  EXPECT_FALSE(config->vantage.detect_vpn);
  EXPECT_EQ(config->resolver.resolver_class, ResolverClass::local_filter);
  EXPECT_EQ(config->schedule.profile, ProfileName::wide);
  EXPECT_EQ(config->schedule.bytes_per_day, 10'000'000u);
  EXPECT_EQ(config->schedule.categories_off.size(), 2u);
  EXPECT_EQ(config->spool.bytes_max, 8u * 1024 * 1024);
  EXPECT_EQ(config->spool.age_max, std::chrono::hours(48));
  EXPECT_EQ(config->uplink.interval, std::chrono::seconds(90));
  EXPECT_EQ(config->uplink.socks5, "127.0.0.1:9050");
  EXPECT_EQ(config->lab.time_scale, 10.0);
  EXPECT_EQ(config->lab.record_rounding, std::chrono::milliseconds(100));
}

struct Wrong {
  const char* claim;
  const char* yaml;
  const char* says;  // a part of the message
  friend std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.claim; }
};

class WrongConfig : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfig, IsAnErrorThatNamesPlaceKeyAndWhatIsAllowed) {
  const auto config = parse_probe_config(GetParam().yaml, "probe.yaml");
  ASSERT_FALSE(config) << GetParam().claim;
  EXPECT_NE(config.error().text().find(GetParam().says), std::string::npos) << config.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongConfig,
    testing::Values(Wrong{"an unknown key names its line", "user: x\nspol: {}\n", "probe.yaml:2"},
                    Wrong{"an unknown key names what is allowed", "schedule:\n  profil: home\n", "profile"},
                    Wrong{"a profile that does not exist", "schedule: {profile: fast}\n", "low, mobile, home, wide"},
                    Wrong{"a size without its unit", "spool: {bytes_max: 50}\n", "bytes_max"},
                    Wrong{"a duration without its unit", "spool: {age_max: 30}\n", "age_max"},
                    Wrong{"a duration in a unit for sizes", "lab: {record_rounding: 10MB}\n", "record_rounding"},
                    Wrong{"a flag that is a word", "schedule: {ipv6: maybe}\n", "ipv6"},
                    Wrong{"a country in small letters", "vantage: {country: kz}\n", "two capitals"},
                    Wrong{"a network number that is none", "vantage: {asn: AS9198}\n", "asn"},
                    Wrong{"network number zero", "vantage: {asn: 0}\n", "asn"},
                    Wrong{"a region that is no ISO code", "vantage: {region: Almaty}\n", "ISO 3166-2"},
                    Wrong{"a category nobody knows", "schedule: {categories_off: [NEWZ]}\n", "categories_off"},
                    Wrong{"a proxy without its port", "uplink: {socks5: localhost}\n", "host:port"},
                    Wrong{"a spool too small for one record", "spool: {bytes_max: 10KB}\n", "bytes_max"},
                    Wrong{"a day's bytes that cannot carry link state", "schedule: {bytes_per_day: 10KB}\n",
                          "bytes_per_day"},
                    Wrong{"a list where one word belongs", "role: [probe, control]\n", "role"},
                    Wrong{"a mapping where one word belongs", "user: {name: x}\n", "user"},
                    Wrong{"a word where a mapping belongs", "spool: large\n", "spool"},
                    Wrong{"text that is no YAML", "user: [", "probe.yaml"}));

TEST(ProbeConfigTest, TheStateDirectoryFollowsTheUser) {
  EXPECT_EQ(default_state_dir(StartedBy::root, "", "/root"), "/var/lib/kua-probe");
  EXPECT_EQ(default_state_dir(StartedBy::user, "", "/home/a"), "/home/a/.local/state/kua-probe");
  EXPECT_EQ(default_state_dir(StartedBy::user, "/home/a/state", "/home/a"), "/home/a/state/kua-probe");
}

TEST(ProbeConfigTest, TheLabsScaleDividesAndNeverReachesZero) {
  EXPECT_EQ(scaled(std::chrono::minutes(5), 10), std::chrono::seconds(30));
  EXPECT_EQ(scaled(std::chrono::milliseconds(5), 1000), std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace kua::probe
