#include "collector/store/record_store.h"

#include <algorithm>

#include "collector/store/stored_line.h"
#include "platform/compress/compress.h"
#include "protocol/record_codec.h"

namespace kua::collector {
namespace {

using std::chrono::sys_days;

sys_days day_of(WallTime time) { return std::chrono::floor<std::chrono::days>(time); }

// The bytes of lines that cannot be read.
std::uint64_t replay_lines(std::string_view lines, const std::function<void(const StoredRecord&)>& to) {
  std::uint64_t unreadable = 0;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    auto line = read_stored_line(lines.substr(at, end - at));
    if (line) {
      to(StoredRecord{std::string(line->record), std::move(line->facts)});
    } else {
      unreadable += end - at;
    }
    at = end + 1;
  }
  return unreadable;
}

constexpr std::size_t kDurationsMax = 10'000;  // kept between two scrapes
constexpr std::chrono::minutes kRetentionPause{1};  // between looks at what is too old, when nothing arrives

}  // namespace

struct RecordStore::Group {
  std::vector<std::vector<Stored>> results;
  std::uint32_t records = 0;
  std::uint32_t duplicates = 0;
};

RecordStore::RecordStore(StoreFiles& files, const platform::Clock& clock, StoreOptions options)
    : files_(files), clock_(clock), options_(std::move(options)), index_path_(options_.directory + "/index.db") {}

Expected<std::unique_ptr<RecordStore>> RecordStore::open(StoreFiles& files, const platform::Clock& clock,
                                                         StoreOptions options) {
  std::unique_ptr<RecordStore> store(new RecordStore(files, clock, std::move(options)));
  if (const auto started = store->start(); !started) return std::unexpected(started.error());
  return store;
}

Expected<void> RecordStore::start() {
  if (const auto made = files_.make_directory(options_.directory); !made) return made;
  auto index = RecordIndex::open(index_path_);
  if (!index) return std::unexpected(index.error());
  index_ = std::move(*index);
  if (index_->was_damaged()) ++counters_.index_rebuilds;
  const auto ends = index_->ends();
  if (!ends && ends.error().kind != ErrorKind::invalid_input) return std::unexpected(ends.error());
  auto log = DayLog::open(files_, options_.directory + "/log", ends.value_or(std::map<sys_days, std::uint64_t>()));
  if (!log) return std::unexpected(log.error());
  log_ = std::move(*log);
  counters_.torn_bytes = log_->recovery().torn_bytes;
  counters_.torn_bytes_lost = log_->recovery().torn_bytes_lost;
  index_behind_ = true;
  if (const auto ready = ready_index(); !ready) {
    if (ready.error().kind != ErrorKind::no_space) return ready;
    // Full still: nothing is taken before the index has caught up (write_group), so duplicates stay
    // known; what is on disk can be read and judged meanwhile.
    ++counters_.index_failures;
  }
  auto reader = IndexReader::open(index_path_);
  if (!reader) return std::unexpected(reader.error());
  reader_ = std::move(*reader);
  publish_sizes();
  thread_ = std::thread([this] { run(); });
  return {};
}

RecordStore::~RecordStore() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Expected<void> RecordStore::catch_up() {
  const auto ends = index_->ends();
  if (!ends) return std::unexpected(ends.error());
  for (const auto& [day, size] : log_->days()) {
    const auto known = ends->find(day);
    std::uint64_t at = known == ends->end() ? 0 : known->second;
    while (at < size) {
      if (is_closing()) return fail(ErrorKind::unavailable, "the collector stops", "indexing the record log");
      const auto frame = log_->next_frame(day, at);
      if (!frame) return std::unexpected(frame.error());
      const std::uint64_t begin = *frame ? (*frame)->position.offset : size;
      count_damage(day, at, begin);
      at = begin;
      if (!*frame) break;
      const auto unreadable = index_frame(**frame);
      if (!unreadable) return std::unexpected(unreadable.error());
      at += (*frame)->position.bytes;
      count_damage(day, begin, at, *unreadable);
      if (index_->waiting() < limits::kIndexFlushRows) continue;
      if (const auto flushed = index_->flush(); !flushed) return flushed;
    }
  }
  return index_->flush();
}

Expected<void> RecordStore::catch_up_if_behind() {
  if (!index_behind_) return {};
  index_->forget_waiting();
  if (const auto caught_up = catch_up(); !caught_up) return caught_up;
  index_behind_ = false;
  return {};
}

// Until the index knows the whole log it cannot tell a duplicate.
Expected<void> RecordStore::ready_index() {
  auto ready = catch_up_if_behind();
  if (ready && index_->waiting() >= limits::kIndexWaitingMax) ready = index_->flush();
  return ready ? ready : mend_index(ready.error());
}

// Damage inside the file shows when its page is touched, at any time. Any other problem is handed back.
Expected<void> RecordStore::mend_index(const Error& problem) {
  if (problem.kind != ErrorKind::invalid_input || index_mended_) return std::unexpected(problem);
  {
    const std::lock_guard lock(reader_mutex_);
    reader_.reset();
    auto anew = RecordIndex::begin_anew(index_path_);
    if (!anew) return std::unexpected(anew.error());
    index_ = std::move(*anew);
  }
  index_mended_ = true;
  ++counters_.index_rebuilds;
  index_behind_ = true;
  return catch_up_if_behind();
}

void RecordStore::report_damage(const Error& problem) {
  const std::lock_guard lock(mutex_);
  damage_ = problem;
  wake_.notify_one();
}

void RecordStore::mend_reported() {
  std::optional<Error> damage;
  {
    const std::lock_guard lock(mutex_);
    damage = std::exchange(damage_, std::nullopt);
  }
  if (damage && !mend_index(*damage)) ++counters_.index_failures;
}

bool RecordStore::is_closing() {
  const std::lock_guard lock(mutex_);
  return closing_;
}

void RecordStore::count_damage(sys_days day, std::uint64_t begin, std::uint64_t end,
                               std::optional<std::uint64_t> lines_bytes) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t first_seen = first_looks_.mark(day, begin, end);
  if (first_seen > 0) counters_.damaged_bytes += lines_bytes.value_or(first_seen);
}

Expected<std::uint64_t> RecordStore::index_frame(const Frame& frame) {
  if (const auto opened = index_->open_frame(); !opened) return std::unexpected(opened.error());
  protocol::RecordReader reader;
  WallTime committed;
  std::uint64_t unreadable = 0;
  const std::string_view lines = frame.lines;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string_view line = lines.substr(at, end - at);
    const auto stored = read_stored_line(line);
    const auto record = stored ? reader.read(stored->record) : std::unexpected(stored.error());
    if (record) {
      const auto added = index_->add(index_entry_of(*record), static_cast<std::uint32_t>(at),
                                     static_cast<std::uint32_t>(line.size()));
      if (!added) {
        index_->undo_frame();
        return std::unexpected(added.error());
      }
      committed = std::max(committed, stored->facts.received);
    } else {
      unreadable += line.size();
    }
    at = end + 1;
  }
  if (const auto ended = index_->end_lookups(); !ended) {
    index_->undo_frame();
    return std::unexpected(ended.error());
  }
  index_->close_frame(frame.position, committed);
  return unreadable;
}

bool RecordStore::append(AppendBatch batch, std::function<void(AppendResult)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || queued_bytes_ + batch.bytes > limits::kCommitQueueBytesMax) return false;
    queued_bytes_ += batch.bytes;
    queue_.push_back({std::move(batch), std::move(done)});
  }
  wake_.notify_one();
  return true;
}

void RecordStore::run() {
  while (true) {
    std::vector<Pending> group = take_group();
    if (!group.empty()) commit(std::move(group));
    mend_reported();
    if (flush_is_due()) flush_index();
    retention_due_ = retain();
    const std::lock_guard lock(mutex_);
    if (closing_ && queue_.empty()) return;
  }
}

// Everything that waits, up to a frame's bytes: the longer a sync takes, the more share the next one.
std::vector<RecordStore::Pending> RecordStore::take_group() {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return closing_ || damage_ || !queue_.empty() || settles_asked_ != settles_done_; };
  const auto until = index_->waiting() > 0 ? flush_due_ : std::chrono::steady_clock::now() + kRetentionPause;
  if (!retention_due_) wake_.wait_until(lock, until, something);
  std::vector<Pending> group;
  std::size_t bytes = 0;
  while (!queue_.empty() && bytes < limits::kFrameBytesMax) {
    bytes += queue_.front().batch.bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return group;
}

bool RecordStore::flush_is_due() {
  const std::lock_guard lock(mutex_);
  if (settles_asked_ != settles_done_) return queue_.empty();
  if (index_->waiting() == 0) return false;
  return index_->waiting() >= limits::kIndexFlushRows || (closing_ && queue_.empty()) ||
         std::chrono::steady_clock::now() >= flush_due_;
}

void RecordStore::flush_index() {
  auto flushed = index_->flush();
  if (!flushed) flushed = mend_index(flushed.error());
  if (!flushed) {
    ++counters_.index_failures;
    flush_due_ = std::chrono::steady_clock::now() + limits::kIndexFlushAfter;  // tried again then
  }
  const std::lock_guard lock(mutex_);
  settles_done_ = settles_asked_;
  settled_.notify_all();
}

void RecordStore::settle() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++settles_asked_;
  wake_.notify_one();
  settled_.wait(lock, [&] { return settles_done_ >= mine; });
}

void RecordStore::commit(std::vector<Pending> group) {
  auto results = write_group(group);
  if (!results) ++counters_.commit_failures;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (results) {
      group[i].done(std::move((*results)[i]));
    } else {
      group[i].done(std::unexpected(results.error()));
    }
  }
}

Expected<RecordStore::Group> RecordStore::gather(const std::vector<Pending>& group) {
  Group out;
  auto done = gather_once(group, out);
  if (done) return out;
  index_->undo_frame();
  if (const auto mended = mend_index(done.error()); !mended) return std::unexpected(mended.error());
  out = {};
  done = gather_once(group, out);
  if (done) return out;
  index_->undo_frame();
  return std::unexpected(done.error());
}

Expected<void> RecordStore::gather_once(const std::vector<Pending>& group, Group& out) {
  lines_.clear();
  if (const auto opened = index_->open_frame(); !opened) return opened;
  for (const Pending& pending : group) {
    std::vector<Stored>& results = out.results.emplace_back();
    results.reserve(pending.batch.items.size());
    for (const AppendBatch::Item& item : pending.batch.items) {
      const std::size_t begin = lines_.size();
      const std::size_t bytes = kStoredLineBegin.size() + item.line.size() + item.received.size() - 1;
      const auto added = index_->add(item.entry, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(bytes));
      if (!added) return std::unexpected(added.error());
      results.push_back(*added ? Stored::stored : Stored::duplicate);
      if (!*added) {
        ++out.duplicates;
        continue;
      }
      ++out.records;
      lines_ += kStoredLineBegin;
      lines_ += item.line;
      lines_ += item.received;
    }
  }
  return index_->end_lookups();
}

// The index takes the rows first: that is also the look-up for duplicates. The log decides; the rows stay
// or are undone.
Expected<std::vector<std::vector<Stored>>> RecordStore::write_group(const std::vector<Pending>& group) {
  if (const auto ready = ready_index(); !ready) return std::unexpected(ready.error());
  const auto free = files_.free_bytes(options_.directory);
  if (free && *free < options_.free_bytes_min) {
    return fail(ErrorKind::no_space, std::to_string(*free) + " bytes are free, less than is left alone", "storing records");
  }
  const bool first = index_->waiting() == 0;
  auto gathered = gather(group);
  if (!gathered) return std::unexpected(gathered.error());
  counters_.duplicates += gathered->duplicates;
  if (gathered->records == 0) return std::move(gathered->results);
  const WallTime now = clock_.wall_now();
  const MonotonicTime before = clock_.monotonic_now();
  const auto position = log_->append(day_of(now), lines_);
  if (!position) {
    index_->undo_frame();
    return std::unexpected(position.error());
  }
  const Microseconds took = clock_.monotonic_now() - before;
  index_->close_frame(*position, now);
  if (first) flush_due_ = std::chrono::steady_clock::now() + limits::kIndexFlushAfter;
  ++counters_.commits;
  counters_.records += gathered->records;
  counters_.last_commit_us = now.time_since_epoch().count();
  {
    const std::lock_guard lock(mutex_);
    if (durations_.size() < kDurationsMax) durations_.push_back(took);
  }
  publish_sizes();
  return std::move(gathered->results);
}

struct RecordStore::DueDay {
  sys_days day;
  std::atomic<std::uint64_t> StoreCounters::* counted;
};

std::optional<RecordStore::DueDay> RecordStore::due_for_removal() const {
  const auto& days = log_->days();
  if (days.size() < 2) return std::nullopt;  // the day being written is kept whatever its size
  const sys_days oldest = days.begin()->first;
  if (oldest < day_of(clock_.wall_now()) - options_.age_max) return DueDay{oldest, &StoreCounters::days_removed_by_age};
  if (log_->bytes() > options_.bytes_max) return DueDay{oldest, &StoreCounters::days_removed_by_size};
  return std::nullopt;
}

// A day's rows go frame by frame, then its file: a stop in the middle leaves a file whose rows are made
// again on start and removed again. True: more is due than this turn had time for.
bool RecordStore::retain() {
  const auto until = std::chrono::steady_clock::now() + limits::kRetentionTurn;
  while (const auto due = due_for_removal()) {
    if (const auto done = remove_step(*due); !done) {
      (void)mend_index(done.error());
      return false;  // tried again after the next commit
    }
    if (std::chrono::steady_clock::now() >= until) return due_for_removal().has_value();
  }
  return false;
}

Expected<void> RecordStore::remove_step(const DueDay& due) {
  // Rows of the newest day go on waiting: written often they would cost a page a frame again.
  if (index_->waits_for(due.day)) {
    if (const auto flushed = index_->flush(); !flushed) return flushed;
  }
  const auto removed = index_->remove_first_frame(due.day);
  if (!removed) return std::unexpected(removed.error());
  if (*removed) return {};
  if (const auto gone = log_->remove_day(due.day); !gone) return gone;
  ++(counters_.*due.counted);
  publish_sizes();
  return {};
}

void RecordStore::publish_sizes() {
  counters_.log_bytes = log_->bytes();
  counters_.oldest_day = log_->days().empty() ? 0 : log_->days().begin()->first.time_since_epoch().count();
}

template <typename LookUp>
auto RecordStore::look_up(LookUp in) {
  using Found = decltype(in(*reader_));
  const auto look = [&]() -> Found {
    const std::lock_guard lock(reader_mutex_);
    if (!reader_) {
      auto reader = IndexReader::open(index_path_);
      if (!reader) return std::unexpected(reader.error());
      reader_ = std::move(*reader);
    }
    return in(*reader_);
  };
  Found found = look();
  if (!found && found.error().kind == ErrorKind::invalid_input) report_damage(found.error());
  return found;
}

Expected<void> RecordStore::replay(WallTime since, const std::function<void(const StoredRecord&)>& to) {
  const auto look = [&](IndexReader& reader) { return reader.frames_since(since); };
  auto frames = look_up(look);
  if (!frames && frames.error().kind == ErrorKind::invalid_input) {
    settle();  // the index is made anew before that
    frames = look_up(look);
  }
  if (!frames) return std::unexpected(frames.error());
  for (const FramePosition& position : *frames) {
    const auto lines = log_->read(position);
    if (!lines && lines.error().kind == ErrorKind::not_found) continue;  // its day went meanwhile
    std::optional<std::uint64_t> unreadable;
    if (lines) unreadable = replay_lines(*lines, to);
    count_damage(position.day, position.offset, position.offset + position.bytes, unreadable);
  }
  return {};
}

Expected<StoredRecord> RecordStore::read_place(const IndexedPlace& place) {
  auto cached = std::find_if(frame_cache_.begin(), frame_cache_.end(),
                             [&](const auto& entry) { return entry.first == place.frame; });
  if (cached == frame_cache_.end()) {
    const auto bytes = files_.read(options_.directory + "/log/" + DayLog::file_name(place.frame.day),
                                   place.frame.offset, static_cast<std::size_t>(place.frame.bytes));
    if (!bytes) return std::unexpected(bytes.error());
    auto lines = platform::zstd_decompress(*bytes, limits::kFrameDecompressedBytesMax);
    if (!lines) return std::unexpected(lines.error());
    if (frame_cache_.size() >= limits::kFrameCacheMax) frame_cache_.pop_front();
    frame_cache_.emplace_back(place.frame, std::make_shared<const std::string>(std::move(*lines)));
    cached = frame_cache_.end() - 1;
  }
  const std::string_view lines = *cached->second;
  if (std::size_t(place.offset) + place.bytes > lines.size()) {
    return fail(ErrorKind::invalid_input, "the index points behind the frame", "reading a stored record");
  }
  auto line = read_stored_line(lines.substr(place.offset, place.bytes));
  if (!line) return std::unexpected(line.error());
  return StoredRecord{std::string(line->record), std::move(line->facts)};
}

Expected<std::optional<StoredRecord>> RecordStore::find(const RecordId& id) {
  const auto place = look_up([&](IndexReader& reader) { return reader.find(id); });
  if (!place) return std::unexpected(place.error());
  if (!*place) return std::nullopt;
  auto record = read_place(**place);
  if (!record && record.error().kind == ErrorKind::not_found) return std::nullopt;  // its day is gone
  if (!record) return std::unexpected(record.error());
  return std::move(*record);
}

Expected<std::vector<StoredRecord>> RecordStore::query(const RecordQuery& query) {
  const auto places = look_up([&](IndexReader& reader) { return reader.query(query); });
  if (!places) return std::unexpected(places.error());
  std::vector<StoredRecord> out;
  for (const IndexedPlace& place : *places) {
    auto record = read_place(place);
    if (record) {
      out.push_back(std::move(*record));
    } else if (record.error().kind != ErrorKind::not_found) {
      return std::unexpected(record.error());
    }
  }
  return out;
}

Expected<std::uint64_t> RecordStore::free_bytes() const { return files_.free_bytes(options_.directory); }

std::vector<Microseconds> RecordStore::take_commit_durations() {
  const std::lock_guard lock(mutex_);
  return std::exchange(durations_, {});
}

}  // namespace kua::collector
