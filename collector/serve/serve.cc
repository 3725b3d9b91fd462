#include "collector/serve/serve.h"

#include <algorithm>
#include <utility>

#include "collector/serve/metrics/overview_source.h"
#include "collector/serve/metrics/process_source.h"

namespace kua::collector {
namespace {

// One overview serves a crowd; on a local instance the one reader wants to see what just came.
constexpr Microseconds kKeepPublic = std::chrono::seconds(5);
constexpr Microseconds kKeepLocal = std::chrono::milliseconds(200);

void divide(Microseconds& duration, double divisor) {
  const auto scaled = static_cast<std::int64_t>(static_cast<double>(duration.count()) / divisor);
  duration = std::max(Microseconds(std::chrono::milliseconds(100)), Microseconds(scaled));
}

PublicSite::Options public_options(const ServeOptions& options) {
  return {options.rule,
          {options.operator_name, options.build.version},
          options.build,
          options.rule.is_local() ? kKeepLocal : kKeepPublic};
}

}  // namespace

void ServeOptions::scale_time(double divisor) {
  for (Microseconds* duration :
       {&cells.key_window, &cells.core_window, &cells.full_window, &cells.key_held_for, &attendance.interval_first,
        &attendance.interval_min, &attendance.interval_max}) {
    divide(*duration, divisor);
  }
  for (Microseconds& interval : judge.book.timing.interval_first) divide(interval, divisor);
}

Serve::Serve(ServeOptions options, prometheus::Registry& registry, RecordArchive& archive,
             const platform::Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      metrics_(registry, options_.max_series),
      state_({{}, options_.cells, options_.attendance}, metrics_),
      judge_(options_.judge, state_, clock),
      second_look_(archive, judge_),
      metrics_endpoint_(&registry),
      desk_(second_look_, metrics_endpoint_, [this] { return look(); }),
      public_(
          public_options(options_), [this] { return look(); },
          [this] { return clock_.wall_now(); }) {
  judge_.set_timer([this](Microseconds duration) { metrics_.judge_duration(duration); });
  metrics_endpoint_.add_source([this](Families& families) {
    add_overview(families, look(), options_.max_series, metrics_);
    add_build_info(families, options_.build);
    add_judge(families, judge_);
    add_cells(families, state_);
    add_process(families);
  });
}

void Serve::set_lists(std::span<const protocol::TargetList> lists) {
  auto knowledge = std::make_shared<KnowledgeSet>();
  for (const protocol::TargetList& list : lists) knowledge->merge(list);
  state_.set_lists(lists);
  judge_.set_knowledge(std::move(knowledge));
}

void Serve::live() noexcept {
  metrics_.live();
  judge_.live();
  state_.live();
}

Overview Serve::look() {
  const WallTime now = clock_.wall_now();
  Overview overview = state_.overview(now);
  overview.controls_reporting = judge_.controls_reporting(now);
  return overview;
}

}  // namespace kua::collector
