// Reading what was stored: records by id and by filter, newest first. The index finds the batch, the
// record log gives the bytes. One reader a thread; it never waits for the commit thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "collector/ingest/received.h"
#include "measurement/error.h"
#include "measurement/names.h"
#include "measurement/time.h"

namespace kua::collector {

struct StoredRecord {
  std::string json;  // the record's line byte for byte as the probe sent it, without the newline
  Record record;     // what it says
  ReceivedFacts facts;
};

// Every field narrows; absent ones do not. Country and network are the vantage's own words.
struct RecordQuery {
  std::optional<TargetId> target;
  std::optional<ProbeId> probe;
  std::optional<CountryCode> country;
  std::optional<Asn> network;
  std::optional<ProbeRole> role;  // judging again asks for the controls of a target and a time
  std::optional<WallTime> since;  // of the record's begin; inclusive
  std::optional<WallTime> until;  // exclusive
  std::optional<RecordId> after;  // the last id of the page before
  std::size_t limit = 100;        // at most kQueryRecordsMax
};

class RecordArchive {
 public:
  virtual ~RecordArchive() = default;
  // nullopt: no such record, or its day is gone. A record can be found a moment after it was
  // acknowledged, not at the same instant.
  [[nodiscard]] virtual Expected<std::optional<StoredRecord>> find(const RecordId& id) = 0;
  // In descending order of id, which is the order of birth.
  [[nodiscard]] virtual Expected<std::vector<StoredRecord>> query(const RecordQuery& query) = 0;
};

}  // namespace kua::collector
