// What judging costs: an ordinary measurement that went well, with one control, is what the collector
// meets hundreds of thousands of times an hour. docs/bench.md holds the figures.
#include <benchmark/benchmark.h>

#include "tests/unit/verdict/story.h"

namespace kua::verdict::test {
namespace {

// As a core round records it: both record types, two trusted resolvers, one page.
Story ordinary() {
  return Story().answers(ResolverEngine::system, {kTrue, kElsewhere})
      .answers(ResolverEngine::system, {}, QueryType::aaaa).as(StepRole::trusted)
      .answers(ResolverEngine::udp, {kTrue, kElsewhere}).answers(ResolverEngine::udp, {}, QueryType::aaaa)
      .answers(ResolverEngine::doh, {kTrue, kElsewhere}).as(StepRole::main).shakes(kTrue)
      .page(kTrue, 200, "Example Domain", 40'000, "lab");
}

Story reset_for_the_name() {
  return ordinary().cut(kElsewhere, kReset).as(StepRole::same_address).shakes(kElsewhere)
      .as(StepRole::witness).cut(kWitness, kReset);
}

Story forged_geographic() {
  return Story().answers(ResolverEngine::system, {kElsewhere}).as(StepRole::trusted)
      .answers(ResolverEngine::doh, {kTrue}).as(StepRole::main)
      .presents(kElsewhere, ChainTrust::self_signed, "x", "x").as(StepRole::trusted).shakes(kTrue);
}

void judge_story(benchmark::State& state, const Story& story, const Controls& controls) {
  const Knowledge& known = knowledge();
  for (auto _ : state) {
    auto verdicts = judge(story.measurement, controls.views(), known);
    benchmark::DoNotOptimize(verdicts);
  }
}

void ordinary_with_one_control(benchmark::State& state) { judge_story(state, ordinary(), {well()}); }
void ordinary_without_control(benchmark::State& state) { judge_story(state, ordinary(), {}); }
void ordinary_with_five_controls(benchmark::State& state) {
  judge_story(state, ordinary(), {well(), well(), well(), well(), well()});
}
void reset_for_the_name_with_one_control(benchmark::State& state) {
  judge_story(state, reset_for_the_name(), {well()});
}
void forged_answer_with_one_control(benchmark::State& state) {
  judge_story(state, forged_geographic(), {well()});
}
void extracting_control_facts(benchmark::State& state) {
  const Story story = well();
  for (auto _ : state) {
    ControlFacts facts(story.measurement);
    benchmark::DoNotOptimize(facts);
  }
}

BENCHMARK(ordinary_with_one_control);
BENCHMARK(ordinary_without_control);
BENCHMARK(ordinary_with_five_controls);
BENCHMARK(reset_for_the_name_with_one_control);
BENCHMARK(forged_answer_with_one_control);
BENCHMARK(extracting_control_facts);

}  // namespace
}  // namespace kua::verdict::test

BENCHMARK_MAIN();
