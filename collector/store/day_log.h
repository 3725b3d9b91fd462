// The record log: one append-only file a UTC day of zstd frames of NDJSON, one frame a commit
// (docs/store.md). A frame is on disk, synced, when append() returns, or it is not in the file. Not
// thread-safe but for read(), which opens the file anew.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/store/store_files.h"
#include "measurement/error.h"

namespace kua::collector {

// Where a frame stands: its day file, and the compressed bytes in it.
struct FramePosition {
  std::chrono::sys_days day;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  friend auto operator<=>(const FramePosition&, const FramePosition&) = default;
};

struct Frame {
  FramePosition position;
  std::string lines;  // decompressed
};

class DayLog {
 public:
  // What open() found and did.
  struct Recovery {
    std::uint64_t torn_bytes = 0;       // cut from the end of the newest file, and kept beside it
    std::uint64_t torn_bytes_lost = 0;  // of these, how many the full disk had no room to keep
  };

  // Looks at the newest day's end from `known_end` on (bytes of it already known to be whole frames).
  // What is not a whole frame at the end was never acknowledged: it is copied to NAME.torn-OFFSET,
  // where the disk has room, and cut off. Borrows `files`.
  [[nodiscard]] static Expected<DayLog> open(StoreFiles& files, std::string directory,
                                             const std::map<std::chrono::sys_days, std::uint64_t>& known_ends);
  [[nodiscard]] const Recovery& recovery() const noexcept { return recovery_; }

  // Where the next frame of `day` will begin. Days never go back: an earlier one is taken as the newest.
  [[nodiscard]] FramePosition next(std::chrono::sys_days day) const;
  // Compresses, writes, syncs. On error the file is cut back to what it was; if even that fails every
  // append fails until it succeeds. Errors: no_space, io.
  [[nodiscard]] Expected<FramePosition> append(std::chrono::sys_days day, std::string_view lines);

  [[nodiscard]] Expected<std::string> read(const FramePosition& position) const;
  // The first whole frame at or after `offset`; nullopt at the end. Damage before it is skipped.
  [[nodiscard]] Expected<std::optional<Frame>> next_frame(std::chrono::sys_days day, std::uint64_t offset) const;

  [[nodiscard]] const std::map<std::chrono::sys_days, std::uint64_t>& days() const noexcept { return sizes_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  // Removes the whole file.
  [[nodiscard]] Expected<void> remove_day(std::chrono::sys_days day);

  [[nodiscard]] static std::string file_name(std::chrono::sys_days day);  // "2026-11-24.ndjson.zst"

 private:
  DayLog(StoreFiles& files, std::string directory) : files_(&files), directory_(std::move(directory)) {}
  [[nodiscard]] std::string path_of(std::chrono::sys_days day) const;
  [[nodiscard]] Expected<void> recover(std::chrono::sys_days day, std::uint64_t known_end);
  [[nodiscard]] Expected<void> keep_aside(const std::string& path, std::string_view bytes);
  [[nodiscard]] Expected<void> cut_back(std::chrono::sys_days day);
  [[nodiscard]] Expected<AppendFile*> file_of(std::chrono::sys_days day);

  StoreFiles* files_;
  std::string directory_;
  std::map<std::chrono::sys_days, std::uint64_t> sizes_;  // bytes of whole frames a day
  std::unique_ptr<AppendFile> open_file_;
  std::optional<std::chrono::sys_days> open_day_;
  bool needs_cut_ = false;  // the open file may hold bytes behind sizes_
  Recovery recovery_;
};

}  // namespace kua::collector
