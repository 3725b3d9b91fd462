#include "collector/serve/metrics/exposition.h"

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>

#include "collector/serve/metrics/sources.h"

namespace kua::collector::test {
namespace {

TEST(Negotiate, Table) {
  using enum Exposition;
  struct Case {
    std::string claim;
    std::string accept;
    Exposition answer;
  };
  const Case cases[] = {
      {"who asks for nothing gets the oldest text", "", text_0_0_4},
      {"a browser gets text", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", text_0_0_4},
      {"Prometheus 2 prefers OpenMetrics",
       "application/openmetrics-text;version=1.0.0,application/"
       "openmetrics-text;version=0.0.1;q=0.75,"
       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       openmetrics_1_0},
      {"Prometheus 3 asks for protobuf first, which we do not have",
       "application/"
       "vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
       "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
       "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       openmetrics_1_0},
      {"the higher q wins", "application/openmetrics-text;version=1.0.0;q=0.2, text/plain;q=0.9",
       text_0_0_4},
      {"q=0 is a refusal", "application/openmetrics-text;version=1.0.0;q=0, text/plain;q=0.1",
       text_0_0_4},
      {"OpenMetrics 2 is not spoken", "application/openmetrics-text;version=2.0.0", text_0_0_4},
      {"nonsense gets text", ";;,=q;q=x", text_0_0_4},
  };
  for (const Case& row : cases) EXPECT_EQ(negotiate(row.accept), row.answer) << row.claim;
}

// One family of each kind, with everything that needs care.
Families sample() {
  prometheus::Registry registry;
  auto& counters = prometheus::BuildCounter()
                       .Name("kua_received_bytes_total")
                       .Help("Bytes; a \\ and a\nnewline.")
                       .Register(registry);
  counters.Add({{"path", "a\"b\\c\nd"}}).Increment(3);
  counters.Add({{"path", "a"}}).Increment(1e21);
  prometheus::BuildHistogram()
      .Name("kua_step_duration_seconds")
      .Help("Durations.")
      .Register(registry)
      .Add({{"layer", "dns"}}, prometheus::Histogram::BucketBoundaries{0.005, 1, 30})
      .Observe(0.5);
  Families families = registry.Collect();
  for (prometheus::MetricFamily& family : families) {
    std::ranges::sort(family.metric, {}, &prometheus::ClientMetric::label);
  }
  add_sample(
      open_family(families, "kua_build_info", "What is running.", prometheus::MetricType::Gauge), 1,
      {{"version", "0.1.0"}});
  return families;
}

TEST(Expose, Text) {
  EXPECT_EQ(expose(sample(), Exposition::text_0_0_4),
            "# HELP kua_build_info What is running.\n"
            "# TYPE kua_build_info gauge\n"
            "kua_build_info{version=\"0.1.0\"} 1\n"
            "# HELP kua_received_bytes_total Bytes; a \\\\ and a\\nnewline.\n"
            "# TYPE kua_received_bytes_total counter\n"
            "kua_received_bytes_total{path=\"a\"} 1e+21\n"
            "kua_received_bytes_total{path=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# HELP kua_step_duration_seconds Durations.\n"
            "# TYPE kua_step_duration_seconds histogram\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"0.005\"} 0\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"1.0\"} 1\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"30.0\"} 1\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"+Inf\"} 1\n"
            "kua_step_duration_seconds_sum{layer=\"dns\"} 0.5\n"
            "kua_step_duration_seconds_count{layer=\"dns\"} 1\n");
}

TEST(Expose, OpenMetrics) {
  EXPECT_EQ(expose(sample(), Exposition::openmetrics_1_0),
            "# TYPE kua_build info\n"
            "# HELP kua_build What is running.\n"
            "kua_build_info{version=\"0.1.0\"} 1\n"
            "# TYPE kua_received_bytes counter\n"
            "# UNIT kua_received_bytes bytes\n"
            "# HELP kua_received_bytes Bytes; a \\\\ and a\\nnewline.\n"
            "kua_received_bytes_total{path=\"a\"} 1e+21\n"
            "kua_received_bytes_total{path=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# TYPE kua_step_duration_seconds histogram\n"
            "# UNIT kua_step_duration_seconds seconds\n"
            "# HELP kua_step_duration_seconds Durations.\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"0.005\"} 0\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"1.0\"} 1\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"30.0\"} 1\n"
            "kua_step_duration_seconds_bucket{layer=\"dns\",le=\"+Inf\"} 1\n"
            "kua_step_duration_seconds_sum{layer=\"dns\"} 0.5\n"
            "kua_step_duration_seconds_count{layer=\"dns\"} 1\n"
            "# EOF\n");
}

TEST(Expose, PartsOfOneFamilyStandTogether) {
  Families families;
  add_sample(open_family(families, "kua_b", "B.", prometheus::MetricType::Gauge), 1, {{"x", "1"}});
  add_sample(open_family(families, "kua_a", "A.", prometheus::MetricType::Gauge), 2);
  add_sample(open_family(families, "kua_b", "B.", prometheus::MetricType::Gauge), 3, {{"x", "2"}});
  EXPECT_EQ(expose(families, Exposition::text_0_0_4),
            "# HELP kua_a A.\n# TYPE kua_a gauge\nkua_a 2\n"
            "# HELP kua_b B.\n# TYPE kua_b gauge\nkua_b{x=\"1\"} 1\nkua_b{x=\"2\"} 3\n");
}

TEST(Expose, AFamilyWithoutSamplesIsLeftOut) {
  Families families;
  (void)open_family(families, "kua_a", "A.", prometheus::MetricType::Gauge);
  EXPECT_EQ(expose(families, Exposition::text_0_0_4), "");
}

}  // namespace
}  // namespace kua::collector::test
