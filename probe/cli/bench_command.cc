#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "probe/bench/bench_driver.h"
#include "probe/cli/report.h"
#include "probe/cli/small_commands.h"

namespace kua::probe {

ExitCode bench(BenchOptions options) {
  std::error_code problem;
  std::string folder = (std::filesystem::temp_directory_path(problem) / "kua-bench-XXXXXX").string();
  if (problem || ::mkdtemp(folder.data()) == nullptr) {
    return give_up(Error{ErrorKind::io, "cannot be made", "making the bench's spool folder " + folder});
  }
  options.spool_folder = folder;
  const auto result = run_bench(options);
  std::filesystem::remove_all(folder, problem);
  if (!result) return give_up(result.error());
  fmt::print("{}\n", to_json(*result));
  return ExitCode::ok;
}

}  // namespace kua::probe
