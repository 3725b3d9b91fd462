#include "collector/store/record_index.h"

#include <algorithm>
#include <cstdio>

#include "collector/limits.h"
#include "measurement/check.h"

namespace kua::collector {
namespace {

using platform::Database;
using platform::Statement;
using std::chrono::sys_days;

constexpr std::int64_t kSchemaVersion = 1;

// A frame's ids stand beside it, so that retention can remove its rows without reading the log, and
// without an index by frame that every insert would pay for.
constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS frames(
  frame INTEGER PRIMARY KEY, day INTEGER NOT NULL, begins INTEGER NOT NULL, bytes INTEGER NOT NULL,
  records INTEGER NOT NULL, committed INTEGER NOT NULL, ids BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS frames_by_place ON frames(day, begins);
CREATE TABLE IF NOT EXISTS targets(target INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS probes(probe INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS records(
  id BLOB PRIMARY KEY, frame INTEGER NOT NULL, begins INTEGER NOT NULL, bytes INTEGER NOT NULL,
  time INTEGER NOT NULL, target INTEGER, probe INTEGER NOT NULL, role INTEGER NOT NULL,
  country TEXT NOT NULL, asn INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_target ON records(target, id) WHERE target IS NOT NULL;
PRAGMA user_version=1;
)";

enum Use : std::size_t {
  kBegin,
  kCommit,
  kRollback,
  kAddRecord,
  kAddFrame,
  kAddTarget,
  kFindTarget,
  kAddProbe,
  kFindProbe,
  kUses,
};

constexpr const char* kTexts[kUses] = {
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "INSERT OR IGNORE INTO records(id, frame, begins, bytes, time, target, probe, role, country, asn) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    "INSERT INTO frames(frame, day, begins, bytes, records, committed, ids) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    "INSERT INTO targets(id) VALUES(?1) ON CONFLICT DO NOTHING",
    "SELECT target FROM targets WHERE id = ?1",
    "INSERT INTO probes(id) VALUES(?1) ON CONFLICT DO NOTHING",
    "SELECT probe FROM probes WHERE id = ?1",
};

std::string_view bytes_of(const RecordId& id) {
  return {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()};
}

std::optional<RecordId> id_of(std::string_view blob) {
  RecordId::Bytes bytes{};
  if (blob.size() != bytes.size()) return std::nullopt;
  std::copy(blob.begin(), blob.end(), bytes.begin());
  return RecordId::from_bytes(bytes);
}

std::int64_t number_of(sys_days day) { return day.time_since_epoch().count(); }
sys_days day_of(std::int64_t number) { return sys_days(std::chrono::days(number)); }

// The smallest or largest id of a millisecond.
RecordId id_at(WallTime time, std::uint8_t filler) {
  RecordId::Bytes random{};
  random.fill(filler);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return RecordId::make(std::max<std::int64_t>(milliseconds, 0), random);
}

Expected<std::int64_t> one_number(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->integer(0) : 0;
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

Expected<RecordIndex> RecordIndex::open(const std::string& path) {
  auto index = open_once(path);
  if (index || index.error().kind != ErrorKind::invalid_input) return index;
  // Damaged, or of another version: the log has everything, so a new one is made; the old one stays
  // for whoever wants to know what happened.
  for (const char* suffix : {"", "-wal", "-shm"}) {
    (void)std::rename((path + suffix).c_str(), (path + ".damaged" + suffix).c_str());
  }
  auto again = open_once(path);
  if (again) again->was_damaged_ = true;
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
  const auto last = one_number(*database, "SELECT max(frame) FROM frames");
  if (!last) return std::unexpected(last.error());
  RecordIndex index(std::move(*database));
  index.next_frame_ = *last + 1;
  if (const auto prepared = index.prepare(); !prepared) return std::unexpected(prepared.error());
  return index;
}

Expected<void> RecordIndex::prepare() {
  for (const char* text : kTexts) {
    auto statement = database_.prepare(text);
    if (!statement) return std::unexpected(statement.error());
    statements_.push_back(std::move(*statement));
  }
  return {};
}

Expected<void> RecordIndex::begin() {
  ids_.clear();
  return statements_[kBegin].run();
}

void RecordIndex::rollback() {
  // Keys that were handed out in the transaction are gone with it.
  targets_.clear();
  probes_.clear();
  (void)statements_[kRollback].run();  // fails only where SQLite has rolled back by itself
}

Expected<std::int64_t> RecordIndex::target_key(std::string_view target) {
  std::string text(target);
  if (const auto known = targets_.find(text); known != targets_.end()) return known->second;
  statements_[kAddTarget].bind_text(1, text);
  if (const auto added = statements_[kAddTarget].run(); !added) return std::unexpected(added.error());
  Statement& find = statements_[kFindTarget];
  find.bind_text(1, text);
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  const std::int64_t key = find.integer(0);
  find.reset();
  if (targets_.size() >= limits::kIndexNamesMax) targets_.clear();
  targets_.emplace(std::move(text), key);
  return key;
}

Expected<std::int64_t> RecordIndex::probe_key(const ProbeId& probe) {
  if (const auto known = probes_.find(probe); known != probes_.end()) return known->second;
  statements_[kAddProbe].bind_text(1, probe.text());
  if (const auto added = statements_[kAddProbe].run(); !added) return std::unexpected(added.error());
  Statement& find = statements_[kFindProbe];
  find.bind_text(1, probe.text());
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  const std::int64_t key = find.integer(0);
  find.reset();
  if (probes_.size() >= limits::kIndexNamesMax) probes_.clear();
  probes_.emplace(probe, key);
  return key;
}

Expected<bool> RecordIndex::add(const IndexEntry& entry, std::uint32_t offset, std::uint32_t bytes) {
  KUA_CHECK(entry.probe != nullptr);
  Statement& add = statements_[kAddRecord];
  const auto probe = probe_key(*entry.probe);
  if (!probe) return std::unexpected(probe.error());
  add.bind_blob(1, bytes_of(entry.id));
  add.bind(2, next_frame_);
  add.bind(3, static_cast<std::int64_t>(offset));
  add.bind(4, static_cast<std::int64_t>(bytes));
  add.bind(5, static_cast<std::int64_t>(entry.time.time_since_epoch().count()));
  if (entry.target.empty()) {
    add.bind_null(6);
  } else {
    const auto target = target_key(entry.target);
    if (!target) return std::unexpected(target.error());
    add.bind(6, *target);
  }
  add.bind(7, *probe);
  add.bind(8, static_cast<std::int64_t>(entry.role));
  add.bind_text(9, entry.country.text());
  add.bind(10, static_cast<std::int64_t>(entry.asn.number));
  const auto done = add.step();
  if (!done) return std::unexpected(done.error());
  const bool added = database_.changes() > 0;
  add.reset();
  if (added) ids_ += bytes_of(entry.id);
  return added;
}

Expected<void> RecordIndex::commit(const FramePosition& position, std::uint32_t records, WallTime committed) {
  Statement& add = statements_[kAddFrame];
  add.bind(1, next_frame_);
  add.bind(2, number_of(position.day));
  add.bind(3, static_cast<std::int64_t>(position.offset));
  add.bind(4, static_cast<std::int64_t>(position.bytes));
  add.bind(5, static_cast<std::int64_t>(records));
  add.bind(6, static_cast<std::int64_t>(committed.time_since_epoch().count()));
  add.bind_blob(7, ids_);
  if (const auto added = add.run(); !added) return added;
  if (const auto done = statements_[kCommit].run(); !done) return done;
  ++next_frame_;
  return {};
}

Expected<void> RecordIndex::commit_nothing() { return statements_[kCommit].run(); }

Expected<std::map<sys_days, std::uint64_t>> RecordIndex::ends() {
  auto statement = database_.prepare("SELECT day, max(begins + bytes) FROM frames GROUP BY day");
  if (!statement) return std::unexpected(statement.error());
  std::map<sys_days, std::uint64_t> out;
  while (true) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out[day_of(statement->integer(0))] = static_cast<std::uint64_t>(statement->integer(1));
  }
}

Expected<std::vector<FramePosition>> RecordIndex::frames_since(WallTime since) {
  auto statement = database_.prepare(
      "SELECT day, begins, bytes FROM frames WHERE committed >= ?1 ORDER BY day, begins");
  if (!statement) return std::unexpected(statement.error());
  statement->bind(1, static_cast<std::int64_t>(since.time_since_epoch().count()));
  std::vector<FramePosition> out;
  while (true) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back({day_of(statement->integer(0)), static_cast<std::uint64_t>(statement->integer(1)),
                   static_cast<std::uint64_t>(statement->integer(2))});
  }
}

Expected<bool> RecordIndex::remove_first_frame(sys_days day) {
  auto first = database_.prepare("SELECT frame, ids FROM frames WHERE day = ?1 ORDER BY begins LIMIT 1");
  if (!first) return std::unexpected(first.error());
  first->bind(1, number_of(day));
  const auto row = first->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return false;
  const std::int64_t frame = first->integer(0);
  const std::string ids(first->blob(1));
  first->reset();

  auto transaction = platform::Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  auto remove = database_.prepare("DELETE FROM records WHERE id = ?1 AND frame = ?2");
  if (!remove) return std::unexpected(remove.error());
  for (std::size_t at = 0; at + 16 <= ids.size(); at += 16) {
    remove->bind_blob(1, std::string_view(ids).substr(at, 16));
    remove->bind(2, frame);
    if (const auto removed = remove->run(); !removed) return std::unexpected(removed.error());
  }
  auto forget = database_.prepare("DELETE FROM frames WHERE frame = ?1");
  if (!forget) return std::unexpected(forget.error());
  forget->bind(1, frame);
  if (const auto forgotten = forget->run(); !forgotten) return std::unexpected(forgotten.error());
  if (const auto done = transaction->commit(); !done) return std::unexpected(done.error());
  return true;
}

Expected<IndexReader> IndexReader::open(const std::string& path) {
  auto database = Database::open(path, platform::Durability::process_crash);
  if (!database) return std::unexpected(database.error());
  auto find = database->prepare(
      "SELECT f.day, f.begins, f.bytes, r.begins, r.bytes FROM records r JOIN frames f USING(frame) WHERE r.id = ?1");
  if (!find) return std::unexpected(find.error());
  return IndexReader(std::move(*database), std::move(*find));
}

Expected<std::optional<IndexedPlace>> IndexReader::find(const RecordId& id) {
  find_.bind_blob(1, bytes_of(id));
  const auto row = find_.step();
  if (!row) return std::unexpected(row.error());
  std::optional<IndexedPlace> place;
  if (*row) {
    place = IndexedPlace{id,
                         {day_of(find_.integer(0)), static_cast<std::uint64_t>(find_.integer(1)),
                          static_cast<std::uint64_t>(find_.integer(2))},
                         static_cast<std::uint32_t>(find_.integer(3)),
                         static_cast<std::uint32_t>(find_.integer(4))};
  }
  find_.reset();
  return place;
}

namespace {

// How far the birth of a record (its id) may lie from its time: a measurement's time is rounded down,
// a minute summary carries the begin of a day that was over when it was born.
constexpr std::chrono::minutes kBornBefore{10};
constexpr std::chrono::minutes kMeasurementBornAfter{10};
constexpr std::chrono::days kSummaryBornAfter{2};

RecordId upper_bound_of(const RecordQuery& query) {
  RecordId::Bytes last{};
  last.fill(0xff);
  RecordId bound = RecordId::from_bytes(last);
  if (query.until) {
    const WallTime latest = query.target ? *query.until + kMeasurementBornAfter : *query.until + kSummaryBornAfter;
    bound = id_at(latest, 0xff);
  }
  return query.after ? std::min(bound, *query.after) : bound;
}

RecordId lower_bound_of(const RecordQuery& query) {
  return query.since ? id_at(*query.since - kBornBefore, 0) : RecordId::from_bytes({});
}

bool passes(const RecordQuery& query, const Statement& row, const std::optional<std::int64_t>& probe) {
  const WallTime time{Microseconds(row.integer(3))};
  if (query.since && time < *query.since) return false;
  if (query.until && time >= *query.until) return false;
  if (probe && row.integer(4) != *probe) return false;
  if (query.role && row.integer(5) != static_cast<std::int64_t>(*query.role)) return false;
  if (query.country && row.text(6) != query.country->text()) return false;
  return !query.network || row.integer(7) == static_cast<std::int64_t>(query.network->number);
}

// nullopt: nobody has that name.
Expected<std::optional<std::int64_t>> key_of(Database& database, std::string_view sql, std::string_view name) {
  auto statement = database.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  statement->bind_text(1, name);
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(statement->integer(0));
}

Expected<std::vector<IndexedPlace>> collect(Statement& rows, Statement& frame_of, const RecordQuery& query,
                                            const std::optional<std::int64_t>& probe) {
  std::vector<IndexedPlace> out;
  const std::size_t limit = std::min(query.limit, limits::kQueryRecordsMax);
  std::size_t looked_at = 0;
  while (out.size() < limit) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (++looked_at > limits::kQueryRowsMax) {
      return fail(ErrorKind::limit, "too many records to look through; narrow it by target or time",
                  "querying records");
    }
    if (!passes(query, rows, probe)) continue;
    const auto id = id_of(rows.blob(0));
    if (!id) continue;
    frame_of.bind(1, rows.integer(1));
    const auto frame = frame_of.step();
    if (!frame) return std::unexpected(frame.error());
    if (*frame) {
      out.push_back({*id,
                     {day_of(frame_of.integer(0)), static_cast<std::uint64_t>(frame_of.integer(1)),
                      static_cast<std::uint64_t>(frame_of.integer(2))},
                     static_cast<std::uint32_t>(rows.integer(2)),
                     static_cast<std::uint32_t>(rows.integer(8))});
    }
    frame_of.reset();
  }
  return out;
}

}  // namespace

Expected<std::vector<IndexedPlace>> IndexReader::query(const RecordQuery& query) {
  std::optional<std::int64_t> probe;
  std::optional<std::int64_t> target;
  if (query.probe) {
    const auto key = key_of(database_, "SELECT probe FROM probes WHERE id = ?1", query.probe->text());
    if (!key) return std::unexpected(key.error());
    if (!*key) return std::vector<IndexedPlace>();
    probe = **key;
  }
  if (query.target) {
    const auto key = key_of(database_, "SELECT target FROM targets WHERE id = ?1", query.target->text());
    if (!key) return std::unexpected(key.error());
    if (!*key) return std::vector<IndexedPlace>();
    target = **key;
  }
  auto rows = database_.prepare(
      std::string("SELECT id, frame, begins, time, probe, role, country, asn, bytes FROM records "
                  "WHERE id < ?1 AND id >= ?2 ") +
      (target ? "AND target = ?3 " : "") + "ORDER BY id DESC");
  if (!rows) return std::unexpected(rows.error());
  auto frame_of = database_.prepare("SELECT day, begins, bytes FROM frames WHERE frame = ?1");
  if (!frame_of) return std::unexpected(frame_of.error());
  const RecordId upper = upper_bound_of(query);
  const RecordId lower = lower_bound_of(query);
  rows->bind_blob(1, bytes_of(upper));
  rows->bind_blob(2, bytes_of(lower));
  if (target) rows->bind(3, *target);
  return collect(*rows, *frame_of, query, probe);
}

}  // namespace kua::collector
