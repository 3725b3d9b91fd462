#include "collector/config/collector_config.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/config/config_reader.h"

namespace kua::collector {
namespace {

using platform::ConfigReader;
using platform::ConfigSection;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kMebibyte = 1024 * 1024;
constexpr std::uint64_t kTebibyte = kMebibyte * kMebibyte;

template <typename Duration>
Duration whole(Microseconds value) {
  return std::chrono::duration_cast<Duration>(value);
}

// "address:port" where the port may be 0: any free one.
bool is_listen_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  const std::string port = text.substr(colon + 1);
  if (port == "0") return Endpoint::parse(text.substr(0, colon) + ":1", Transport::tcp).has_value();
  return Endpoint::parse(text, Transport::tcp).has_value();
}

void read_listener(ConfigSection section, ListenerConfig& out) {
  out.address = section.text("address", out.address);
  if (!is_listen_address(out.address)) section.reject("address", "ADDRESS:PORT, for instance 0.0.0.0:9779 or [::]:9779");
  out.certificate = section.text("certificate", out.certificate);
  out.key = section.text("key", out.key);
  if (out.certificate.empty() != out.key.empty()) section.reject("key", "a certificate and its key, or neither");
  out.connections_max = static_cast<std::size_t>(
      section.integer("connections_max", static_cast<std::int64_t>(out.connections_max), 1, 1'000'000));
  out.idle_max = whole<std::chrono::milliseconds>(section.duration("idle_max", out.idle_max, seconds(1), hours(24)));
}

void read_rate(ConfigSection section, Rate& out) {
  out.per_minute = section.real("per_minute", out.per_minute, 0.01, 1e9);
  out.burst = section.real("burst", out.burst, 1, 1e9);
}

void read_ingest(ConfigSection section, IngestOptions& out) {
  constexpr std::array<std::string_view, 2> kRules = {"optional", "required"};
  out.invitations = section.one_of("invitations", "optional", kRules) == "required" ? InvitationRule::required
                                                                                    : InvitationRule::optional;
  out.invitations_file = section.text("invitations_file", out.invitations_file);
  read_rate(section.section("batches"), out.batches);
  read_rate(section.section("heartbeats"), out.heartbeats);
  read_rate(section.section("enrolments"), out.enrolments);
}

void read_cells(ConfigSection section, CellsOptions& out) {
  out.key_window = section.duration("key_window", out.key_window, minutes(1), hours(24 * 30));
  out.core_window = section.duration("core_window", out.core_window, minutes(1), hours(24 * 60));
  out.full_window = section.duration("full_window", out.full_window, minutes(1), hours(24 * 90));
  out.open_max = static_cast<std::size_t>(
      section.integer("open_max", static_cast<std::int64_t>(out.open_max), 1, 10'000'000));
}

void read_root(ConfigSection& root, CollectorConfig& config) {
  config.operator_name = root.text("operator_name", config.operator_name);
  config.state_dir = root.text("state_dir", config.state_dir);
  config.lists_dir = root.text("lists_dir", config.lists_dir);
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  config.log_level = root.one_of("log_level", config.log_level, kLevels);

  ConfigSection listeners = root.section("listeners");
  read_listener(listeners.section("probes"), config.probes);
  read_listener(listeners.section("public"), config.public_pages);
  ConfigSection desk = listeners.section("desk");
  config.desk_tokens = desk.text("tokens", config.desk_tokens);
  read_listener(desk, config.desk);

  if (root.has("network_databases")) config.network_databases = root.texts("network_databases");
  read_ingest(root.section("ingest"), config.ingest);

  ConfigSection store = root.section("store");
  config.retention_age = whole<std::chrono::days>(
      store.duration("retention_age", config.retention_age, hours(24), hours(24 * 36'500)));
  config.retention_bytes = store.bytes("retention_bytes", config.retention_bytes, kMebibyte, kTebibyte * 1024);
  config.free_bytes_min = store.bytes("free_bytes_min", config.free_bytes_min, 0, kTebibyte);
  config.replay_window = whole<hours>(store.duration("replay_window", config.replay_window, hours(0), hours(24 * 90)));

  ConfigSection publish = root.section("publish");
  config.publish_min_clusters = static_cast<int>(publish.integer("min_clusters", config.publish_min_clusters, 1, 1'000));
  config.controls = root.texts("controls");
  const auto is_control = [](const std::string& text) { return text == "any" || ProbeId::parse(text).has_value(); };
  if (!std::all_of(config.controls.begin(), config.controls.end(), is_control)) {
    root.reject("controls", "a list of probe ids (32 hex digits), or [any]");
  }
  ConfigSection metrics = root.section("metrics");
  config.max_series = static_cast<std::size_t>(
      metrics.integer("max_series", static_cast<std::int64_t>(config.max_series), 1'000, 10'000'000));
  read_cells(root.section("cells"), config.cells);

  ConfigSection lab = root.section("lab");
  config.time_scale = lab.real("time_scale", config.time_scale, 1, 10'000);
}

Expected<CollectorConfig> read_all(Expected<ConfigReader> reader) {
  if (!reader) return std::unexpected(reader.error());
  CollectorConfig config;
  config.ingest.invitations_file = "invitations";
  read_root(reader->root(), config);
  if (const auto finished = reader->finish(); !finished) return std::unexpected(finished.error());
  return config;
}

}  // namespace

Expected<CollectorConfig> CollectorConfig::parse(std::string_view text, const std::string& name) {
  return read_all(ConfigReader::parse(text, name));
}

Expected<CollectorConfig> CollectorConfig::load(const std::string& path) {
  auto config = read_all(ConfigReader::open(path));
  if (!config) return config;
  const auto slash = path.rfind('/');
  config->resolve_paths(slash == std::string::npos ? "." : path.substr(0, slash));
  return config;
}

void CollectorConfig::resolve_paths(const std::string& directory) {
  const auto resolve = [&directory](std::string& path) {
    if (!path.empty() && path.front() != '/') path = directory + "/" + path;
  };
  for (std::string* path : {&state_dir, &lists_dir, &probes.certificate, &probes.key, &public_pages.certificate,
                            &public_pages.key, &desk.certificate, &desk.key, &desk_tokens, &ingest.invitations_file}) {
    resolve(*path);
  }
  for (std::string& path : network_databases) resolve(path);
}

}  // namespace kua::collector
