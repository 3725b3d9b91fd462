#include "collector/store/day_log.h"

#include <algorithm>
#include <cstdio>

#include "collector/limits.h"
#include "platform/compress/compress.h"

namespace kua::collector {
namespace {

using std::chrono::sys_days;

constexpr std::string_view kSuffix = ".ndjson.zst";
constexpr std::string_view kMagic("\x28\xb5\x2f\xfd", 4);  // RFC 8878 §3.1.1
constexpr std::size_t kScanBytes = 1024 * 1024;
constexpr std::size_t kScanBytesMax = 64 * 1024 * 1024;  // no frame of ours is larger
// Level 1: the log is written once and read rarely; level 3 saves a tenth of the space for twice the time.
constexpr int kLevel = 1;

std::optional<sys_days> day_of_name(const std::string& name) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (name.size() != 10 + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  if (std::sscanf(name.c_str(), "%4d-%2u-%2u", &year, &month, &day) != 3) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

}  // namespace

std::string DayLog::file_name(sys_days day) {
  const std::chrono::year_month_day date(day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text + std::string(kSuffix);
}

std::string DayLog::path_of(sys_days day) const { return directory_ + "/" + file_name(day); }

Expected<DayLog> DayLog::open(StoreFiles& files, std::string directory,
                              const std::map<sys_days, std::uint64_t>& known_ends) {
  DayLog log(files, std::move(directory));
  if (const auto made = files.make_directory(log.directory_); !made) return std::unexpected(made.error());
  const auto names = files.list(log.directory_);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    const auto day = day_of_name(name);
    if (!day) continue;
    const auto size = files.size(log.path_of(*day));
    if (!size) return std::unexpected(size.error());
    log.sizes_[*day] = *size;
  }
  if (log.sizes_.empty()) return log;
  // Only the newest file can have been written to when the machine stopped: a day is left for the
  // next one only after its last frame was synced.
  const sys_days newest = log.sizes_.rbegin()->first;
  const auto known = known_ends.find(newest);
  const auto recovered = log.recover(newest, known == known_ends.end() ? 0 : known->second);
  if (!recovered) return std::unexpected(recovered.error());
  return log;
}

Expected<void> DayLog::recover(sys_days day, std::uint64_t known_end) {
  const std::uint64_t size = sizes_[day];
  std::uint64_t end = std::min(known_end, size);
  while (true) {
    const auto frame = next_frame(day, end);
    if (!frame) return std::unexpected(frame.error());
    if (!*frame) break;
    end = (*frame)->position.offset + (*frame)->position.bytes;
  }
  if (end == size) return {};
  const auto tail = files_->read(path_of(day), end, static_cast<std::size_t>(size - end));
  if (!tail) return std::unexpected(tail.error());
  const std::string aside = path_of(day) + ".torn-" + std::to_string(end);
  if (const auto kept = keep_aside(aside, *tail); !kept) {
    if (kept.error().kind != ErrorKind::no_space) return kept;
    // A full disk may be why the frame is torn; what is there must be readable all the same.
    (void)files_->remove(aside);  // what there is of it is no copy, and its space is wanted
    recovery_.torn_bytes_lost = tail->size();
  }
  sizes_[day] = end;
  recovery_.torn_bytes = size - end;
  const auto file = file_of(day);
  if (!file) return std::unexpected(file.error());
  return cut_back(day);
}

Expected<void> DayLog::keep_aside(const std::string& path, std::string_view bytes) {
  const auto file = files_->open_append(path);
  if (!file) return std::unexpected(file.error());
  // A start that ended before the cut left a copy, perhaps a part of one.
  if (const auto emptied = (*file)->truncate(0); !emptied) return emptied;
  if (const auto kept = (*file)->append(bytes); !kept) return kept;
  return (*file)->sync();
}

Expected<AppendFile*> DayLog::file_of(sys_days day) {
  if (open_day_ != day) {
    auto file = files_->open_append(path_of(day));
    if (!file) return std::unexpected(file.error());
    open_file_ = std::move(*file);
    open_day_ = day;
    sizes_.try_emplace(day, 0);
  }
  return open_file_.get();
}

Expected<void> DayLog::cut_back(sys_days day) {
  needs_cut_ = true;
  if (const auto cut = open_file_->truncate(sizes_[day]); !cut) return cut;
  if (const auto synced = open_file_->sync(); !synced) return synced;
  needs_cut_ = false;
  return {};
}

FramePosition DayLog::next(sys_days day) const {
  if (!sizes_.empty()) day = std::max(day, sizes_.rbegin()->first);
  const auto size = sizes_.find(day);
  return {day, size == sizes_.end() ? 0 : size->second, 0};
}

Expected<FramePosition> DayLog::append(sys_days day, std::string_view lines) {
  if (needs_cut_) {
    if (const auto cut = cut_back(*open_day_); !cut) return std::unexpected(cut.error());
  }
  FramePosition position = next(day);
  const auto file = file_of(position.day);
  if (!file) return std::unexpected(file.error());
  const std::string bytes = platform::zstd_compress(lines, kLevel);
  Expected<void> done = (*file)->append(bytes);
  if (done) done = (*file)->sync();
  if (!done) {
    (void)cut_back(position.day);  // its failure is remembered, and the next append tries again
    return std::unexpected(done.error());
  }
  position.bytes = bytes.size();
  sizes_[position.day] += bytes.size();
  return position;
}

Expected<std::string> DayLog::read(const FramePosition& position) const {
  const auto bytes = files_->read(path_of(position.day), position.offset, static_cast<std::size_t>(position.bytes));
  if (!bytes) return std::unexpected(bytes.error());
  return platform::zstd_decompress(*bytes, limits::kFrameDecompressedBytesMax);
}

Expected<std::optional<Frame>> DayLog::next_frame(sys_days day, std::uint64_t offset) const {
  std::size_t window = kScanBytes;
  while (true) {
    const auto bytes = files_->read(path_of(day), offset, window);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return std::nullopt;
    const auto whole = platform::zstd_frame_bytes(*bytes);
    if (whole) {
      auto lines = platform::zstd_decompress(std::string_view(*bytes).substr(0, *whole),
                                             limits::kFrameDecompressedBytesMax);
      if (lines) return Frame{{day, offset, *whole}, std::move(*lines)};
    } else if (bytes->size() == window && window < kScanBytesMax && bytes->starts_with(kMagic)) {
      window *= 8;  // a frame larger than what was read
      continue;
    }
    // No frame here: the next place where one might begin.
    const auto magic = bytes->find(kMagic, 1);
    offset += magic != std::string::npos ? magic : std::max<std::size_t>(bytes->size() - std::min(bytes->size() - 1, kMagic.size() - 1), 1);
    window = kScanBytes;
  }
}

std::uint64_t DayLog::bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [day, size] : sizes_) sum += size;
  return sum;
}

Expected<void> DayLog::remove_day(sys_days day) {
  if (open_day_ == day) {
    open_file_.reset();
    open_day_.reset();
    needs_cut_ = false;
  }
  if (const auto removed = files_->remove(path_of(day)); !removed) return removed;
  sizes_.erase(day);
  return {};
}

}  // namespace kua::collector
