#include "collector/serve/metrics/collector_source.h"

namespace kua::collector {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void add_counter(Families& families, const char* name, const char* help, std::uint64_t value) {
  add_sample(open_family(families, name, help, MetricType::Counter), static_cast<double>(value));
}

void add_gauge(Families& families, const char* name, const char* help, std::size_t value) {
  add_sample(open_family(families, name, help, MetricType::Gauge), static_cast<double>(value));
}

}  // namespace

void add_build_info(Families& families, const BuildInfo& build) {
  MetricFamily& info =
      open_family(families, "kua_build_info", "What is running, always 1.", MetricType::Gauge);
  add_sample(
      info, 1,
      {{"version", build.version}, {"revision", build.revision}, {"compiler", build.compiler}});
}

void add_judge(Families& families, const Judge& judge) {
  const JudgeCounters& counters = judge.counters();
  add_counter(families, "kua_judge_repeated_total",
              "Judgements made anew because a control came that was lacking.",
              counters.judged_again);
  add_counter(families, "kua_judge_revised_total",
              "Measurements whose summary state changed when they were judged anew.",
              counters.revised);
  add_counter(families, "kua_judge_controls_total", "Control measurements that were taken.",
              counters.controls);
  MetricFamily& ignored =
      open_family(families, "kua_judge_controls_ignored_total",
                  "Control measurements that were not taken, by the reason.", MetricType::Counter);
  add_sample(ignored, static_cast<double>(counters.controls_ignored),
             {{"reason", "not_comparable"}});
  add_sample(ignored, static_cast<double>(counters.strangers), {{"reason", "not_vouched"}});
  add_sample(ignored, static_cast<double>(counters.controls_beyond), {{"reason", "bound"}});
  add_counter(families, "kua_judge_imported_total",
              "Records of another origin, kept but never judged, counted or believed.",
              counters.imported);
  add_counter(families, "kua_judge_open_dropped_total",
              "Measurements whose wait for a control was cut short by a bound.",
              judge.open().dropped());
  add_gauge(families, "kua_judge_open", "Measurements that wait for another control.",
            judge.open().size());
}

void add_cells(Families& families, const LiveState& state) {
  add_gauge(families, "kua_cells_open", "Targets times networks that are measured now.",
            state.cells().open());
  MetricFamily& folded =
      open_family(families, "kua_cells_folded_total",
                  "Measurements that went into other because a bound was reached, by the bound.",
                  MetricType::Counter);
  add_sample(folded, static_cast<double>(state.cells().folded()), {{"bound", "cells"}});
  add_sample(folded, static_cast<double>(state.cells().unheard()), {{"bound", "witnesses"}});
  add_sample(folded, static_cast<double>(state.directory().folded().targets),
             {{"bound", "targets"}});
  add_sample(folded, static_cast<double>(state.directory().folded().networks),
             {{"bound", "networks"}});
  add_sample(folded, static_cast<double>(state.attendance().turned_away()), {{"bound", "probes"}});
}

}  // namespace kua::collector
