// What others who read metrics say of ours: the real promtool, and the strict OpenMetrics parser of
// the Python client. Each is skipped where it is not installed.
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "collector/serve/metrics/exposition.h"
#include "collector/serve/metrics/measurement_metrics.h"
#include "collector/serve/metrics/overview_source.h"
#include "collector/serve/metrics/process_source.h"
#include "collector/serve/public/public_source.h"
#include "collector/serve/serve.h"
#include "tests/unit/collector_judge/world.h"
#include "tests/unit/collector_serve/sample.h"

namespace kua::collector::test {
namespace {

struct Outcome {
  int code = -1;
  std::string output;
};

// Runs a shell command over a file that holds `input`.
Outcome run(const std::string& command, const std::string& input) {
  const std::string path = ::testing::TempDir() + "kua_exposition_" + std::to_string(getpid());
  std::ofstream(path) << input;
  FILE* pipe = popen((command + " < " + path + " 2>&1").c_str(), "r");
  Outcome outcome;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr &&
         fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) {
    outcome.output += buffer.data();
  }
  const int status = pipe == nullptr ? -1 : pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::remove(path.c_str());
  return outcome;
}

// Every family that we make, with samples.
Families desk_families() {
  static prometheus::Registry registry;
  static StillClock clock;
  static MemoryArchive archive;
  static Serve serve({}, registry, archive, clock);
  static MeasurementMetrics metrics(registry, 1'000);
  serve.sink().on_record(received(measured(verdict::test::well(), 1, 0)));
  Families families = registry.Collect();
  NetworkOverview one = network("KZ", 9198, 12);
  one.targets.push_back(
      target("web:https://www.example.com/", State::blocked, 12, "tls.reset.sni"));
  add_overview(families, overview({one}), 1'000, metrics);
  add_build_info(families, {"0.1.0", "abc", "g++ \"12\""});
  static LiveState state({}, metrics);
  static Judge judge({}, state, clock);
  add_judge(families, judge);
  add_cells(families, state);
  add_process(families);
  return families;
}

Families public_families() {
  Families families;
  Publisher publisher({});
  NetworkOverview one = network("KZ", 9198, 12);
  one.targets.push_back(
      target("web:https://www.example.com/", State::blocked, 12, "tls.reset.sni"));
  add_public_overview(families, shown_since_the_hour(publisher, overview({one})));
  add_build_info(families, {"0.1.0", "abc", "g++"});
  return families;
}

TEST(Checkers, PromtoolIsSilent) {
  if (run("command -v promtool", "").code != 0) GTEST_SKIP() << "promtool is not installed";
  for (const Families& families : {desk_families(), public_families()}) {
    const Outcome outcome = run("promtool check metrics", expose(families, Exposition::text_0_0_4));
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.output, "");
  }
  EXPECT_NE(
      run("promtool check metrics", "# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n").output,
      "")
      << "promtool complains where there is something to complain of";
}

TEST(Checkers, EveryFamilyIsInTheDocument) {
  std::ifstream file(std::string(KUA_SOURCE_DIR) + "/docs/metrics.md");
  const std::string document((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
  for (const prometheus::MetricFamily& family : desk_families()) {
    if (family.name.starts_with("process_")) continue;
    EXPECT_NE(document.find("`" + family.name + "`"), std::string::npos) << family.name;
    EXPECT_TRUE(family.help.ends_with('.')) << family.name << ": a sentence";
  }
}

TEST(Checkers, TheStrictOpenMetricsParserTakesIt) {
  constexpr const char* kParse =
      "/usr/bin/python3 -c 'import sys; from prometheus_client.openmetrics import parser; "
      "print(sum(len(f.samples) for f in "
      "parser.text_string_to_metric_families(sys.stdin.read())))'";
  if (run("/usr/bin/python3 -c 'import prometheus_client.openmetrics'", "").code != 0) {
    GTEST_SKIP() << "python3-prometheus-client is not installed";
  }
  for (const Families& families : {desk_families(), public_families()}) {
    const std::string text = expose(families, Exposition::openmetrics_1_0);
    const Outcome outcome = run(kParse, text);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    const auto lines = std::count(text.begin(), text.end(), '\n');
    std::ptrdiff_t comments = 0;
    for (auto at = text.find("# "); at != std::string::npos; at = text.find("\n# ", at + 1))
      ++comments;
    EXPECT_EQ(outcome.output, std::to_string(lines - comments) + "\n");
  }
  EXPECT_NE(run(kParse, "# TYPE a counter\na 1\n# EOF\n").code, 0)
      << "a counter's sample needs _total";
}

}  // namespace
}  // namespace kua::collector::test
