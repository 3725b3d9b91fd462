// The index of the record log: which ids are there, where, and what the read API filters by. It can
// always be made again from the log, so it is synced lazily, and a damaged one is set aside.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collector/store/archive.h"
#include "collector/store/day_log.h"
#include "measurement/error.h"
#include "measurement/record.h"
#include "platform/sqlite/sqlite.h"

namespace kua::collector {

// What is kept of a record besides its place. `target` is empty for a minute summary.
struct IndexEntry {
  RecordId id = RecordId::from_bytes({});
  WallTime time;
  std::string_view target;  // borrowed for the call
  const ProbeId* probe = nullptr;
  ProbeRole role = ProbeRole::probe;
  CountryCode country = *CountryCode::parse("ZZ");
  Asn asn;
};
[[nodiscard]] IndexEntry index_entry_of(const Record& record);  // borrows from `record`

// The writer; lives on the commit thread.
class RecordIndex {
 public:
  // A file that is damaged is renamed to NAME.damaged and a new one begun.
  [[nodiscard]] static Expected<RecordIndex> open(const std::string& path);
  [[nodiscard]] bool was_damaged() const noexcept { return was_damaged_; }

  // One frame's rows are one transaction: begin, add…, then the frame's place and commit, or rollback.
  [[nodiscard]] Expected<void> begin();
  // False: the id is known already, and nothing was added. `offset` and `bytes`: the stored line in
  // the decompressed frame, newline excluded.
  [[nodiscard]] Expected<bool> add(const IndexEntry& entry, std::uint32_t offset, std::uint32_t bytes);
  [[nodiscard]] Expected<void> commit(const FramePosition& position, std::uint32_t records, WallTime committed);
  [[nodiscard]] Expected<void> commit_nothing();  // every id was known
  void rollback();

  // Where the indexed frames of each day end.
  [[nodiscard]] Expected<std::map<std::chrono::sys_days, std::uint64_t>> ends();
  // Frames committed at or after `since`, in order.
  [[nodiscard]] Expected<std::vector<FramePosition>> frames_since(WallTime since);
  // Removes the rows of the day's first frame. False: the day has none left.
  [[nodiscard]] Expected<bool> remove_first_frame(std::chrono::sys_days day);

 private:
  explicit RecordIndex(platform::Database database);
  [[nodiscard]] static Expected<RecordIndex> open_once(const std::string& path);
  [[nodiscard]] Expected<void> prepare();
  [[nodiscard]] Expected<std::int64_t> target_key(std::string_view target);
  [[nodiscard]] Expected<std::int64_t> probe_key(const ProbeId& probe);

  platform::Database database_;
  std::vector<platform::Statement> statements_;  // by Use; after database_: finalized before it closes
  std::unordered_map<std::string, std::int64_t> targets_;
  std::unordered_map<ProbeId, std::int64_t> probes_;
  std::int64_t next_frame_ = 1;
  std::string ids_;  // of the open transaction, 16 bytes each
  bool was_damaged_ = false;
};

// Where one stored line is.
struct IndexedPlace {
  RecordId id = RecordId::from_bytes({});
  FramePosition frame;
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

// The reader, a connection of its own; lives on the state thread.
class IndexReader {
 public:
  [[nodiscard]] static Expected<IndexReader> open(const std::string& path);
  [[nodiscard]] Expected<std::optional<IndexedPlace>> find(const RecordId& id);
  [[nodiscard]] Expected<std::vector<IndexedPlace>> query(const RecordQuery& query);

 private:
  IndexReader(platform::Database database, platform::Statement find)
      : database_(std::move(database)), find_(std::move(find)) {}
  platform::Database database_;
  platform::Statement find_;
};

}  // namespace kua::collector
