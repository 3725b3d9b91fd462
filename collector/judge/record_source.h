// Where stored records are read back from: what the read API and a second judgement need of the
// store. The store implements it; nothing here writes. Called on the collector's one state thread;
// a call may read the disk, so callers bound what they ask for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "collector/ingest/received.h"
#include "measurement/error.h"

namespace kua::collector {

// All conditions that are set must hold. Countries and networks are those of the record's own
// vantage, what the probe claimed: the record log keeps what was sent.
struct RecordFilter {
  std::optional<TargetId> target;
  std::optional<CountryCode> country;
  std::optional<Asn> network;
  std::optional<ProbeRole> role;
  std::optional<WallTime> since;  // header.time at or after
  std::optional<WallTime> until;  // header.time before
  std::optional<RecordId> after;  // continue behind this one: only ids smaller than it
  std::size_t limit = 0;          // at most so many records
};

struct StoredRecord {
  ReceivedRecord received;
  std::string line;  // the record's bytes as they were sent, one JSON object without the newline
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // Errors: not_found for an id that is not stored (or no longer), io for a damaged or unreadable
  // log.
  [[nodiscard]] virtual Expected<StoredRecord> find(const RecordId& id) = 0;
  // Newest first, that is by id, descending: ids are UUIDv7 and sort by time of birth, and unlike a
  // time they are unique, so that a page can be continued without a gap or a repeat.
  [[nodiscard]] virtual Expected<std::vector<StoredRecord>> page(const RecordFilter& filter) = 0;
};

}  // namespace kua::collector
