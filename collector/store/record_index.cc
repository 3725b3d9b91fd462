#include "collector/store/record_index.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "collector/limits.h"
#include "measurement/check.h"

namespace kua::collector {
namespace {

using platform::Database;
using platform::Statement;
using std::chrono::sys_days;

constexpr std::int64_t kSchemaVersion = 2;

// A batch's ids stand beside it, so that retention can remove its rows without reading the log, and
// without an index by batch that every insert would pay for.
constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS batches(
  batch INTEGER PRIMARY KEY, day INTEGER NOT NULL, begins INTEGER NOT NULL, bytes INTEGER NOT NULL,
  records INTEGER NOT NULL, committed INTEGER NOT NULL, ids BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS batches_by_place ON batches(day, begins);
CREATE TABLE IF NOT EXISTS targets(target INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS probes(probe INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS records(
  id BLOB PRIMARY KEY, batch INTEGER NOT NULL, begins INTEGER NOT NULL, bytes INTEGER NOT NULL,
  time INTEGER NOT NULL, target INTEGER, probe INTEGER NOT NULL, role INTEGER NOT NULL,
  country TEXT NOT NULL, asn INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_target ON records(target, id);
PRAGMA user_version=2;
)";

enum Use : std::size_t {
  kBegin,
  kBeginRead,
  kCommit,
  kRollback,
  kFindRecord,
  kAddRecord,
  kAddRecords,
  kAddBatch,
  kAddTarget,
  kFindTarget,
  kAddProbe,
  kFindProbe,
  kUses,
};

// One statement for many rows keeps its cursors: half the time of as many statements.
constexpr std::size_t kRowsAtOnce = 64;
constexpr std::size_t kRowColumns = 10;

std::string many_rows(std::size_t rows) {
  std::string out = "INSERT INTO records(id, batch, begins, bytes, time, target, probe, role, country, asn) VALUES";
  for (std::size_t i = 0; i < rows; ++i) out += i == 0 ? "(?,?,?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?,?,?)";
  return out;
}

const std::string kTexts[kUses] = {
    "BEGIN IMMEDIATE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SELECT 1 FROM records WHERE id = ?1",
    many_rows(1),
    many_rows(kRowsAtOnce),
    "INSERT INTO batches(batch, day, begins, bytes, records, committed, ids) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    "INSERT INTO targets(id) VALUES(?1) ON CONFLICT DO NOTHING",
    "SELECT target FROM targets WHERE id = ?1",
    "INSERT INTO probes(id) VALUES(?1) ON CONFLICT DO NOTHING",
    "SELECT probe FROM probes WHERE id = ?1",
};

std::string_view bytes_of(const RecordId& id) {
  return {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()};
}

std::uint64_t random_half_of(const RecordId::Bytes& id) noexcept {
  std::uint64_t half = 0;
  std::memcpy(&half, id.data() + id.size() - sizeof half, sizeof half);
  return half;
}

std::int64_t number_of(sys_days day) { return day.time_since_epoch().count(); }
sys_days day_of(std::int64_t number) { return sys_days(std::chrono::days(number)); }

Expected<std::int64_t> one_number(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->integer(0) : 0;
}

// All zeros where there is none.
Expected<RecordId::Bytes> newest_id(Database& database) {
  auto statement = database.prepare("SELECT max(id) FROM records");
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  RecordId::Bytes out{};
  const std::string_view bytes = *row ? statement->blob(0) : std::string_view();
  if (bytes.size() == out.size()) std::memcpy(out.data(), bytes.data(), out.size());
  return out;
}

}  // namespace

IndexEntry index_entry_of(const Record& record) {
  const RecordHeader& header = header_of(record);
  IndexEntry entry;
  entry.id = header.id;
  entry.time = header.time;
  entry.probe = &header.probe;
  entry.role = header.role;
  entry.country = header.vantage.country;
  entry.asn = header.vantage.asn;
  if (const auto* measurement = std::get_if<Measurement>(&record)) entry.target = measurement->target.text();
  return entry;
}

RecordIndex::RecordIndex(Database database) : database_(std::move(database)) {}

Expected<RecordIndex> RecordIndex::open(const std::string& path, std::size_t recent_max) {
  auto index = open_once(path);
  if (index) index->recent_max_ = recent_max;
  if (index || index.error().kind != ErrorKind::invalid_input) return index;
  return begin_anew(path, recent_max);
}

// Damaged, or of another version: the log has everything, so a new one is made; the old one stays for
// whoever wants to know what happened.
Expected<RecordIndex> RecordIndex::begin_anew(const std::string& path, std::size_t recent_max) {
  const std::string aside = path + ".damaged";
  for (const char* suffix : {"", "-wal", "-shm"}) {
    (void)std::remove((aside + suffix).c_str());  // of an earlier one
    (void)std::rename((path + suffix).c_str(), (aside + suffix).c_str());
  }
  auto again = open_once(path);
  if (again) {
    again->was_damaged_ = true;
    again->recent_max_ = recent_max;
    return again;
  }
  for (const char* suffix : {"", "-wal", "-shm"}) {
    (void)std::remove((path + suffix).c_str());
    (void)std::rename((aside + suffix).c_str(), (path + suffix).c_str());
  }
  return again;
}

Expected<RecordIndex> RecordIndex::open_once(const std::string& path) {
  auto database = Database::open(path, platform::Durability::process_crash);
  if (!database) return std::unexpected(database.error());
  const auto version = one_number(*database, "PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version != 0 && *version != kSchemaVersion) {
    return fail(ErrorKind::invalid_input, "it has schema version " + std::to_string(*version), "opening index " + path);
  }
  // 64 MiB of pages keep the hot ends of both trees in memory; checkpoints every 32 MiB instead of 4
  // write a page of the target tree once where it would be written eight times.
  if (const auto set = database->execute("PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=8192"); !set) {
    return std::unexpected(set.error());
  }
  if (const auto made = database->execute(kSchema); !made) return std::unexpected(made.error());
  const auto last = one_number(*database, "SELECT max(batch) FROM batches");
  if (!last) return std::unexpected(last.error());
  const auto newest = newest_id(*database);
  if (!newest) return std::unexpected(newest.error());
  RecordIndex index(std::move(*database));
  index.next_number_ = *last + 1;
  index.horizon_ = index.newest_ = *newest;
  if (const auto prepared = index.prepare(); !prepared) return std::unexpected(prepared.error());
  return index;
}

Expected<void> RecordIndex::prepare() {
  for (const std::string& text : kTexts) {
    auto statement = database_.prepare(text);
    if (!statement) return std::unexpected(statement.error());
    statements_.push_back(std::move(*statement));
  }
  return {};
}

Expected<std::int64_t> RecordIndex::key_of(Names& names, std::string_view name, std::size_t add_use,
                                           std::size_t find_use) {
  if (const auto known = names.find(name); known != names.end()) return known->second;
  statements_[add_use].bind_text(1, name);
  if (const auto added = statements_[add_use].run(); !added) return std::unexpected(added.error());
  Statement& find = statements_[find_use];
  find.bind_text(1, name);
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  const std::int64_t key = find.integer(0);
  find.reset();
  if (names.size() >= limits::kIndexNamesMax) names.clear();
  names.emplace(name, key);
  return key;
}

Expected<std::int64_t> RecordIndex::probe_key(const ProbeId& probe) {
  if (last_probe_.first == probe.text()) return last_probe_.second;
  const auto key = key_of(probes_, probe.text(), kAddProbe, kFindProbe);
  if (key) last_probe_ = {probe.text(), *key};
  return key;
}

Expected<void> RecordIndex::open_group() {
  KUA_CHECK(!in_transaction_);
  const auto begun = statements_[kBeginRead].run();
  in_transaction_ = begun.has_value();
  return begun;
}

Expected<void> RecordIndex::end_lookups() {
  const auto ended = statements_[kCommit].run();
  in_transaction_ = !ended;
  return ended;
}

std::size_t RecordIndex::IdHash::operator()(const RecordId::Bytes& id) const noexcept { return random_half_of(id); }

void RecordIndex::note_recent(const RecordId::Bytes& id) {
  newest_ = std::max(newest_, id);
  if (recent_.size() >= recent_max_) {
    recent_.clear();
    horizon_ = newest_;
  }
  recent_.insert(random_half_of(id));
}

Expected<bool> RecordIndex::is_known(const RecordId& id) {
  if (waiting_ids_.contains(id.bytes())) return true;
  if (id.bytes() > horizon_ && !recent_.contains(random_half_of(id.bytes()))) return false;
  Statement& find = statements_[kFindRecord];
  find.bind_blob(1, bytes_of(id));
  const auto row = find.step();
  find.reset();
  return row;
}

Expected<bool> RecordIndex::add(const IndexEntry& entry) {
  KUA_CHECK(entry.probe != nullptr);
  const auto known = is_known(entry.id);
  if (!known) return std::unexpected(known.error());
  if (*known) return false;
  const auto probe = probe_key(*entry.probe);
  if (!probe) return std::unexpected(probe.error());
  Row row;
  row.id = entry.id.bytes();
  row.time_us = entry.time.time_since_epoch().count();
  if (!entry.target.empty()) {
    const auto target = key_of(targets_, entry.target, kAddTarget, kFindTarget);
    if (!target) return std::unexpected(target.error());
    row.target = *target;
  }
  row.probe = *probe;
  row.role = entry.role;
  std::copy_n(entry.country.text().begin(), row.country.size(), row.country.begin());
  row.asn = entry.asn.number;
  rows_.push_back(row);
  waiting_ids_.insert(row.id);
  note_recent(row.id);
  return true;
}

void RecordIndex::end_batch(std::span<const LinePlace> places) {
  KUA_CHECK(places.size() == rows_.size() - batch_begin_);
  if (places.empty()) return;
  const std::int64_t number = next_number_ + static_cast<std::int64_t>(group_batches_++);
  for (const LinePlace& place : places) {
    rows_[batch_begin_].batch = number;
    rows_[batch_begin_++].place = place;
  }
}

void RecordIndex::close_group(std::span<const BatchPosition> positions, WallTime committed) {
  KUA_CHECK(positions.size() == group_batches_);
  for (const BatchPosition& position : positions) {
    ClosedBatch batch{position, committed, {}};
    for (; group_begin_ < rows_.size() && rows_[group_begin_].batch == next_number_; ++group_begin_) {
      const RecordId::Bytes& id = rows_[group_begin_].id;
      batch.ids.append(reinterpret_cast<const char*>(id.data()), id.size());
    }
    batches_.push_back(std::move(batch));
    ++next_number_;
  }
  group_batches_ = 0;
}

void RecordIndex::undo_group() {
  for (std::size_t i = group_begin_; i < rows_.size(); ++i) waiting_ids_.erase(rows_[i].id);
  rows_.resize(group_begin_);
  batch_begin_ = group_begin_;
  group_batches_ = 0;
  if (!in_transaction_) return;
  // Keys that were handed out in the transaction are gone with it.
  targets_.clear();
  probes_.clear();
  last_probe_ = {};
  (void)statements_[kRollback].run();  // fails only where SQLite has rolled back by itself
  in_transaction_ = false;
}

void RecordIndex::bind_row(Statement& add, int first, const Row& row) {
  add.bind_blob(first, {reinterpret_cast<const char*>(row.id.data()), row.id.size()});
  add.bind(first + 1, row.batch);
  add.bind(first + 2, static_cast<std::int64_t>(row.place.offset));
  add.bind(first + 3, static_cast<std::int64_t>(row.place.bytes));
  add.bind(first + 4, row.time_us);
  if (row.target == 0) {
    add.bind_null(first + 5);
  } else {
    add.bind(first + 5, row.target);
  }
  add.bind(first + 6, row.probe);
  add.bind(first + 7, static_cast<std::int64_t>(row.role));
  add.bind_text(first + 8, {row.country.data(), row.country.size()});
  add.bind(first + 9, static_cast<std::int64_t>(row.asn));
}

Expected<void> RecordIndex::write_rows() {
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.id < b.id; });
  for (std::size_t at = 0; at < rows_.size();) {
    const std::size_t count = rows_.size() - at >= kRowsAtOnce ? kRowsAtOnce : 1;
    Statement& add = statements_[count == 1 ? kAddRecord : kAddRecords];
    for (std::size_t i = 0; i < count; ++i) bind_row(add, static_cast<int>(i * kRowColumns) + 1, rows_[at + i]);
    const auto added = add.step();
    add.reset();
    if (!added) return std::unexpected(added.error());
    at += count;
  }
  return {};
}

Expected<void> RecordIndex::write_batches() {
  Statement& add = statements_[kAddBatch];
  // Batches got their numbers in order, the last one the number before the next.
  std::int64_t number = next_number_ - static_cast<std::int64_t>(batches_.size());
  for (const ClosedBatch& batch : batches_) {
    add.bind(1, number++);
    add.bind(2, number_of(batch.position.day));
    add.bind(3, static_cast<std::int64_t>(batch.position.offset));
    add.bind(4, static_cast<std::int64_t>(batch.position.bytes));
    add.bind(5, static_cast<std::int64_t>(batch.ids.size() / sizeof(RecordId::Bytes)));
    add.bind(6, static_cast<std::int64_t>(batch.committed.time_since_epoch().count()));
    add.bind_blob(7, batch.ids);
    if (const auto added = add.run(); !added) return added;
  }
  return {};
}

bool RecordIndex::waits_for(sys_days day) const noexcept {
  return std::any_of(batches_.begin(), batches_.end(), [&](const ClosedBatch& batch) { return batch.position.day == day; });
}

void RecordIndex::forget_waiting() {
  next_number_ -= static_cast<std::int64_t>(batches_.size());
  rows_.clear();
  batches_.clear();
  waiting_ids_.clear();
  group_begin_ = batch_begin_ = 0;
}

Expected<void> RecordIndex::flush() {
  KUA_CHECK(group_begin_ == rows_.size());  // no group is open
  if (batches_.empty()) return {};
  if (const auto begun = statements_[kBegin].run(); !begun) return begun;
  Expected<void> written = write_rows();
  if (written) written = write_batches();
  if (written) written = statements_[kCommit].run();
  if (!written) {
    (void)statements_[kRollback].run();  // fails only where SQLite has rolled back by itself
    return written;
  }
  rows_.clear();
  batches_.clear();
  waiting_ids_.clear();
  group_begin_ = batch_begin_ = 0;
  return {};
}

Expected<std::map<sys_days, std::uint64_t>> RecordIndex::ends() {
  auto statement = database_.prepare("SELECT day, max(begins + bytes) FROM batches GROUP BY day");
  if (!statement) return std::unexpected(statement.error());
  std::map<sys_days, std::uint64_t> out;
  while (true) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out[day_of(statement->integer(0))] = static_cast<std::uint64_t>(statement->integer(1));
  }
}

Expected<bool> RecordIndex::remove_first_batch(sys_days day) {
  auto first = database_.prepare("SELECT batch, ids FROM batches WHERE day = ?1 ORDER BY begins LIMIT 1");
  if (!first) return std::unexpected(first.error());
  first->bind(1, number_of(day));
  const auto row = first->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return false;
  const std::int64_t batch = first->integer(0);
  const std::string ids(first->blob(1));
  first->reset();

  auto transaction = platform::Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  auto remove = database_.prepare("DELETE FROM records WHERE id = ?1 AND batch = ?2");
  if (!remove) return std::unexpected(remove.error());
  for (std::size_t at = 0; at + 16 <= ids.size(); at += 16) {
    remove->bind_blob(1, std::string_view(ids).substr(at, 16));
    remove->bind(2, batch);
    if (const auto removed = remove->run(); !removed) return std::unexpected(removed.error());
  }
  auto forget = database_.prepare("DELETE FROM batches WHERE batch = ?1");
  if (!forget) return std::unexpected(forget.error());
  forget->bind(1, batch);
  if (const auto forgotten = forget->run(); !forgotten) return std::unexpected(forgotten.error());
  if (const auto done = transaction->commit(); !done) return std::unexpected(done.error());
  return true;
}

}  // namespace kua::collector
