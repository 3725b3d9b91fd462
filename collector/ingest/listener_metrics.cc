#include "collector/ingest/listener_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <string>

namespace kua::collector {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;

// The server counts; the counter follows.
void raise_to(Counter& counter, std::uint64_t total) {
  const auto target = static_cast<double>(total);
  if (target > counter.Value()) counter.Increment(target - counter.Value());
}

}  // namespace

struct ListenerMetrics::Impl {
  Family<Counter>& responses;
  Family<Counter>& dropped;
  Family<Counter>& accepted;
  Family<Gauge>& open;
};

ListenerMetrics::ListenerMetrics(prometheus::Registry& registry)
    : impl_(new Impl{
          BuildCounter().Name("kua_http_responses_total").Help("Answers by listener and status code.").Register(registry),
          BuildCounter()
              .Name("kua_http_connections_dropped_total")
              .Help("Connections that ended before their request had an answer, by listener and reason.")
              .Register(registry),
          BuildCounter()
              .Name("kua_http_connections_total")
              .Help("Connections that were accepted, by listener.")
              .Register(registry),
          BuildGauge()
              .Name("kua_http_connections_open")
              .Help("Connections that are open now, by listener.")
              .Register(registry)}) {}
ListenerMetrics::~ListenerMetrics() = default;

void ListenerMetrics::refresh(const std::vector<const HttpServer*>& servers) {
  for (const HttpServer* server : servers) {
    const HttpCounters& counted = server->counters();
    const std::string& name = server->name();
    // Those that alerts look at are there from the start, so that their first event is seen.
    for (const unsigned code : {200U, 429U, 500U, 503U, 507U}) {
      (void)impl_->responses.Add({{"listener", name}, {"code", std::to_string(code)}});
    }
    for (const auto& [code, count] : counted.responses) {
      raise_to(impl_->responses.Add({{"listener", name}, {"code", std::to_string(code)}}), count);
    }
    for (std::size_t i = 0; i < kDropReasons; ++i) {
      const char* reason = to_string(static_cast<DropReason>(i));
      raise_to(impl_->dropped.Add({{"listener", name}, {"reason", reason}}), counted.dropped[i]);
    }
    raise_to(impl_->accepted.Add({{"listener", name}}), counted.connections);
    impl_->open.Add({{"listener", name}}).Set(static_cast<double>(counted.open));
  }
}

}  // namespace kua::collector
