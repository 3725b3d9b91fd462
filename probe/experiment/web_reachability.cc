#include <algorithm>
#include <utility>

#include "probe/experiment/experiment.h"
#include "probe/experiment/follow_up.h"
#include "probe/experiment/quic.h"
#include "probe/experiment/site.h"
#include "probe/limits.h"

namespace kua::probe {

namespace asio = boost::asio;

namespace {

// Where an earlier hop reached this very host.
std::vector<IpAddress> known_addresses(const std::vector<Visit>& visits, const std::string& host) {
  std::vector<IpAddress> out;
  for (const Visit& visit : visits) {
    if (visit.site.host != host) continue;
    for (const Endpoint& endpoint : visit.facts.reached) {
      if (std::ranges::find(out, endpoint.address) == out.end()) out.push_back(endpoint.address);
    }
  }
  return out;
}

bool names_other_scheme(std::string_view location) {
  const auto colon = location.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view scheme = location.substr(0, colon);
  const bool word = std::ranges::all_of(scheme, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
  });
  return word && scheme.find("http") == std::string_view::npos &&
         scheme.find("HTTP") == std::string_view::npos;
}

// The next URL of the chain, or nullopt where it ends.
std::optional<protocol::TargetUrl> next_url(Run& run, const Site& site, const SiteFacts& facts) {
  if (!facts.answer || facts.answer->location.empty()) return std::nullopt;
  if (site.hop == kRedirectsMax) {
    run.count_limit("redirects");
    return std::nullopt;
  }
  if (names_other_scheme(facts.answer->location)) return std::nullopt;  // an app's link: not ours to open
  const auto next = protocol::resolve_reference(site.url, facts.answer->location);
  if (!next) {  // what a browser shows an error for
    run.fail_round_trip(site.hop, FailureCode::http_invalid_redirect_location_host);
    return std::nullopt;
  }
  const auto literal = next->address();
  if (literal && !run.may_contact(*literal)) {
    run.count_limit("private_redirects");
    return std::nullopt;
  }
  return *next;
}

}  // namespace

asio::awaitable<Measurement> web_reachability(const Instrument& instrument, ExperimentRequest request) {
  const auto run = std::make_shared<Run>(instrument, std::move(request), "web_reachability");
  auto parsed = protocol::parse_target_url(run->request().target.url);
  if (!parsed) {
    run->fail_instrument(parsed.error());
    co_return run->finish();
  }
  std::vector<Visit> visits;
  std::optional<protocol::TargetUrl> url = std::move(*parsed);
  for (std::uint32_t hop = 0; url && !run->instrument_failed(); ++hop) {
    Visit visit;
    visit.site = site_of(*url, hop, run->request().depth);
    std::vector<IpAddress> known = known_addresses(visits, visit.site.host);
    visit.facts = co_await measure_site(run, visit.site, std::move(known));
    url = next_url(*run, visit.site, visit.facts);
    visits.push_back(std::move(visit));
  }
  co_await settle_lookups(run, visits);
  if (!run->instrument_failed()) co_await try_quic(run, visits);
  if (!run->instrument_failed()) co_await follow_up(run, std::move(visits), run->request().follow_up);
  co_await bytes_counted(run);
  co_return run->finish();
}

}  // namespace kua::probe
