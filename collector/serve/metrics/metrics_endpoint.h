// Answers GET /metrics: collects the registry and the sources, in the form the scraper asked
// for. The server compresses.
#pragma once

#include <vector>

#include "collector/http/http.h"
#include "collector/serve/metrics/sources.h"

namespace prometheus {
class Registry;
}

namespace kua::collector {

class MetricsEndpoint {
 public:
  // `registry` is borrowed and may be nullptr: sources alone.
  explicit MetricsEndpoint(const prometheus::Registry* registry) : registry_(registry) {}

  // Sources run first, in this order; one may also just refresh what the registry holds.
  void add_source(MetricSource source) { sources_.push_back(std::move(source)); }
  [[nodiscard]] HttpResponse answer(const HttpRequest& request) const;

 private:
  const prometheus::Registry* registry_;
  std::vector<MetricSource> sources_;
};

}  // namespace kua::collector
