// Looking things up in the index of the record log, over a connection of its own: it never waits for the
// writer and sees whole transactions only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/store/archive.h"
#include "collector/store/day_log.h"
#include "collector/store/line_place.h"
#include "measurement/error.h"
#include "platform/sqlite/sqlite.h"

namespace kua::collector {

// Where one stored line is.
struct IndexedPlace {
  RecordId id = RecordId::from_bytes({});
  BatchPosition batch;
  LinePlace line;
};

// The reader, a connection of its own; lives on the state thread.
class IndexReader {
 public:
  [[nodiscard]] static Expected<IndexReader> open(const std::string& path);
  [[nodiscard]] Expected<std::optional<IndexedPlace>> find(const RecordId& id);
  [[nodiscard]] Expected<std::vector<IndexedPlace>> query(const RecordQuery& query);
  // Batches that were committed at or after `since`, in order.
  [[nodiscard]] Expected<std::vector<BatchPosition>> batches_since(WallTime since);

 private:
  IndexReader(platform::Database database, platform::Statement find)
      : database_(std::move(database)), find_(std::move(find)) {}
  platform::Database database_;
  platform::Statement find_;
};

}  // namespace kua::collector
