#include "collector/ingest/reception.h"

#include <algorithm>

#include "collector/limits.h"

namespace kua::collector {

Epoch epoch_of(WallTime time) noexcept {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch() / limits::kClusterEpoch;
}

ReceivedFacts facts_of(const Reception& reception, const RecordHeader& header) {
  ReceivedFacts facts;
  facts.received = reception.time;
  facts.country = reception.country;
  facts.asn = reception.asn;
  facts.network_type = reception.network_type;
  const auto cluster = std::ranges::find(reception.clusters, epoch_of(header.time), &std::pair<Epoch, std::string>::first);
  if (cluster != reception.clusters.end()) facts.cluster = cluster->second;
  facts.network_agrees = reception.asn.number != 0 && header.vantage.asn == reception.asn &&
                         header.vantage.country == reception.country;
  facts.late = reception.time - header.time > limits::kLateAfter;
  if (reception.anchor && reception.anchor->boot == header.boot) {
    facts.clock_skew = header.time.time_since_epoch() - header.monotonic.time_since_epoch() - reception.anchor->begin;
  }
  return facts;
}

}  // namespace kua::collector
