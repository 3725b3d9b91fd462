// probe.yaml as a value. The file is optional and so is every key; config/probe.yaml documents each with
// its default, and a test holds the two together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/time.h"
#include "measurement/vantage.h"
#include "probe/limits.h"
#include "probe/schedule/profile.h"

namespace kua::probe {

enum class Language { automatic, english, russian, kazakh, ukrainian };

enum class LogLevel { debug, info, warning, error };

struct ProbeConfig {
  std::string state_dir;           // empty: default_state_dir()
  std::string user = "kua-probe";  // whom to become when started as root
  Language language = Language::automatic;
  ProbeRole role = ProbeRole::probe;
  LogLevel log_level = LogLevel::info;

  struct VantageConfig {
    std::optional<CountryCode> country;       // absent: what the collector's answer says
    std::optional<Asn> asn;                   // likewise
    std::optional<NetworkType> network_type;  // likewise
    std::optional<Region> region;             // absent: not told
    bool detect_vpn = true;
    friend bool operator==(const VantageConfig&, const VantageConfig&) = default;
  } vantage;

  struct ResolverConfig {
    std::string resolv_conf = "/etc/resolv.conf";
    std::optional<ResolverClass> resolver_class;  // absent: found out
    friend bool operator==(const ResolverConfig&, const ResolverConfig&) = default;
  } resolver;

  struct TrustConfig {
    std::string ca_file;  // empty: the system's store
    friend bool operator==(const TrustConfig&, const TrustConfig&) = default;
  } trust;

  struct ScheduleConfig {
    std::optional<ProfileName> profile;         // absent: mobile on a mobile line, else home
    std::optional<std::uint64_t> bytes_per_day;  // absent: the profile's
    std::vector<std::string> categories_off;
    bool ipv6 = true;
    friend bool operator==(const ScheduleConfig&, const ScheduleConfig&) = default;
  } schedule;

  struct SpoolConfig {
    std::uint64_t bytes_max = kSpoolBytesDefault;
    Microseconds age_max = kSpoolAgeDefault;
    friend bool operator==(const SpoolConfig&, const SpoolConfig&) = default;
  } spool;

  struct UplinkConfig {
    bool enabled = true;
    std::optional<Microseconds> interval;  // absent: the profile's
    std::string socks5;                    // "host:port": overrides the join link's
    std::size_t batch_records_max = kBatchRecordsDefault;
    std::size_t batch_bytes_max = kBatchBytesDefault;
    Microseconds list_refresh = std::chrono::hours(6);
    friend bool operator==(const UplinkConfig&, const UplinkConfig&) = default;
  } uplink;

  struct LabConfig {
    double time_scale = 1.0;  // divides every cadence and rest
    Microseconds record_rounding = std::chrono::seconds(10);
    friend bool operator==(const LabConfig&, const LabConfig&) = default;
  } lab;

  friend bool operator==(const ProbeConfig&, const ProbeConfig&) = default;
};

// Errors name file, line, key and what is allowed.
[[nodiscard]] Expected<ProbeConfig> load_probe_config(const std::string& path);
[[nodiscard]] Expected<ProbeConfig> parse_probe_config(std::string_view text, std::string name);

// Where the state lives if the file does not say: /var/lib/kua-probe for root, else
// $XDG_STATE_HOME/kua-probe or ~/.local/state/kua-probe. `home` and `xdg_state_home` may be empty.
enum class StartedBy : std::uint8_t { root, user };
[[nodiscard]] std::string default_state_dir(StartedBy who, std::string_view xdg_state_home,
                                            std::string_view home);

// A duration divided by the lab's time scale, never less than a millisecond.
[[nodiscard]] Microseconds scaled(Microseconds duration, double time_scale);

}  // namespace kua::probe
