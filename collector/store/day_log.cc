#include "collector/store/day_log.h"

#include <algorithm>
#include <cstdio>

#include "collector/limits.h"
#include "collector/store/batch_line.h"
#include "platform/compress/compress.h"

namespace kua::collector {
namespace {

using std::chrono::sys_days;

constexpr std::string_view kSuffix = ".ndjson.zst";
constexpr std::string_view kMagic("\x28\xb5\x2f\xfd", 4);  // RFC 8878 §3.1.1

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

// The line about a batch, in the frame that `bytes` begin with; empty where it is anything else: the records
// of a batch, whatever they say, damage, or the log of another version.
std::string line_about_batch(std::string_view frame) {
  auto line = platform::zstd_decompress(frame, limits::kBatchLineBytesMax);
  const bool is_line = line && line->starts_with(kBatchLineBegin) && line->find('\n') == line->size() - 1;
  return is_line ? std::move(*line) : std::string();
}

}  // namespace

Expected<void> DayScan::fill() {
  auto bytes = files_.read(path_, offset_ + at_, window_);
  if (!bytes) return std::unexpected(bytes.error());
  offset_ += at_;
  at_ = 0;
  buffer_ = std::move(*bytes);
  return {};
}

DayScan::Here DayScan::look(StoredBatch& out) {
  const std::string_view here = std::string_view(buffer_).substr(at_);
  const auto line_bytes = platform::zstd_frame_bytes(here);
  if (!line_bytes) return here.starts_with(kMagic) || here.size() < kMagic.size() ? Here::cut : Here::nothing;
  out.text = line_about_batch(here.substr(0, *line_bytes));
  if (out.text.empty()) return Here::nothing;
  const std::string_view rest = here.substr(*line_bytes);
  const auto records_bytes = platform::zstd_frame_bytes(rest);
  if (!records_bytes) return Here::cut;
  const auto records = platform::zstd_decompress(rest.substr(0, *records_bytes), limits::kBatchDecompressedBytesMax);
  if (!records) return Here::nothing;
  out.text += *records;
  out.position = {day_, offset_ + at_, *line_bytes + *records_bytes};
  return Here::batch;
}

// To the next place where a frame might begin.
void DayScan::skip_to_frame() {
  const auto magic = buffer_.find(kMagic, at_ + 1);
  const std::size_t last = buffer_.size() - std::min(buffer_.size(), kMagic.size() - 1);
  at_ = magic != std::string::npos ? magic : std::max(last, at_ + 1);
}

Expected<std::optional<StoredBatch>> DayScan::next() {
  if (window_ == 0) {
    window_ = limits::kScanBytes;
    if (const auto filled = fill(); !filled) return std::unexpected(filled.error());
  }
  while (true) {
    const bool is_end = buffer_.size() < window_;
    if (is_end && at_ >= buffer_.size()) return std::nullopt;
    StoredBatch batch;
    const Here here = look(batch);
    if (here == Here::batch) {
      at_ += static_cast<std::size_t>(batch.position.bytes);
      return batch;
    }
    if (is_end || here == Here::nothing || (at_ == 0 && window_ >= limits::kScanBytesMax)) {
      skip_to_frame();
      if (is_end || at_ + kMagic.size() <= buffer_.size()) continue;
    }
    window_ = at_ == 0 ? window_ * 8 : limits::kScanBytes;  // a batch larger than what was read
    if (const auto filled = fill(); !filled) return std::unexpected(filled.error());
  }
}

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
  // next one only after its last batch was synced.
  const sys_days newest = log.sizes_.rbegin()->first;
  const auto known = known_ends.find(newest);
  const auto recovered = log.recover(newest, known == known_ends.end() ? 0 : known->second);
  if (!recovered) return std::unexpected(recovered.error());
  return log;
}

// Logs of before this version had one frame a commit, of lines that each held a record and its facts. Their
// days must not be taken for damage and cut off.
Expected<void> DayLog::refuse_other_version(sys_days day) const {
  const auto begin = files_->read(path_of(day), 0, limits::kScanBytes);
  if (!begin) return std::unexpected(begin.error());
  const auto frame = platform::zstd_frame_bytes(*begin);
  if (!frame) return {};
  const auto text = platform::zstd_decompress(std::string_view(*begin).substr(0, *frame), limits::kStoredBatchBytesMax);
  if (!text || !text->starts_with(R"({"record":)")) return {};
  return fail(ErrorKind::invalid_input, "it was written by an earlier version and is left as it is; move the log aside",
              "opening " + path_of(day));
}

Expected<void> DayLog::recover(sys_days day, std::uint64_t known_end) {
  if (const auto ours = refuse_other_version(day); !ours) return ours;
  const std::uint64_t size = sizes_[day];
  std::uint64_t end = std::min(known_end, size);
  DayScan scanned = scan(day, end);
  while (true) {
    const auto batch = scanned.next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) break;
    end = (*batch)->position.offset + (*batch)->position.bytes;
  }
  if (end == size) return {};
  const auto tail = files_->read(path_of(day), end, static_cast<std::size_t>(size - end));
  if (!tail) return std::unexpected(tail.error());
  const std::string aside = path_of(day) + ".torn-" + std::to_string(end);
  if (const auto kept = keep_aside(aside, *tail); !kept) {
    if (kept.error().kind != ErrorKind::no_space) return kept;
    // A full disk may be why the batch is torn; what is there must be readable all the same.
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

BatchPosition DayLog::next(sys_days day) const {
  if (!sizes_.empty()) day = std::max(day, sizes_.rbegin()->first);
  const auto size = sizes_.find(day);
  return {day, size == sizes_.end() ? 0 : size->second, 0};
}

std::string DayLog::to_frames(std::string_view line, std::string_view records) {
  std::string out = platform::zstd_compress(line);
  out += records;
  return out;
}

Expected<BatchPosition> DayLog::append(sys_days day, std::string_view batches) {
  if (needs_cut_) {
    if (const auto cut = cut_back(*open_day_); !cut) return std::unexpected(cut.error());
  }
  BatchPosition position = next(day);
  const auto file = file_of(position.day);
  if (!file) return std::unexpected(file.error());
  Expected<void> done = (*file)->append(batches);
  if (done) done = (*file)->sync();
  if (!done) {
    (void)cut_back(position.day);  // its failure is remembered, and the next append tries again
    return std::unexpected(done.error());
  }
  position.bytes = batches.size();
  sizes_[position.day] += batches.size();
  return position;
}

Expected<std::string> DayLog::read(const BatchPosition& position) const {
  const auto bytes = files_->read(path_of(position.day), position.offset, static_cast<std::size_t>(position.bytes));
  if (!bytes) return std::unexpected(bytes.error());
  return platform::zstd_decompress(*bytes, limits::kStoredBatchBytesMax);
}

DayScan DayLog::scan(sys_days day, std::uint64_t offset) const { return {*files_, path_of(day), day, offset}; }

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
