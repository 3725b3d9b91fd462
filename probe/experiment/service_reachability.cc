#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "probe/experiment/experiment.h"
#include "probe/experiment/follow_up.h"
#include "probe/experiment/site.h"
#include "probe/experiment/task_group.h"
#include "probe/limits.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

Site site_of_endpoint(const ServiceEndpoint& endpoint) {
  Site site;
  site.host = endpoint.host;
  site.port = endpoint.port;
  site.security = endpoint.tls ? Security::tls : Security::plain;
  site.reach = endpoint.tls ? Reach::handshake : Reach::connect;
  return site;
}

asio::awaitable<void> visit_into(std::shared_ptr<Run> run, std::shared_ptr<std::vector<Visit>> visits,
                                 std::size_t index) {
  const Site site = (*visits)[index].site;
  std::vector<IpAddress> unknown;
  SiteFacts facts = co_await measure_site(std::move(run), site, std::move(unknown));
  (*visits)[index].facts = std::move(facts);
}

// What of the service can be tested, in random order.
std::vector<Visit> plan_of(Run& run) {
  std::vector<ServiceEndpoint> endpoints = run.request().target.endpoints;
  std::shuffle(endpoints.begin(), endpoints.end(), run.dice());
  std::vector<Visit> plan;
  for (const ServiceEndpoint& endpoint : endpoints) {
    if (endpoint.transport == Transport::udp) {
      run.missing("udp_endpoints");
      continue;
    }
    if (plan.size() == kServiceEndpointsMax) {
      run.count_limit("endpoints");
      break;
    }
    Visit visit;
    visit.site = site_of_endpoint(endpoint);
    plan.push_back(std::move(visit));
  }
  return plan;
}

bool is_reached(const Visit& visit) { return !visit.facts.reached.empty(); }

bool is_met(ServiceRule rule, const std::vector<Visit>& visits) {
  switch (rule) {
    case ServiceRule::any:
      return std::ranges::any_of(visits, is_reached);
    case ServiceRule::all:
      return std::ranges::all_of(visits, is_reached);
  }
  return false;
}

}  // namespace

asio::awaitable<Measurement> service_reachability(const Instrument& instrument, ExperimentRequest request) {
  const auto run = std::make_shared<Run>(instrument, std::move(request), "service_reachability");
  const auto visits = std::make_shared<std::vector<Visit>>(plan_of(*run));
  const ServiceRule rule = run->request().target.rule;
  std::size_t done = 0;
  // The key tier is content with one endpoint where one is enough.
  if (run->request().depth == Depth::key && rule == ServiceRule::any && !visits->empty()) {
    co_await visit_into(run, visits, done++);
    if (is_reached(visits->front())) visits->resize(1);
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TaskGroup group(executor);
  while (done < visits->size()) group.spawn(visit_into(run, visits, done++));
  co_await group.join();
  co_await settle_lookups(run, *visits);
  // What of it fails is no doubt where the rest is enough.
  const FollowUp granted = is_met(rule, *visits) ? FollowUp::none : run->request().follow_up;
  if (!run->instrument_failed()) co_await follow_up(run, *visits, granted);
  co_await bytes_counted(run);
  co_return run->finish();
}

}  // namespace kua::probe
