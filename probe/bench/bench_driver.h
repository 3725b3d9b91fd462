// Complete checks flat out, for harnesses that compare what a check costs: system lookup, one address, one
// handshake, GET, record, spool. Contacts the given URL through the given resolver and nothing else.
#pragma once

#include <cstdint>
#include <string>

#include "measurement/address.h"
#include "measurement/error.h"
#include "measurement/time.h"

namespace kua::probe {

struct BenchOptions {
  std::string url;        // http:// or https://; its address may be private, it is the harness's own
  Endpoint resolver{*IpAddress::parse("127.0.0.1"), 53, Transport::udp};
  std::string ca_file;    // PEM; empty: the system's authorities
  Microseconds duration{10'000'000};
  std::uint32_t concurrency = 1;    // 1–kBenchConcurrencyMax
  Microseconds interval{0};         // rest of each worker between two checks
  std::string spool_folder;         // an existing empty folder; the caller removes it
};

inline constexpr std::uint32_t kBenchConcurrencyMax = 1024;  // descriptors, as a default ulimit has them

struct BenchResult {
  std::uint64_t checks = 0;
  std::uint64_t fails = 0;      // a check whose page did not come with status 200 over a trusted chain
  double user_seconds = 0;      // CPU of this process during the run, start-up apart
  double system_seconds = 0;
  std::uint64_t resident_kilobytes_max = 0;  // VmHWM; 0 where /proc is not there
};

// Errors: configuration (URL, CA file), io (spool).
[[nodiscard]] Expected<BenchResult> run_bench(const BenchOptions& options);

// {"checks":N,"fails":N,"cpu_s":x,"user_s":x,"sys_s":x,"maxrss_kb":n}
[[nodiscard]] std::string to_json(const BenchResult& result);

}  // namespace kua::probe
