// The index of the record log: which ids are there, where, and what the read API filters by. It can
// always be made again from the log, so it is synced lazily, and a damaged one is set aside.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "collector/limits.h"
#include "collector/store/archive.h"
#include "collector/store/day_log.h"
#include "collector/store/line_place.h"
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

// The writer; lives on the commit thread. Rows wait in memory and go to the file many batches at a time,
// in order of id: then neighbours share a page, and a page is written once instead of once a batch. What
// waits is lost in a crash and made again from the log.
class RecordIndex {
 public:
  // A file whose damage shows at once is renamed to NAME.damaged and a new one begun. `recent_max`: ids whose absence
  // is known without looking into the file, at least 1.
  [[nodiscard]] static Expected<RecordIndex> open(const std::string& path,
                                                  std::size_t recent_max = limits::kIndexRecentMax);
  [[nodiscard]] bool was_damaged() const noexcept { return was_damaged_; }
  // The same for damage that showed later: an index that has the old file open stays usable, as far as it
  // was, until it goes. On error the file stands where it stood.
  [[nodiscard]] static Expected<RecordIndex> begin_anew(const std::string& path,
                                                        std::size_t recent_max = limits::kIndexRecentMax);

  // One group of batches at a time, what one commit writes: open it, add the records of a batch and end the
  // batch, end the look-ups, then close the group with its places, or undo it. Look-ups of one group share
  // one transaction: each alone would lock and unlock the file.
  [[nodiscard]] Expected<void> open_group();
  // False: the id is known already, and nothing was added.
  [[nodiscard]] Expected<bool> add(const IndexEntry& entry);
  // Where each record added since the last batch's end stands in the batch. Nothing was added: no batch.
  void end_batch(std::span<const LinePlace> places);
  [[nodiscard]] Expected<void> end_lookups();
  // Where each batch with a record added came to stand.
  void close_group(std::span<const BatchPosition> positions, WallTime committed);
  void undo_group();

  [[nodiscard]] std::size_t waiting() const noexcept { return rows_.size(); }
  // Whether rows of that day wait.
  [[nodiscard]] bool waits_for(std::chrono::sys_days day) const noexcept;
  void forget_waiting();  // it is made again from the log
  // Writes what waits, in one transaction. On error it goes on waiting.
  [[nodiscard]] Expected<void> flush();

  // Where the batches of each day end that are in the file.
  [[nodiscard]] Expected<std::map<std::chrono::sys_days, std::uint64_t>> ends();
  // Removes the rows of the day's first batch from the file. False: the file has none left; some may wait.
  [[nodiscard]] Expected<bool> remove_first_batch(std::chrono::sys_days day);

 private:
  struct Row {
    RecordId::Bytes id{};
    std::int64_t batch = 0;
    LinePlace place;
    std::int64_t time_us = 0;
    std::int64_t target = 0;  // 0: none
    std::int64_t probe = 0;
    ProbeRole role = ProbeRole::probe;
    std::array<char, 2> country{};
    std::uint32_t asn = 0;
  };
  struct ClosedBatch {
    BatchPosition position;
    WallTime committed;
    std::string ids;  // 16 bytes each
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  struct IdHash {
    // The random half of an id is as good as any hash.
    std::size_t operator()(const RecordId::Bytes& id) const noexcept;
  };

  explicit RecordIndex(platform::Database database);
  [[nodiscard]] static Expected<RecordIndex> open_once(const std::string& path);
  [[nodiscard]] Expected<void> prepare();
  [[nodiscard]] Expected<bool> is_known(const RecordId& id);
  void note_recent(const RecordId::Bytes& id);
  using Names = std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>>;
  [[nodiscard]] Expected<std::int64_t> key_of(Names& names, std::string_view name, std::size_t add_use,
                                              std::size_t find_use);
  [[nodiscard]] Expected<std::int64_t> probe_key(const ProbeId& probe);
  static void bind_row(platform::Statement& add, int first, const Row& row);
  [[nodiscard]] Expected<void> write_rows();
  [[nodiscard]] Expected<void> write_batches();

  platform::Database database_;
  std::vector<platform::Statement> statements_;  // by Use; after database_: finalized before it closes
  Names targets_;
  Names probes_;
  std::pair<std::string, std::int64_t> last_probe_;  // batches are of one probe
  bool in_transaction_ = false;
  std::vector<Row> rows_;
  std::vector<ClosedBatch> batches_;
  boost::unordered_flat_set<RecordId::Bytes, IdHash> waiting_ids_;
  // Ids carry the time of birth in front, so most are larger than all before. One above the horizon is in
  // the file only when it was added since, and then its random half is here: no need to look.
  RecordId::Bytes horizon_{};
  RecordId::Bytes newest_{};  // largest id ever added
  std::size_t recent_max_ = limits::kIndexRecentMax;
  boost::unordered_flat_set<std::uint64_t> recent_;
  std::size_t group_begin_ = 0;    // first row of the open group
  std::size_t batch_begin_ = 0;    // first row of its open batch
  std::size_t group_batches_ = 0;  // ended in it
  std::int64_t next_number_ = 1;   // of the group's first batch
  bool was_damaged_ = false;
};

}  // namespace kua::collector
