#include "probe/spool/spool.h"

#include <algorithm>
#include <utility>

#include "measurement/check.h"
#include "probe/limits.h"
#include "probe/spool/loss_counts.h"
#include "probe/spool/spool_file.h"
#include "probe/spool/spool_rank.h"
#include "protocol/record_codec.h"

namespace kua::probe {
namespace {

using platform::Database;
using platform::Statement;
using platform::Transaction;

SpoolClass class_of(Tier tier) {
  switch (tier) {
    case Tier::key:
    case Tier::control: return SpoolClass::key;
    case Tier::core: return SpoolClass::core;
    case Tier::full: return SpoolClass::full;
  }
  return SpoolClass::full;
}

std::string_view as_text(const RecordId& id) {
  return {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()};
}

}  // namespace

Spool::Spool(Database database, Statements statements, std::string path, Options options)
    : database_(std::move(database)),
      statements_(std::move(statements)),
      path_(std::move(path)),
      options_(options),
      loss_file_(path_ + kLossFileSuffix) {}

Expected<Spool> Spool::open_file(const std::string& path, Options options) {
  auto database = open_spool_file(path, options.durability);
  if (!database) return std::unexpected(database.error());
  // The next number of the class is found in the statement itself, since `check --upload` may append
  // beside the daemon.
  auto insert = database->prepare(
      "INSERT INTO records(sequence, id, born, day, bytes, carries, line) VALUES("
      "(SELECT coalesce(max(sequence), ?1) + 1 FROM records WHERE sequence > ?1 AND sequence < ?2),"
      "?3, ?4, ?5, ?6, ?7, ?8)");
  if (!insert) return std::unexpected(insert.error());
  // The id as well: a number may have been used again since the batch was read.
  auto remove = database->prepare("DELETE FROM records WHERE sequence = ? AND id = ?");
  if (!remove) return std::unexpected(remove.error());
  auto batch = database->prepare(
      "SELECT sequence, id, line FROM records WHERE sequence < ?2 OR born >= ?3 ORDER BY sequence LIMIT ?1");
  if (!batch) return std::unexpected(batch.error());
  auto count_loss = database->prepare(
      "INSERT INTO losses VALUES(?1, ?2, ?2) ON CONFLICT(name) DO UPDATE SET "
      "pending = pending + ?2, total = total + ?2");
  if (!count_loss) return std::unexpected(count_loss.error());
  Statements statements{std::move(*insert), std::move(*remove), std::move(*batch), std::move(*count_loss)};
  Spool spool(std::move(*database), std::move(statements), path, options);
  if (auto read = spool.read_level(); !read) return std::unexpected(read.error());
  const LimitCounts left = spool.loss_file_.take();
  for (const auto& [name, times] : left) (void)spool.count(name, times);  // in memory at the least
  return spool;
}

Expected<Spool> Spool::open(const std::string& path, Options options) {
  auto spool = open_file(path, options);
  if (spool || spool.error().kind != ErrorKind::invalid_input) return spool;
  const std::string reason = spool.error().text();
  auto aside = move_spool_aside(path);
  if (!aside) return std::unexpected(aside.error());
  auto fresh = open_file(path, options);
  if (!fresh) return fresh;
  const std::uint64_t rescued = rescue_rows(*aside, fresh->database_);
  if (auto read = fresh->read_level(); !read) return std::unexpected(read.error());
  if (auto counted = fresh->count(loss::kDamaged, 1); !counted) return std::unexpected(counted.error());
  fresh->notices_.push_back("the spool was damaged (" + reason + "); it is kept as " + *aside + ", " +
                            std::to_string(rescued) + " records were taken over into a new one");
  return fresh;
}

Expected<void> Spool::begin_anew(const Row& row) {
  // The old connection stays open until the new one replaces it; its file only changes its name.
  auto fresh = open(path_, options_);
  if (!fresh) return std::unexpected(fresh.error());
  fresh->held_ = std::move(held_);
  fresh->held_bytes_ = held_bytes_;
  fresh->notices_.insert(fresh->notices_.begin(), notices_.begin(), notices_.end());
  // The new file knows of none: neither those to be told nor those that rows in memory tell.
  add_counts(fresh->pending_, pending_);
  add_counts(fresh->unsaved_, pending_);
  add_counts(fresh->unsaved_, row.carries);
  for (const Row& held : fresh->held_) add_counts(fresh->unsaved_, held.carries);
  *this = std::move(*fresh);
  keep_unwritten();
  return {};
}

Expected<void> Spool::read_level() {
  auto bytes = database_.prepare("SELECT coalesce(sum(bytes), 0) FROM records");
  if (!bytes) return std::unexpected(bytes.error());
  if (const auto row = bytes->step(); !row) return std::unexpected(row.error());
  bytes_ = static_cast<std::uint64_t>(bytes->integer(0));
  auto losses = database_.prepare("SELECT name, pending FROM losses WHERE pending > 0");
  if (!losses) return std::unexpected(losses.error());
  pending_ = unsaved_;
  for (;;) {
    const auto row = losses->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    pending_[std::string(losses->text(0))] += static_cast<std::uint32_t>(losses->integer(1));
  }
  for (const Row& row : held_) take_counts(pending_, row.carries);
  return {};
}

Expected<void> Spool::append(Measurement measurement) {
  Row row{.rank = class_of(measurement.tier),
          .id = measurement.header.id,
          .born = measurement.header.time,
          .carries = std::exchange(pending_, {}),  // told here and nowhere else, wherever the row is
          .held_for = {},
          .line = {}};
  add_counts(measurement.limits, row.carries);
  row.line = protocol::write_record(measurement);
  return store(std::move(row));
}

Expected<void> Spool::append(const MinuteSummary& summary) {
  Row row{.rank = SpoolClass::summary,
          .id = summary.header.id,
          .born = summary.header.time,
          .day = std::chrono::floor<std::chrono::days>(summary.header.time).time_since_epoch().count(),
          .carries = {},
          .held_for = {},
          .line = protocol::write_record(summary)};
  return store(std::move(row));
}

Expected<void> Spool::store(Row row) {
  auto written = write(row);
  if (!written && written.error().kind == ErrorKind::invalid_input) {
    if (auto anew = begin_anew(row); anew) written = write(row);
  }
  if (!written && written.error().kind == ErrorKind::no_space) {
    // The journal may hold pages that fit into holes of the file.
    if (database_.execute("PRAGMA wal_checkpoint(TRUNCATE)")) written = write(row);
  }
  if (!written) {
    const bool full = written.error().kind == ErrorKind::no_space;
    if (row.rank != SpoolClass::summary) hold(std::move(row), full ? loss::kNoSpace : loss::kNotWritten);
    keep_unwritten();
    return written;
  }
  keep_unwritten();
  return bytes_ > options_.bytes_max ? make_room() : Expected<void>();
}

// In their order: what is held, then this row.
Expected<void> Spool::write(const Row& row) {
  if (auto flushed = flush_held(); !flushed) return flushed;
  return insert(row);
}

// What an undelivered summary of the day weighed; it is gone after this.
Expected<std::uint64_t> Spool::remove_day(std::int64_t day) {
  auto bytes = database_.prepare("SELECT coalesce(sum(bytes), 0) FROM records WHERE sequence < ? AND day = ?");
  auto remove = database_.prepare("DELETE FROM records WHERE sequence < ? AND day = ?");
  if (!bytes || !remove) return std::unexpected(bytes ? remove.error() : bytes.error());
  for (Statement* statement : {&*bytes, &*remove}) {
    statement->bind(1, end_of(SpoolClass::summary));
    statement->bind(2, day);
  }
  if (const auto found = bytes->step(); !found) return std::unexpected(found.error());
  const auto weight = static_cast<std::uint64_t>(bytes->integer(0));
  bytes->reset();
  if (auto removed = remove->run(); !removed) return std::unexpected(removed.error());
  return weight;
}

Expected<void> Spool::insert_row(const Row& row) {
  Statement& insert = statements_.insert;
  insert.bind(1, first_of(row.rank));
  insert.bind(2, end_of(row.rank));
  insert.bind_blob(3, as_text(row.id));
  insert.bind(4, static_cast<std::int64_t>(row.born.time_since_epoch().count()));
  insert.bind(5, row.day);
  insert.bind(6, static_cast<std::int64_t>(row.line.size()));
  insert.bind_text(7, write_counts(row.carries));
  insert.bind_text(8, row.line);
  return insert.run();
}

Expected<void> Spool::settle_losses(const Row& row) {
  for (const auto& [name, times] : unsaved_) {
    statements_.count_loss.bind_text(1, name);
    statements_.count_loss.bind(2, static_cast<std::int64_t>(times));
    if (auto counted = statements_.count_loss.run(); !counted) return counted;
  }
  if (row.carries.empty()) return {};
  auto tell = database_.prepare("UPDATE losses SET pending = max(0, pending - ?) WHERE name = ?");
  if (!tell) return std::unexpected(tell.error());
  for (const auto& [name, times] : row.carries) {
    tell->bind(1, static_cast<std::int64_t>(times));
    tell->bind_text(2, name);
    if (auto told = tell->run(); !told) return told;
  }
  return {};
}

Expected<void> Spool::insert(const Row& row) {
  if (row.carries.empty() && unsaved_.empty() && row.rank != SpoolClass::summary) {
    auto inserted = insert_row(row);  // a statement alone is a transaction
    if (inserted) bytes_ += row.line.size();
    return inserted;
  }
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  std::uint64_t replaced = 0;
  if (row.rank == SpoolClass::summary) {
    const auto removed = remove_day(row.day);
    if (!removed) return std::unexpected(removed.error());
    replaced = *removed;
  }
  if (auto inserted = insert_row(row); !inserted) return inserted;
  if (auto settled = settle_losses(row); !settled) return settled;
  if (auto committed = transaction->commit(); !committed) return committed;
  unsaved_.clear();
  bytes_ += row.line.size();
  bytes_ -= std::min(bytes_, replaced);
  return {};
}

void Spool::hold(Row row, std::string_view reason) {
  if (held_bytes_ + row.line.size() > kHeldBytesMax) {
    add_counts(pending_, row.carries);  // the next record tells them
    pending_[std::string(reason)] += 1;
    unsaved_[std::string(reason)] += 1;
    return;
  }
  held_bytes_ += row.line.size();
  row.held_for = reason;
  held_.push_back(std::move(row));
}

void Spool::keep_unwritten() {
  LimitCounts counts = unsaved_;
  for (const Row& row : held_) counts[std::string(row.held_for)] += 1;
  loss_file_.keep(counts);
}

Expected<void> Spool::flush_held() {
  while (!held_.empty()) {
    if (auto inserted = insert(held_.front()); !inserted) return inserted;
    held_bytes_ -= held_.front().line.size();
    held_.pop_front();
  }
  return {};
}

Expected<void> Spool::count(std::string_view name, std::uint64_t times) {
  if (times == 0) return {};
  pending_[std::string(name)] += static_cast<std::uint32_t>(times);
  statements_.count_loss.bind_text(1, name);
  statements_.count_loss.bind(2, static_cast<std::int64_t>(times));
  auto counted = statements_.count_loss.run();
  if (!counted) {
    unsaved_[std::string(name)] += static_cast<std::uint32_t>(times);
    keep_unwritten();
  }
  return counted;
}

Expected<std::vector<Spool::Item>> Spool::next_batch(std::size_t records_max, std::size_t bytes_max) {
  return next_fresh_batch(records_max, bytes_max, WallTime::min());
}

Expected<std::vector<Spool::Item>> Spool::next_fresh_batch(std::size_t records_max, std::size_t bytes_max,
                                                           WallTime since) {
  std::vector<Item> items;
  std::size_t bytes = 0;
  Statement& batch = statements_.batch;
  batch.reset();
  batch.bind(1, static_cast<std::int64_t>(records_max));
  batch.bind(2, end_of(SpoolClass::summary));
  batch.bind(3, static_cast<std::int64_t>(since.time_since_epoch().count()));
  for (;;) {
    const auto row = batch.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    const std::string_view line = batch.text(2);
    if (!items.empty() && bytes + line.size() > bytes_max) break;
    const std::string_view id = batch.blob(1);
    RecordId::Bytes id_bytes{};
    if (id.size() != id_bytes.size()) continue;
    std::ranges::copy(id, id_bytes.begin());
    bytes += line.size();
    items.push_back(Item{batch.integer(0), RecordId::from_bytes(id_bytes), std::string(line)});
  }
  batch.reset();
  return items;
}

Expected<void> Spool::delivered(std::span<const Item> items) {
  if (items.empty()) return {};
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  std::uint64_t freed = 0;
  for (const Item& item : items) {
    statements_.remove.bind(1, item.sequence);
    statements_.remove.bind_blob(2, as_text(item.id));
    if (auto removed = statements_.remove.run(); !removed) return removed;
    if (database_.changes() > 0) freed += item.line.size();
  }
  if (auto committed = transaction->commit(); !committed) return committed;
  bytes_ -= std::min(bytes_, freed);
  return {};
}

Expected<void> Spool::rejected(const Item& item, std::string_view reason) {
  if (auto removed = delivered(std::span(&item, 1)); !removed) return removed;
  return count(std::string(loss::kRejected) + std::string(reason), 1);
}

Expected<void> Spool::clear() {
  held_.clear();
  held_bytes_ = 0;
  bytes_ = 0;
  pending_.clear();
  unsaved_.clear();
  keep_unwritten();
  // VACUUM, so that nothing of what was measured stays in free pages of the file.
  return database_.execute("DELETE FROM records; DELETE FROM losses; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
}

Expected<Spool::Level> Spool::level() {
  Level level{.bytes = bytes_, .held = held_.size(), .oldest = std::nullopt, .losses = {}};
  auto records = database_.prepare("SELECT count(*), min(born) FROM records");
  if (!records) return std::unexpected(records.error());
  if (const auto row = records->step(); !row) return std::unexpected(row.error());
  level.records = static_cast<std::uint64_t>(records->integer(0));
  if (!records->is_null(1)) level.oldest = WallTime(Microseconds(records->integer(1)));
  auto losses = database_.prepare("SELECT name, total FROM losses");
  if (!losses) return std::unexpected(losses.error());
  for (;;) {
    const auto row = losses->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    level.losses[std::string(losses->text(0))] = static_cast<std::uint64_t>(losses->integer(1));
  }
  for (const auto& [name, times] : unsaved_) level.losses[name] += times;
  return level;
}

}  // namespace kua::probe
