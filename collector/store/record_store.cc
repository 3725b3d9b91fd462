#include "collector/store/record_store.h"

#include <algorithm>

#include "collector/store/batch_text.h"
#include "protocol/record_codec.h"

namespace kua::collector {
namespace {

using std::chrono::sys_days;

sys_days day_of(WallTime time) { return std::chrono::floor<std::chrono::days>(time); }

// Of batches of these sizes that were written together.
std::vector<BatchPosition> positions_of(const BatchPosition& all, const std::vector<std::uint64_t>& sizes) {
  std::vector<BatchPosition> out;
  out.reserve(sizes.size());
  std::uint64_t offset = all.offset;
  for (const std::uint64_t size : sizes) {
    out.push_back({all.day, offset, size});
    offset += size;
  }
  return out;
}

constexpr std::size_t kDurationsMax = 10'000;  // kept between two scrapes
constexpr std::chrono::minutes kRetentionPause{1};  // between looks at what is too old, when nothing arrives

}  // namespace

struct RecordStore::Group {
  std::vector<std::vector<Stored>> results;
  std::string frames;                // as they go to the log
  std::vector<std::uint64_t> sizes;  // of each batch in it
  std::size_t records = 0;
  std::size_t duplicates = 0;
};

RecordStore::RecordStore(StoreFiles& files, const platform::Clock& clock, StoreOptions options)
    : files_(files), clock_(clock), options_(std::move(options)), index_path_(options_.directory + "/index.db"),
      places_(files, options_.directory + "/log") {}

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
    DayScan scan = log_->scan(day, at);
    while (at < size) {
      if (is_closing()) return fail(ErrorKind::unavailable, "the collector stops", "indexing the record log");
      const auto batch = scan.next();
      if (!batch) return std::unexpected(batch.error());
      const std::uint64_t begin = *batch ? (*batch)->position.offset : size;
      count_damage(day, at, begin);
      at = begin;
      if (!*batch) break;
      const auto unreadable = index_batch(**batch);
      if (!unreadable) return std::unexpected(unreadable.error());
      at += (*batch)->position.bytes;
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

Expected<std::uint64_t> RecordStore::index_batch(const StoredBatch& batch) {
  const BatchParts parts = parts_of(batch.text);
  const auto about = read_batch_line(parts.line);
  if (!about) return batch.text.size();
  if (const auto opened = index_->open_group(); !opened) return std::unexpected(opened.error());
  protocol::RecordReader reader;
  std::uint64_t unreadable = 0;
  Expected<void> done;
  std::vector<LinePlace> places;
  for_each_line(parts.records, [&](std::size_t offset, std::string_view line) {
    if (!done) return;
    const auto record = reader.read(line);
    if (!record) {
      unreadable += line.size();
      return;
    }
    const auto added = index_->add(index_entry_of(*record));
    if (!added) {
      done = std::unexpected(added.error());
    } else if (*added) {
      places.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(line.size())});
    }
  });
  if (done) {
    index_->end_batch(places);
    done = index_->end_lookups();
  }
  if (!done) {
    index_->undo_group();
    return std::unexpected(done.error());
  }
  const std::size_t batches = places.empty() ? 0 : 1;
  index_->close_group({&batch.position, batches}, about->reception.time);
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

// Everything that waits, up to a group's bytes: the longer a sync takes, the more share the next one.
std::vector<RecordStore::Pending> RecordStore::take_group() {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return closing_ || damage_ || !queue_.empty() || settles_asked_ != settles_done_; };
  const auto until = index_->waiting() > 0 ? flush_due_ : std::chrono::steady_clock::now() + kRetentionPause;
  if (!retention_due_) wake_.wait_until(lock, until, something);
  std::vector<Pending> group;
  std::size_t bytes = 0;
  while (!queue_.empty() && bytes < limits::kGroupBytesMax) {
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
  index_->undo_group();
  if (const auto mended = mend_index(done.error()); !mended) return std::unexpected(mended.error());
  out = {};
  done = gather_once(group, out);
  if (done) return out;
  index_->undo_group();
  return std::unexpected(done.error());
}

Expected<void> RecordStore::gather_once(const std::vector<Pending>& group, Group& out) {
  if (const auto opened = index_->open_group(); !opened) return opened;
  for (const Pending& pending : group) {
    if (const auto gathered = gather_batch(pending.batch, out); !gathered) return gathered;
  }
  return index_->end_lookups();
}

Expected<void> RecordStore::gather_batch(const AppendBatch& batch, Group& out) {
  std::vector<Stored>& results = out.results.emplace_back();
  results.reserve(batch.items.size());
  for (const AppendBatch::Item& item : batch.items) {
    const auto added = index_->add(item.entry);
    if (!added) return std::unexpected(added.error());
    results.push_back(*added ? Stored::stored : Stored::duplicate);
  }
  const PackedBatch packed = pack(batch, results);
  index_->end_batch(packed.places);
  out.records += packed.places.size();
  out.duplicates += results.size() - packed.places.size();
  if (packed.places.empty()) return {};
  out.frames += packed.frames;
  out.sizes.push_back(packed.frames.size());
  return {};
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
  const auto position = log_->append(day_of(now), gathered->frames);
  if (!position) {
    index_->undo_group();
    return std::unexpected(position.error());
  }
  const Microseconds took = clock_.monotonic_now() - before;
  index_->close_group(positions_of(*position, gathered->sizes), now);
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

// A day's rows go batch by batch, then its file: a stop in the middle leaves a file whose rows are made
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
  // Rows of the newest day go on waiting: written often they would cost a page a batch again.
  if (index_->waits_for(due.day)) {
    if (const auto flushed = index_->flush(); !flushed) return flushed;
  }
  const auto removed = index_->remove_first_batch(due.day);
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

Expected<void> RecordStore::replay(WallTime since, const std::function<void(StoredRecord)>& to) {
  const auto look = [&](IndexReader& reader) { return reader.batches_since(since); };
  auto batches = look_up(look);
  if (!batches && batches.error().kind == ErrorKind::invalid_input) {
    settle();  // the index is made anew before that
    batches = look_up(look);
  }
  if (!batches) return std::unexpected(batches.error());
  for (const BatchPosition& position : *batches) {
    const auto text = log_->read(position);
    if (!text && text.error().kind == ErrorKind::not_found) continue;  // its day went meanwhile
    std::optional<std::uint64_t> unreadable;
    if (text) unreadable = for_each_record(*text, to);
    count_damage(position.day, position.offset, position.offset + position.bytes, unreadable);
  }
  return {};
}

Expected<std::optional<StoredRecord>> RecordStore::find(const RecordId& id) {
  const auto place = look_up([&](IndexReader& reader) { return reader.find(id); });
  if (!place) return std::unexpected(place.error());
  if (!*place) return std::nullopt;
  auto record = places_.read(**place);
  if (!record && record.error().kind == ErrorKind::not_found) return std::nullopt;  // its day is gone
  if (!record) return std::unexpected(record.error());
  return std::move(*record);
}

Expected<std::vector<StoredRecord>> RecordStore::query(const RecordQuery& query) {
  const auto places = look_up([&](IndexReader& reader) { return reader.query(query); });
  if (!places) return std::unexpected(places.error());
  std::vector<StoredRecord> out;
  for (const IndexedPlace& place : *places) {
    auto record = places_.read(place);
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
