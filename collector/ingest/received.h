// A record together with what the collector itself established about where it came from. The source
// address is not among it: it was used to derive these facts and forgotten.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "measurement/record.h"

namespace kua::collector {

struct ReceivedFacts {
  WallTime received;
  CountryCode country = *CountryCode::parse("ZZ");  // by our own database
  Asn asn;
  NetworkType network_type = NetworkType::unknown;
  std::string cluster;     // pseudonym of the /24 or /48 in the record's epoch; empty: counts as no witness
  bool network_agrees = false;  // what the probe claimed equals what we looked up
  bool late = false;            // measured long before it was received
  // How far the probe's wall clock stood ahead of ours when the record was made, at least: its
  // monotonic clock and the times of arrival of its records give the bound, which a delayed upload
  // lowers. Exact to the rounding of the record's times where something arrived without delay.
  std::optional<Microseconds> clock_skew;
  friend bool operator==(const ReceivedFacts&, const ReceivedFacts&) = default;
};

struct ReceivedRecord {
  Record record;
  ReceivedFacts facts;
};

// Told of records after they are on disk, in order of commit, and again on start while the log is
// replayed. Called on the collector's one state thread (its io_context); must not block.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void on_record(const ReceivedRecord& received) = 0;
  // Not stored: liveness only.
  virtual void on_heartbeat(const ProbeId& probe, LinkState state, const ReceivedFacts& facts) = 0;
};

}  // namespace kua::collector
