// collector.yaml as a value. Its defaults are the program's, and config/collector.yaml is their commented
// reference: a test holds the two together. Relative paths are relative to the file.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "collector/cells/cells.h"
#include "collector/http/http.h"
#include "collector/ingest/ingest.h"
#include "collector/store/record_store.h"
#include "measurement/error.h"

namespace kua::collector {

struct ListenerConfig {
  std::string address;      // "0.0.0.0:9779"; port 0: any free one
  std::string certificate;  // PEM file; empty: plain HTTP
  std::string key;
  std::size_t connections_max = 4096;
  std::chrono::milliseconds idle_max{120'000};
  friend bool operator==(const ListenerConfig&, const ListenerConfig&) = default;
};

struct CollectorConfig {
  std::string operator_name = "unnamed";
  std::string state_dir = "state";   // record log, index, probes, cluster keys; mode 0700
  std::string lists_dir = "lists";   // signed lists that are handed on
  std::string log_level = "info";    // debug, info, warning, error

  ListenerConfig probes{"0.0.0.0:9779", "probes.crt", "probes.key", 16'384, std::chrono::minutes(10)};
  ListenerConfig public_pages{"127.0.0.1:9778", "", "", 1'024, std::chrono::seconds(30)};
  ListenerConfig desk{"127.0.0.1:9780", "", "", 256, std::chrono::minutes(2)};
  std::string desk_tokens = "desk-tokens";  // file of roles and token hashes

  std::vector<std::string> network_databases;

  IngestOptions ingest;  // its invitations_file: "invitations"

  std::chrono::days retention_age{400};
  std::uint64_t retention_bytes = 50ull << 30;
  std::uint64_t free_bytes_min = limits::kFreeBytesMin;
  std::chrono::hours replay_window{26};

  int publish_min_clusters = 5;
  // Probe ids that may serve as controls, or `any`. Empty: any on a local instance, else none.
  std::vector<std::string> controls;
  std::size_t max_series = limits::kSeriesMax;
  CellsOptions cells;

  double time_scale = 1;  // lab: divides every cadence

  friend bool operator==(const CollectorConfig&, const CollectorConfig&) = default;

  // Errors name file, line, key and what is allowed.
  [[nodiscard]] static Expected<CollectorConfig> load(const std::string& path);
  [[nodiscard]] static Expected<CollectorConfig> parse(std::string_view text, const std::string& name);
  // Makes every path absolute that was relative to `directory`.
  void resolve_paths(const std::string& directory);
};

}  // namespace kua::collector
