// The serving half of the collector put together: records go in at sink(), pages, API and metrics
// come out at the routers. main.cc builds the other half and connects the two.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "collector/http/http.h"
#include "collector/judge/judge.h"
#include "collector/judge/second_look.h"
#include "collector/serve/desk/desk_site.h"
#include "collector/serve/live_state.h"
#include "collector/serve/metrics/measurement_metrics.h"
#include "collector/serve/metrics/metrics_endpoint.h"
#include "collector/serve/public/public_site.h"
#include "collector/store/archive.h"
#include "platform/clock/clock.h"
#include "protocol/target_list.h"

namespace kua::collector {

struct ServeOptions {
  PublicationRule rule;
  std::string operator_name;
  BuildInfo build;
  std::size_t max_series = limits::kSeriesMax;
  CellsOptions cells;
  AttendanceOptions attendance;
  JudgeOptions judge;

  // The lab's clock: every window and cadence divided. What a check by hand holds for stays.
  void scale_time(double divisor);
};

class Serve {
 public:
  // Borrows all three, which outlive this. Lives on the state thread.
  Serve(ServeOptions options, prometheus::Registry& registry, RecordArchive& archive,
        const platform::Clock& clock);

  [[nodiscard]] RecordSink& sink() noexcept { return judge_; }
  // Call once, after the replay on start: what came before it makes cells and moves no counter.
  void live() noexcept;
  // What the signed lists say of targets and of how networks block.
  void set_lists(std::span<const protocol::TargetList> lists);
  // Runs before each scrape of the desk, to refresh what others keep in the registry.
  void add_metric_source(MetricSource source) { metrics_endpoint_.add_source(std::move(source)); }

  void add_desk_routes(Router& router) { desk_.add_routes(router); }
  void add_public_routes(Router& router) { public_.add_routes(router); }

  // Call once a minute.
  void tick() { public_.tick(); }

 private:
  [[nodiscard]] Overview look();

  ServeOptions options_;
  const platform::Clock& clock_;
  MeasurementMetrics metrics_;
  LiveState state_;
  Judge judge_;
  SecondLook second_look_;
  MetricsEndpoint metrics_endpoint_;
  DeskSite desk_;
  PublicSite public_;
};

}  // namespace kua::collector
