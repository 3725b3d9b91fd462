#include "probe/bench/bench_driver.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <string>

#include "platform/clock/clock.h"
#include "probe/experiment/experiment.h"
#include "probe/spool/spool.h"
#include "probe/step/trust_store.h"
#include "protocol/target_url.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

// The identity of a bench: a probe that exists nowhere.
RecordStamp bench_stamp() {
  return RecordStamp{*ProbeId::parse("00000000000000000000000000000000"), ProbeRole::probe, "kua-probe/bench",
                     "0000000000000000", Vantage{}, Microseconds(10'000'000)};
}

bool page_came(const Measurement& measurement) {
  bool trusted = false;
  bool page = false;
  for (const auto& observation : measurement.observations) {
    if (const auto* handshake = std::get_if<TlsHandshake>(&observation)) {
      trusted = !handshake->failure && handshake->trust == ChainTrust::trusted;
    } else if (const auto* round_trip = std::get_if<HttpRoundTrip>(&observation)) {
      page = !round_trip->failure && round_trip->status == 200 && (trusted || !round_trip->over_tls);
    }
  }
  return page;
}

struct Bench {
  const Instrument& instrument;
  Target target;
  Spool& spool;
  MonotonicTime end;
  Microseconds interval;
  BenchResult result;
  std::optional<Error> error;
};

asio::awaitable<void> work(Bench& bench) {
  asio::steady_timer rest(co_await asio::this_coro::executor);
  while (!bench.error && bench.instrument.clock.monotonic_now() < bench.end) {
    ExperimentRequest request{.target = bench.target,
                              .depth = Depth::core,
                              .follow_up = FollowUp::none,
                              .link_state = LinkState::online,
                              .seed = 0,
                              .on_observation = {}};
    Measurement measurement = co_await web_reachability(bench.instrument, std::move(request));
    ++bench.result.checks;
    if (!page_came(measurement)) ++bench.result.fails;
    if (auto kept = bench.spool.append(std::move(measurement)); !kept) bench.error = kept.error();
    if (bench.interval.count() > 0) {
      const auto left = bench.end - bench.instrument.clock.monotonic_now();
      rest.expires_after(std::min<Microseconds>(bench.interval, std::max(left, Microseconds(0))));
      co_await rest.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

rusage usage_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

// Not ru_maxrss: Linux carries that over from the process that started this one (exec_mmap in fs/exec.c), so that
// a harness of 20 MB would be measured instead.
std::uint64_t resident_peak_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string field; status >> field;) {
    std::uint64_t kilobytes = 0;
    if (field == "VmHWM:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

Expected<Target> bench_target(const std::string& url) {
  auto parsed = protocol::parse_target_url(url);
  if (!parsed) return std::unexpected(parsed.error());
  return Target{.id = *TargetId::parse("web:bench"),
                .url = url,
                .endpoints = {},
                .category = "MISC",
                .tier = Tier::core,
                .country = std::nullopt};
}

}  // namespace

Expected<BenchResult> run_bench(const BenchOptions& options) {
  auto trust = options.ca_file.empty() ? TrustStore::system_default() : TrustStore::from_file(options.ca_file);
  if (!trust) return std::unexpected(trust.error());
  auto target = bench_target(options.url);
  if (!target) return std::unexpected(target.error());
  constexpr std::uint64_t kSpoolBytes = 50'000'000;
  auto spool = Spool::open(options.spool_folder + "/spool.db", {kSpoolBytes, std::chrono::hours(24)});
  if (!spool) return std::unexpected(spool.error());

  const platform::SystemClock clock;
  protocol::TargetList list;
  list.routable = {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")};  // the harness names its own server
  Pacing pacing;
  pacing.late_reply_wait = Microseconds(0);  // nobody races the harness's resolver
  const Instrument instrument{.clock = clock,
                              .trust = *trust,
                              .list = list,
                              .system_resolvers = {options.resolver},
                              .own_addresses = {},
                              .own_networks = {},
                              .allow_ipv6 = false,
                              .pacing = pacing,
                              .stamp = bench_stamp()};
  asio::io_context io(1);
  Bench bench{instrument, std::move(*target), *spool, clock.monotonic_now() + options.duration,
              options.interval, {}, std::nullopt};
  const rusage before = usage_now();
  for (std::uint32_t i = 0; i < options.concurrency; ++i) asio::co_spawn(io, work(bench), asio::detached);
  io.run();
  const rusage after = usage_now();
  if (bench.error) return std::unexpected(std::move(*bench.error));
  bench.result.user_seconds = seconds_of(after.ru_utime) - seconds_of(before.ru_utime);
  bench.result.system_seconds = seconds_of(after.ru_stime) - seconds_of(before.ru_stime);
  bench.result.resident_kilobytes_max = resident_peak_kilobytes();
  return bench.result;
}

std::string to_json(const BenchResult& result) {
  return fmt::format(R"({{"checks":{},"fails":{},"cpu_s":{:.6f},"user_s":{:.6f},"sys_s":{:.6f},"maxrss_kb":{}}})",
                     result.checks, result.fails, result.user_seconds + result.system_seconds,
                     result.user_seconds, result.system_seconds, result.resident_kilobytes_max);
}

}  // namespace kua::probe
