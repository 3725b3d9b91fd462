#include "collector/store/place_reader.h"

#include <algorithm>

#include "collector/limits.h"
#include "collector/store/batch_line.h"
#include "collector/store/batch_text.h"
#include "platform/compress/compress.h"

namespace kua::collector {

struct PlaceReader::OpenedBatch {
  std::string text;
  std::string_view records;  // of the text
  Reception reception;
};

Expected<std::shared_ptr<const PlaceReader::OpenedBatch>> PlaceReader::open(const BatchPosition& position) {
  const auto known = std::ranges::find_if(opened_, [&](const auto& entry) { return entry.first == position; });
  if (known != opened_.end()) return known->second;
  const auto bytes = files_.read(directory_ + "/" + DayLog::file_name(position.day), position.offset,
                                 static_cast<std::size_t>(position.bytes));
  if (!bytes) return std::unexpected(bytes.error());
  auto text = platform::zstd_decompress(*bytes, limits::kStoredBatchBytesMax);
  if (!text) return std::unexpected(text.error());
  const auto batch = std::make_shared<OpenedBatch>();
  batch->text = std::move(*text);
  const BatchParts parts = parts_of(batch->text);
  auto about = read_batch_line(parts.line);
  if (!about) return std::unexpected(about.error());
  batch->records = parts.records;
  batch->reception = std::move(about->reception);
  if (opened_.size() >= limits::kBatchCacheMax) opened_.pop_front();
  opened_.emplace_back(position, batch);
  return batch;
}

Expected<StoredRecord> PlaceReader::read(const IndexedPlace& place) {
  const auto batch = open(place.batch);
  if (!batch) return std::unexpected(batch.error());
  const std::string_view lines = (*batch)->records;
  if (std::size_t(place.line.offset) + place.line.bytes > lines.size()) {
    return fail(ErrorKind::invalid_input, "the index points behind the batch", "reading a stored record");
  }
  const std::string_view line = lines.substr(place.line.offset, place.line.bytes);
  auto record = reader_.read(line);
  if (!record) return std::unexpected(record.error());
  ReceivedFacts facts = facts_of((*batch)->reception, header_of(*record));
  return StoredRecord{std::string(line), std::move(*record), std::move(facts)};
}

}  // namespace kua::collector
