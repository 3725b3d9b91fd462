// From a place in the index to the record that stands there. Keeps the last few batches decompressed.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "collector/store/archive.h"
#include "collector/store/day_log.h"
#include "collector/store/index_reader.h"
#include "collector/store/store_files.h"
#include "measurement/error.h"
#include "protocol/record_codec.h"

namespace kua::collector {

class PlaceReader {
 public:
  // Borrows `files`; `directory` is the record log's.
  PlaceReader(StoreFiles& files, std::string directory) : files_(files), directory_(std::move(directory)) {}
  // Errors: not_found when its day is gone, invalid_input when it cannot be read.
  [[nodiscard]] Expected<StoredRecord> read(const IndexedPlace& place);

 private:
  struct OpenedBatch;
  [[nodiscard]] Expected<std::shared_ptr<const OpenedBatch>> open(const BatchPosition& position);

  StoreFiles& files_;
  std::string directory_;
  protocol::RecordReader reader_;
  std::deque<std::pair<BatchPosition, std::shared_ptr<const OpenedBatch>>> opened_;  // the newest last
};

}  // namespace kua::collector
