// The public listener: the page, its content as JSON, and as metrics. All three are made from one
// PublicOverview, remade when it is older than a few seconds, so that a crowd of readers costs what
// one costs.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "collector/http/http.h"
#include "collector/serve/metrics/collector_source.h"
#include "collector/serve/metrics/metrics_endpoint.h"
#include "collector/serve/overview.h"
#include "collector/serve/page/page.h"
#include "collector/serve/publication/publication.h"

namespace kua::collector {

class PublicSite {
 public:
  struct Options {
    PublicationRule rule;
    PageOptions page;
    BuildInfo build;
    Microseconds keep = std::chrono::seconds(5);  // how long one overview serves
  };
  // `look` gives the present; `now` the time. Both are called on the state thread.
  PublicSite(Options options, std::function<Overview()> look, std::function<WallTime()> now);

  void add_routes(Router& router);
  // Once a minute: takes what is held for the hour at the hour.
  void tick();

  [[nodiscard]] HttpResponse page(const HttpRequest& request);
  [[nodiscard]] HttpResponse cells(const HttpRequest& request);
  [[nodiscard]] HttpResponse metrics(const HttpRequest& request);

 private:
  const PublicOverview& overview();

  Options options_;
  std::function<Overview()> look_;
  std::function<WallTime()> now_;
  Publisher publisher_;
  std::optional<PublicOverview> overview_;
  std::string page_;  // made from overview_; empty: not yet
  std::string cells_;
  MetricsEndpoint metrics_;
};

}  // namespace kua::collector
