#include "collector/serve/metrics/metrics_endpoint.h"

#include <prometheus/registry.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "collector/serve/metrics/exposition.h"

namespace kua::collector {

HttpResponse MetricsEndpoint::answer(const HttpRequest& request) const {
  Families families;
  for (const MetricSource& source : sources_) source(families);
  if (registry_ != nullptr) {
    Families registered = registry_->Collect();
    // It keeps its samples in a hash table; an exposition that can be compared needs an order.
    for (prometheus::MetricFamily& family : registered) {
      std::ranges::sort(family.metric, {}, &prometheus::ClientMetric::label);
    }
    families.insert(families.end(), std::make_move_iterator(registered.begin()),
                    std::make_move_iterator(registered.end()));
  }
  const Exposition exposition = negotiate(request.header("accept"));
  HttpResponse response;
  response.content_type = content_type(exposition);
  response.body = expose(std::move(families), exposition);
  response.headers = {{"Cache-Control", "no-store"}, {"Vary", "Accept"}};
  return response;
}

}  // namespace kua::collector
