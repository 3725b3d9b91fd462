// What a record costs after it is on disk: judge, cells, presence and metrics; what one scrape and
// one page cost; and how many bytes a cell holds. docs/bench.md holds the figures.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <prometheus/registry.h>

#include "collector/serve/metrics/exposition.h"
#include "collector/serve/metrics/overview_source.h"
#include "collector/serve/page/page.h"
#include "collector/serve/serve.h"
#include "tests/unit/collector_judge/world.h"

namespace kua::collector::test {
namespace {

using verdict::test::kTrue;
using verdict::test::well;

// As a key round records it: one system look-up, one address, one handshake.
Story key_round() { return Story().answers(ResolverEngine::system, {kTrue}).shakes(kTrue); }

TargetId target_id(unsigned number) {
  return *TargetId::parse("web:https://www.target-" + std::to_string(number) + ".example/");
}

// 1,000 probes in 20 networks, 12 key targets, one record each in turn.
std::vector<ReceivedRecord> traffic(const Story& story, std::size_t records) {
  std::vector<ReceivedRecord> result;
  for (std::size_t i = 0; i < records; ++i) {
    const auto probe = static_cast<unsigned>(i % 1000);
    Measurement measurement = measured(story, probe, static_cast<double>(i) / 10'000);
    measurement.target = target_id(static_cast<unsigned>(i / 1000 % 12));
    measurement.header.vantage.asn = Asn{9000 + probe % 20};
    measurement.header.vantage.network_type = NetworkType::fixed;
    result.push_back(received(std::move(measurement)));
  }
  return result;
}

class NoSink final : public JudgementSink {
 public:
  void on_contact(const RecordHeader&, const ReceivedFacts&) override {}
  void on_judged(const Measurement&, const ReceivedFacts&, const std::vector<Verdict>&) override {}
  void on_revised(const Measurement&, const ReceivedFacts&, const std::vector<Verdict>&,
                  const std::vector<Verdict>&) override {}
  void on_link(const Measurement&, const ReceivedFacts&, LinkState) override {}
  void on_control(const ProbeId&) override {}
  void on_heartbeat(const ProbeId&, LinkState, const ReceivedFacts&) override {}
};

void run(benchmark::State& bench, RecordSink& sink, const std::vector<ReceivedRecord>& records) {
  std::size_t next = 0;
  for (auto _ : bench) {
    sink.on_record(records[next]);
    next = next + 1 == records.size() ? 0 : next + 1;
  }
  bench.SetItemsProcessed(bench.iterations());
}

void take_controls(RecordSink& sink) {
  for (unsigned number = 0; number < 12; ++number) {
    Measurement measurement = control(well(), 5000, 0);
    measurement.target = target_id(number);
    sink.on_record(received(std::move(measurement)));
  }
}

void judge_alone(benchmark::State& bench) {
  NoSink sink;
  platform::SystemClock clock;
  Judge judge({}, sink, clock);
  judge.set_knowledge(known());
  take_controls(judge);
  run(bench, judge, traffic(key_round(), 12'000));
}
BENCHMARK(judge_alone);

struct Everything {
  platform::SystemClock clock;
  prometheus::Registry registry;
  MeasurementMetrics metrics{registry, limits::kSeriesMax};
  LiveState state{{}, metrics};
  Judge judge{{}, state, clock};
  Everything() {
    judge.set_knowledge(known());
    metrics.live();
    judge.set_timer([this](Microseconds duration) { metrics.judge_duration(duration); });
    take_controls(judge);
  }
};

void judge_cells_and_metrics(benchmark::State& bench) {
  Everything all;
  run(bench, all.judge, traffic(key_round(), 12'000));
}
BENCHMARK(judge_cells_and_metrics);

void the_same_in_trouble(benchmark::State& bench) {
  Everything all;
  run(bench, all.judge,
      traffic(Story().answers(ResolverEngine::system, {kTrue}).cut(kTrue, verdict::test::kReset),
              12'000));
}
BENCHMARK(the_same_in_trouble);

std::size_t heap_bytes() { return mallinfo2().uordblks; }

// 50 networks × 120 targets, four layers each, `witnesses` in each.
void fill(Cells& cells, unsigned witnesses) {
  Verdict verdict;
  verdict.host = "www.example.com";
  verdict.state = State::ok;
  std::vector<Verdict> verdicts(4, verdict);
  for (std::size_t layer = 0; layer < 4; ++layer) verdicts[layer].layer = static_cast<Layer>(layer);
  for (std::uint32_t network = 1; network <= 50; ++network) {
    for (std::uint32_t target = 1; target <= 120; ++target) {
      for (unsigned witness = 1; witness <= witnesses; ++witness) {
        Vote vote;
        vote.target = {target};
        vote.network = {network};
        vote.tier = Tier::key;
        vote.probe = witness * 0x9e3779b97f4a7c15ULL;
        vote.cluster = witness * 0xbf58476d1ce4e5b9ULL;
        vote.time = kStart;
        vote.states = LayerStates::of(verdicts);
        cells.add(vote, kStart);
      }
    }
  }
}

void bytes_of_a_cell(benchmark::State& bench) {
  for (auto _ : bench) {
    const std::size_t before = heap_bytes();
    Cells cells{CellsOptions{}};
    fill(cells, static_cast<unsigned>(bench.range(0)));
    const auto bytes = static_cast<double>(heap_bytes() - before);
    bench.counters["bytes_per_cell"] = bytes / static_cast<double>(cells.open_layers());
    bench.counters["bytes_per_target"] = bytes / static_cast<double>(cells.open());
  }
}
BENCHMARK(bytes_of_a_cell)->Arg(1)->Arg(10)->Arg(100)->Iterations(1);

// 24,000 cells: 50 networks × 120 targets.
Overview big_overview() {
  Overview overview;
  overview.now = kStart;
  overview.key_window = std::chrono::minutes(30);
  for (std::uint32_t number = 0; number < 50; ++number) {
    NetworkOverview network;
    network.network = {*CountryCode::parse(number < 25 ? "KZ" : "KG"), Asn{9000 + number},
                       NetworkType::fixed};
    network.clusters = network.reporting = network.expected = 20;
    for (unsigned target = 0; target < 120; ++target) {
      TargetOverview one;
      one.target = target_id(target).text();
      one.category = "NEWS";
      one.state = target % 40 == 0 ? State::blocked : State::ok;
      one.clusters = one.probes = 20;
      one.since = one.newest = kStart;
      for (int layer = 0; layer < 4; ++layer)
        one.layers.push_back({static_cast<Layer>(layer), one.state, kStart, 0.5});
      network.targets.push_back(std::move(one));
    }
    overview.networks.push_back(std::move(network));
  }
  return overview;
}

void overview_of_6000_targets(benchmark::State& bench) {
  prometheus::Registry registry;
  MeasurementMetrics metrics(registry, limits::kSeriesMax);
  LiveState state({}, metrics);
  StillClock clock;
  Judge judge({}, state, clock);
  for (unsigned network = 0; network < 50; ++network) {
    for (unsigned target = 0; target < 120; ++target) {
      Measurement measurement = measured(key_round(), network, 0);
      measurement.target = target_id(target);
      measurement.header.vantage.asn = Asn{9000 + network};
      judge.on_record(received(std::move(measurement)));
    }
  }
  for (auto _ : bench) benchmark::DoNotOptimize(state.overview(kStart));
}
BENCHMARK(overview_of_6000_targets)->Unit(benchmark::kMillisecond);

void scrape_of_6000_targets(benchmark::State& bench) {
  prometheus::Registry registry;
  MeasurementMetrics metrics(registry, limits::kSeriesMax);
  const Overview overview = big_overview();
  std::size_t bytes = 0;
  for (auto _ : bench) {
    Families families;
    add_overview(families, overview, limits::kSeriesMax, metrics);
    const std::string text = expose(std::move(families), Exposition::openmetrics_1_0);
    bytes = text.size();
  }
  bench.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(scrape_of_6000_targets)->Unit(benchmark::kMillisecond);

void page_of_6000_targets(benchmark::State& bench) {
  Publisher publisher({});
  const Overview overview = big_overview();
  Overview at_hour = overview;
  at_hour.now = floor_to(overview.now, std::chrono::hours(1));
  (void)publisher.publish(at_hour);
  std::size_t bytes = 0;
  for (auto _ : bench) bytes = render_page(publisher.publish(overview), {}).size();
  bench.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(page_of_6000_targets)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kua::collector::test

BENCHMARK_MAIN();
