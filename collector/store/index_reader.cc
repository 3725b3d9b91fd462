#include "collector/store/index_reader.h"

#include <algorithm>

#include "collector/limits.h"

namespace kua::collector {
namespace {

using platform::Database;
using platform::Statement;
using std::chrono::sys_days;

std::string_view bytes_of(const RecordId& id) {
  return {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()};
}

std::optional<RecordId> id_of(std::string_view blob) {
  RecordId::Bytes bytes{};
  if (blob.size() != bytes.size()) return std::nullopt;
  std::copy(blob.begin(), blob.end(), bytes.begin());
  return RecordId::from_bytes(bytes);
}

sys_days day_of(std::int64_t number) { return sys_days(std::chrono::days(number)); }

// The smallest or largest id of a millisecond.
RecordId id_at(WallTime time, std::uint8_t filler) {
  RecordId::Bytes random{};
  random.fill(filler);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return RecordId::make(std::max<std::int64_t>(milliseconds, 0), random);
}

}  // namespace

Expected<IndexReader> IndexReader::open(const std::string& path) {
  auto database = Database::open(path, platform::Durability::process_crash);
  if (!database) return std::unexpected(database.error());
  auto find = database->prepare(
      "SELECT b.day, b.begins, b.bytes, r.begins, r.bytes FROM records r JOIN batches b USING(batch) WHERE r.id = ?1");
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
                         {static_cast<std::uint32_t>(find_.integer(3)), static_cast<std::uint32_t>(find_.integer(4))}};
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

Expected<std::vector<IndexedPlace>> collect(Statement& rows, Statement& batch_of, const RecordQuery& query,
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
    batch_of.bind(1, rows.integer(1));
    const auto batch = batch_of.step();
    if (!batch) return std::unexpected(batch.error());
    if (*batch) {
      out.push_back({*id,
                     {day_of(batch_of.integer(0)), static_cast<std::uint64_t>(batch_of.integer(1)),
                      static_cast<std::uint64_t>(batch_of.integer(2))},
                     {static_cast<std::uint32_t>(rows.integer(2)), static_cast<std::uint32_t>(rows.integer(8))}});
    }
    batch_of.reset();
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
      std::string("SELECT id, batch, begins, time, probe, role, country, asn, bytes FROM records "
                  "WHERE id < ?1 AND id >= ?2 ") +
      (target ? "AND target = ?3 " : "") + "ORDER BY id DESC");
  if (!rows) return std::unexpected(rows.error());
  auto batch_of = database_.prepare("SELECT day, begins, bytes FROM batches WHERE batch = ?1");
  if (!batch_of) return std::unexpected(batch_of.error());
  const RecordId upper = upper_bound_of(query);
  const RecordId lower = lower_bound_of(query);
  rows->bind_blob(1, bytes_of(upper));
  rows->bind_blob(2, bytes_of(lower));
  if (target) rows->bind(3, *target);
  return collect(*rows, *batch_of, query, probe);
}

Expected<std::vector<BatchPosition>> IndexReader::batches_since(WallTime since) {
  auto statement = database_.prepare(
      "SELECT day, begins, bytes FROM batches WHERE committed >= ?1 ORDER BY day, begins");
  if (!statement) return std::unexpected(statement.error());
  statement->bind(1, static_cast<std::int64_t>(since.time_since_epoch().count()));
  std::vector<BatchPosition> out;
  while (true) {
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back({day_of(statement->integer(0)), static_cast<std::uint64_t>(statement->integer(1)),
                   static_cast<std::uint64_t>(statement->integer(2))});
  }
}

}  // namespace kua::collector
