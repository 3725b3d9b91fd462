#include "probe/config/probe_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "measurement/target.h"
#include "platform/config/config_reader.h"

namespace kua::probe {
namespace {

using platform::ConfigReader;
using platform::ConfigSection;

constexpr std::string_view kAuto = "auto";

// A key that is `auto` or whatever `parse` accepts.
template <typename T, typename Parse>
std::optional<T> auto_or(ConfigSection& section, std::string_view key, std::string_view allowed,
                         Parse parse) {
  const std::string text = section.text(key, kAuto);
  if (text == kAuto) return std::nullopt;
  auto value = parse(text);
  if (!value) section.reject(key, allowed);
  return value;
}

// `auto` or a value that another getter of the section reads.
template <typename T, typename Read>
std::optional<T> auto_or_read(ConfigSection& section, std::string_view key, Read read) {
  if (!section.has(key) || section.text(key, kAuto) == kAuto) return std::nullopt;
  return read();
}

std::optional<Asn> parse_asn(std::string_view text) {
  Asn asn;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), asn.number);
  if (problem != std::errc() || end != text.data() + text.size() || asn.number == 0) return std::nullopt;
  return asn;
}

bool is_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, problem] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  return problem == std::errc() && end == port_text.data() + port_text.size() && port != 0;
}

void read_general(ConfigSection& root, ProbeConfig& config) {
  config.state_dir = root.text("state_dir", config.state_dir);
  config.user = root.text("user", config.user);
  constexpr std::array<std::string_view, 5> kLanguages = {"auto", "en", "ru", "kk", "uk"};
  const std::string language = root.one_of("language", "auto", kLanguages);
  config.language = language == "en"   ? Language::english
                    : language == "ru" ? Language::russian
                    : language == "kk" ? Language::kazakh
                    : language == "uk" ? Language::ukrainian
                                       : Language::automatic;
  constexpr std::array<std::string_view, 2> kRoles = {"probe", "control"};
  config.role = parse_probe_role(root.one_of("role", "probe", kRoles)).value_or(ProbeRole::probe);
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  const std::string level = root.one_of("log_level", "info", kLevels);
  config.log_level = level == "debug"     ? LogLevel::debug
                     : level == "warning" ? LogLevel::warning
                     : level == "error"   ? LogLevel::error
                                          : LogLevel::info;
}

void read_vantage(ConfigSection section, ProbeConfig::VantageConfig& vantage) {
  vantage.country = auto_or<CountryCode>(section, "country", "auto, or two capitals: KZ",
                                         [](std::string_view text) { return CountryCode::parse(text); });
  vantage.asn = auto_or<Asn>(section, "asn", "auto, or a number from 1 to 4294967295", parse_asn);
  vantage.network_type = auto_or<NetworkType>(
      section, "network_type", "auto, fixed, mobile, hosting", [](std::string_view text) {
        const auto type = parse_network_type(text);
        return type == NetworkType::unknown ? std::nullopt : type;
      });
  if (const std::string region = section.text("region", ""); !region.empty()) {
    vantage.region = Region::parse(region);
    if (!vantage.region) section.reject("region", "an ISO 3166-2 code: KZ-75, or empty");
  }
  vantage.detect_vpn = section.flag("detect_vpn", vantage.detect_vpn);
}

void read_resolver(ConfigSection section, ProbeConfig::ResolverConfig& resolver) {
  resolver.resolv_conf = section.text("resolv_conf", resolver.resolv_conf);
  resolver.resolver_class = auto_or<ResolverClass>(
      section, "class", "auto, network, third_party, local_filter, unknown",
      [](std::string_view text) { return parse_resolver_class(text); });
}

void read_schedule(ConfigSection section, ProbeConfig::ScheduleConfig& schedule) {
  schedule.profile =
      auto_or<ProfileName>(section, "profile", "auto, low, mobile, home, wide",
                           [](std::string_view text) { return parse_profile(text); });
  schedule.bytes_per_day = auto_or_read<std::uint64_t>(section, "bytes_per_day", [&] {
    return section.bytes("bytes_per_day", 0, kBytesPerDayMin, std::numeric_limits<std::int64_t>::max());
  });
  schedule.categories_off = section.texts("categories_off");
  if (!std::ranges::all_of(schedule.categories_off,
                           [](const std::string& code) { return is_known_category(code); })) {
    section.reject("categories_off", "a list of Citizen Lab category codes: [POLR, ANON]");
  }
  schedule.ipv6 = section.flag("ipv6", schedule.ipv6);
}

void read_uplink(ConfigSection section, ProbeConfig::UplinkConfig& uplink) {
  using std::chrono::hours;
  uplink.enabled = section.flag("enabled", uplink.enabled);
  uplink.interval = auto_or_read<Microseconds>(section, "interval", [&] {
    return section.duration("interval", Microseconds(0), std::chrono::seconds(10), hours(24));
  });
  uplink.socks5 = section.text("socks5", uplink.socks5);
  if (!uplink.socks5.empty() && !is_host_and_port(uplink.socks5)) {
    section.reject("socks5", "host:port, or empty");
  }
  uplink.batch_records_max = static_cast<std::size_t>(section.integer(
      "batch_records_max", static_cast<std::int64_t>(uplink.batch_records_max), 1, 10'000));
  uplink.batch_bytes_max =
      section.bytes("batch_bytes_max", uplink.batch_bytes_max, 4'096, 8 * 1024 * 1024);
  uplink.list_refresh = section.duration("list_refresh", uplink.list_refresh,
                                         std::chrono::minutes(1), hours(7 * 24));
}

Expected<ProbeConfig> read_config(ConfigReader reader) {
  ProbeConfig config;
  ConfigSection& root = reader.root();
  read_general(root, config);
  read_vantage(root.section("vantage"), config.vantage);
  read_resolver(root.section("resolver"), config.resolver);
  auto trust = root.section("trust");
  config.trust.ca_file = trust.text("ca_file", config.trust.ca_file);
  read_schedule(root.section("schedule"), config.schedule);
  auto spool = root.section("spool");
  config.spool.bytes_max = spool.bytes("bytes_max", config.spool.bytes_max, kSpoolBytesMin,
                                       std::numeric_limits<std::int64_t>::max());
  config.spool.age_max = spool.duration("age_max", config.spool.age_max, std::chrono::hours(1),
                                        std::chrono::hours(400 * 24));
  read_uplink(root.section("uplink"), config.uplink);
  auto lab = root.section("lab");
  config.lab.time_scale = lab.real("time_scale", config.lab.time_scale, 1.0, 10'000.0);
  config.lab.record_rounding = lab.duration("record_rounding", config.lab.record_rounding,
                                            Microseconds(1), std::chrono::hours(1));
  if (auto finished = reader.finish(); !finished) return std::unexpected(finished.error());
  return config;
}

}  // namespace

Expected<ProbeConfig> load_probe_config(const std::string& path) {
  auto reader = ConfigReader::open(path);
  if (!reader) return std::unexpected(reader.error());
  return read_config(std::move(*reader));
}

Expected<ProbeConfig> parse_probe_config(std::string_view text, std::string name) {
  auto reader = ConfigReader::parse(text, std::move(name));
  if (!reader) return std::unexpected(reader.error());
  return read_config(std::move(*reader));
}

std::string default_state_dir(StartedBy who, std::string_view xdg_state_home, std::string_view home) {
  if (who == StartedBy::root) return "/var/lib/kua-probe";
  if (!xdg_state_home.empty()) return std::string(xdg_state_home) + "/kua-probe";
  return std::string(home) + "/.local/state/kua-probe";
}

Microseconds scaled(Microseconds duration, double time_scale) {
  const auto shortened = static_cast<std::int64_t>(static_cast<double>(duration.count()) / time_scale);
  return std::max(Microseconds(shortened), Microseconds(1'000));
}

}  // namespace kua::probe
