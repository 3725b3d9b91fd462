// The desk listener: the full view for those who run the collector. Access is decided before
// (http/desk_access.h); nothing here passes the publication rule, and nothing here may be proxied to the
// public.
#pragma once

#include <functional>

#include "collector/http/http.h"
#include "collector/judge/second_look.h"
#include "collector/serve/metrics/metrics_endpoint.h"
#include "collector/serve/overview.h"

namespace kua::collector {

class DeskSite {
 public:
  // Borrows `records` and `metrics`; `look` gives the present. All on the state thread.
  DeskSite(SecondLook& records, const MetricsEndpoint& metrics, std::function<Overview()> look);

  void add_routes(Router& router);

  [[nodiscard]] HttpResponse record(const HttpRequest& request);
  [[nodiscard]] HttpResponse list(const HttpRequest& request);
  [[nodiscard]] HttpResponse cells(const HttpRequest& request);

 private:
  SecondLook& records_;
  const MetricsEndpoint& metrics_;
  std::function<Overview()> look_;
};

}  // namespace kua::collector
