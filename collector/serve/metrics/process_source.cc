#include "collector/serve/metrics/process_source.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace kua::collector {
namespace {

using prometheus::MetricType;

struct ProcessStat {
  double cpu_seconds = 0;
  double start_seconds = 0;  // since boot
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

// proc(5): the command in parentheses may hold anything, so fields are counted from its end.
std::optional<ProcessStat> read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto after_command = line.rfind(')');
  if (after_command == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(after_command + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user_ticks = 0;
  double system_ticks = 0;
  fields >> user_ticks >> system_ticks;
  for (int field = 16; field < 22; ++field) fields >> skipped;
  double start_ticks = 0;
  double virtual_bytes = 0;
  double resident_pages = 0;
  fields >> start_ticks >> virtual_bytes >> resident_pages;
  if (!fields) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return ProcessStat{(user_ticks + system_ticks) / ticks, start_ticks / ticks, virtual_bytes,
                     resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

std::optional<double> boot_time_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double value = 0;
    if (word == "btime" && file >> value) return value;
    std::getline(file, word);
  }
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  int entries = 0;
  while (readdir(directory) != nullptr) ++entries;
  closedir(directory);
  return entries - 3;  // ".", ".." and the descriptor that reads the directory
}

}  // namespace

void add_process(Families& families) {
  const auto gauge = [&](const char* name, const char* help, std::optional<double> value) {
    if (value) add_sample(open_family(families, name, help, MetricType::Gauge), *value);
  };
  if (const std::optional<ProcessStat> stat = read_stat()) {
    add_sample(open_family(families, "process_cpu_seconds_total",
                           "Total user and system CPU time spent in seconds.", MetricType::Counter),
               stat->cpu_seconds);
    gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", stat->virtual_bytes);
    gauge("process_resident_memory_bytes", "Resident memory size in bytes.", stat->resident_bytes);
    if (const std::optional<double> boot = boot_time_seconds()) {
      gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
            *boot + stat->start_seconds);
    }
  }
  gauge("process_open_fds", "Number of open file descriptors.", open_descriptors());
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    gauge("process_max_fds", "Maximum number of open file descriptors.",
          static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace kua::collector
