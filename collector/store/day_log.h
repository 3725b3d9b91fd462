// The record log: one append-only file a UTC day of zstd frames of NDJSON, two for each batch: a line
// about it, then its records (docs/store.md). A batch is on disk, synced, when append() returns, or it is
// not in the file. Not thread-safe but for read(), which opens the file anew.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collector/store/store_files.h"
#include "measurement/error.h"

namespace kua::collector {

// Where a batch stands: its day file, and the compressed bytes in it.
struct BatchPosition {
  std::chrono::sys_days day;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  friend auto operator<=>(const BatchPosition&, const BatchPosition&) = default;
};

struct StoredBatch {
  BatchPosition position;
  std::string text;  // decompressed: the line about the batch, then its records
};

// Goes through a day file in order. Damage is skipped.
class DayScan {
 public:
  // Borrows `files`.
  DayScan(StoreFiles& files, std::string path, std::chrono::sys_days day, std::uint64_t offset)
      : files_(files), path_(std::move(path)), day_(day), offset_(offset) {}
  // The next whole batch; nullopt at the end.
  [[nodiscard]] Expected<std::optional<StoredBatch>> next();

 private:
  [[nodiscard]] Expected<void> fill();
  // What the buffer holds at the present place; `cut`: more of the file may tell.
  enum class Here : std::uint8_t { batch, cut, nothing };
  [[nodiscard]] Here look(StoredBatch& out);
  void skip_to_frame();

  StoreFiles& files_;
  std::string path_;
  std::chrono::sys_days day_;
  std::uint64_t offset_;  // of the buffer's begin
  std::string buffer_;
  std::size_t at_ = 0;  // in the buffer
  std::size_t window_ = 0;  // bytes the buffer was filled with at most; 0: not yet
};

class DayLog {
 public:
  // What open() found and did.
  struct Recovery {
    std::uint64_t torn_bytes = 0;       // cut from the end of the newest file, and kept beside it
    std::uint64_t torn_bytes_lost = 0;  // of these, how many the full disk had no room to keep
  };

  // Looks at the newest day's end from `known_end` on (bytes of it already known to be whole batches).
  // What is not a whole batch at the end was never acknowledged: it is copied to NAME.torn-OFFSET,
  // where the disk has room, and cut off. Borrows `files`.
  [[nodiscard]] static Expected<DayLog> open(StoreFiles& files, std::string directory,
                                             const std::map<std::chrono::sys_days, std::uint64_t>& known_ends);
  [[nodiscard]] const Recovery& recovery() const noexcept { return recovery_; }

  // A batch as append() takes it: `line` about it ends in a newline, `records` are the compressed frame of
  // the rest.
  [[nodiscard]] static std::string to_frames(std::string_view line, std::string_view records);

  // Where the next batch of `day` will begin. Days never go back: an earlier one is taken as the newest.
  [[nodiscard]] BatchPosition next(std::chrono::sys_days day) const;
  // Writes whole batches, syncs; their position as if they were one. On error the file is cut back to what it
  // was; if even that fails every append fails until it succeeds. Errors: no_space, io.
  [[nodiscard]] Expected<BatchPosition> append(std::chrono::sys_days day, std::string_view batches);

  [[nodiscard]] Expected<std::string> read(const BatchPosition& position) const;
  [[nodiscard]] DayScan scan(std::chrono::sys_days day, std::uint64_t offset) const;

  [[nodiscard]] const std::map<std::chrono::sys_days, std::uint64_t>& days() const noexcept { return sizes_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  // Removes the whole file.
  [[nodiscard]] Expected<void> remove_day(std::chrono::sys_days day);

  [[nodiscard]] static std::string file_name(std::chrono::sys_days day);  // "2026-11-24.ndjson.zst"

 private:
  DayLog(StoreFiles& files, std::string directory) : files_(&files), directory_(std::move(directory)) {}
  [[nodiscard]] std::string path_of(std::chrono::sys_days day) const;
  [[nodiscard]] Expected<void> refuse_other_version(std::chrono::sys_days day) const;
  [[nodiscard]] Expected<void> recover(std::chrono::sys_days day, std::uint64_t known_end);
  [[nodiscard]] Expected<void> keep_aside(const std::string& path, std::string_view bytes);
  [[nodiscard]] Expected<void> cut_back(std::chrono::sys_days day);
  [[nodiscard]] Expected<AppendFile*> file_of(std::chrono::sys_days day);

  StoreFiles* files_;
  std::string directory_;
  std::map<std::chrono::sys_days, std::uint64_t> sizes_;  // bytes of whole batches a day
  std::unique_ptr<AppendFile> open_file_;
  std::optional<std::chrono::sys_days> open_day_;
  bool needs_cut_ = false;  // the open file may hold bytes behind sizes_
  Recovery recovery_;
};

}  // namespace kua::collector
