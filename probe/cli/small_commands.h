// The small commands: consent, target lists, the diary, the bench.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "measurement/time.h"
#include "probe/bench/bench_driver.h"
#include "probe/cli/exit_code.h"
#include "probe/config/probe_config.h"
#include "probe/consent/consent.h"

namespace kua::probe {

[[nodiscard]] ExitCode show_consent(const ProbeConfig& config);
// `declared`: --yes; else the text is shown and the three questions are asked on the terminal.
[[nodiscard]] ExitCode accept_consent(const ProbeConfig& config, ConsentLevel level, ConsentManner manner);
enum class Withdrawal { unsent_records, everything };
[[nodiscard]] ExitCode withdraw(const ProbeConfig& config, Withdrawal extent);

[[nodiscard]] ExitCode list_targets(const ProbeConfig& config);
// Reads CSV files in Citizen Lab's columns and says what is in them, or what is wrong.
[[nodiscard]] ExitCode validate_targets(const std::vector<std::string>& files);
// Reads Citizen Lab's CSV and writes ours, with `tier` and `country` for rows that have none.
struct ImportOptions {
  std::string file;
  std::string out;  // "-": standard output
  std::string tier = "full";
  std::string country;  // empty: as in the file
};
[[nodiscard]] ExitCode import_targets(const ImportOptions& options);

struct DiaryOptions {
  WallTime from;
  WallTime until;
};
[[nodiscard]] ExitCode show_diary(const ProbeConfig& config, const DiaryOptions& options);
[[nodiscard]] ExitCode export_diary(const ProbeConfig& config, const DiaryOptions& options);

// Prints the bench's JSON line; its spool lives in a temporary folder.
[[nodiscard]] ExitCode bench(BenchOptions options);

}  // namespace kua::probe
