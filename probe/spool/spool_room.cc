// What goes when room or time is short, and in which order: of the class Spool.
#include <algorithm>
#include <utility>

#include "probe/limits.h"
#include "probe/spool/detail.h"
#include "probe/spool/loss_counts.h"
#include "probe/spool/spool.h"
#include "probe/spool/spool_rank.h"

namespace kua::probe {

using platform::Statement;
using platform::Transaction;

Expected<std::vector<Spool::Stored>> Spool::find(SpoolClass rank, std::int64_t detail_below) {
  auto select = database_.prepare(
      "SELECT sequence, line, carries FROM records WHERE sequence > ? AND sequence < ? AND detail < ? "
      "ORDER BY sequence LIMIT ?");
  if (!select) return std::unexpected(select.error());
  select->bind(1, first_of(rank));
  select->bind(2, end_of(rank));
  select->bind(3, detail_below);
  select->bind(4, static_cast<std::int64_t>(kEvictionStepRecords));
  std::vector<Stored> rows;
  for (;;) {
    const auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return rows;
    rows.push_back(Stored{select->integer(0), std::string(select->text(1)), std::string(select->text(2))});
  }
}

// Returns how many records it looked at: none means that there is nothing left to cut in this class.
Expected<std::uint64_t> Spool::cut(SpoolClass rank, std::int64_t detail, std::string_view name) {
  auto rows = find(rank, detail);
  if (!rows || rows->empty()) return rows ? Expected<std::uint64_t>(0) : std::unexpected(rows.error());
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  auto update = database_.prepare("UPDATE records SET line = ?, bytes = ?, detail = ? WHERE sequence = ?");
  if (!update) return std::unexpected(update.error());
  std::uint64_t freed = 0;
  std::uint64_t shortened = 0;
  for (const Stored& row : *rows) {
    auto line = cut_from_line(row.line, static_cast<Cut>(detail));
    const bool shorter = line && line->size() < row.line.size();
    const std::string& kept = shorter ? *line : row.line;
    freed += row.line.size() - kept.size();
    shortened += shorter ? 1 : 0;
    update->bind_text(1, kept);
    update->bind(2, static_cast<std::int64_t>(kept.size()));
    update->bind(3, detail);
    update->bind(4, row.sequence);
    if (auto updated = update->run(); !updated) return std::unexpected(updated.error());
  }
  if (auto counted = count(name, shortened); !counted) return std::unexpected(counted.error());
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  bytes_ -= std::min(bytes_, freed);
  return rows->size();
}

Expected<std::uint64_t> Spool::drop(SpoolClass rank, std::string_view name) {
  auto rows = find(rank, 100);
  if (!rows || rows->empty()) return rows ? Expected<std::uint64_t>(0) : std::unexpected(rows.error());
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  auto remove = database_.prepare("DELETE FROM records WHERE sequence = ?");
  if (!remove) return std::unexpected(remove.error());
  std::uint64_t freed = 0;
  std::uint64_t dropped = 0;
  for (const Stored& row : *rows) {
    if (bytes_ - std::min(bytes_, freed) <= options_.bytes_max) break;
    remove->bind(1, row.sequence);
    if (auto removed = remove->run(); !removed) return std::unexpected(removed.error());
    if (auto back = take_back(row.carries); !back) return std::unexpected(back.error());
    freed += row.line.size();
    ++dropped;
  }
  if (auto counted = count(name, dropped); !counted) return std::unexpected(counted.error());
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  bytes_ -= std::min(bytes_, freed);
  return dropped;
}

// The record that would have told these losses is itself lost: the next one tells them.
Expected<void> Spool::take_back(std::string_view carries) {
  for (const auto& [name, times] : read_counts(carries)) {
    auto update = database_.prepare("UPDATE losses SET pending = pending + ? WHERE name = ?");
    if (!update) return std::unexpected(update.error());
    update->bind(1, static_cast<std::int64_t>(times));
    update->bind_text(2, name);
    if (auto updated = update->run(); !updated) return updated;
    pending_[name] += times;
  }
  return {};
}

Expected<void> Spool::make_room() {
  struct Step {
    SpoolClass rank;
    std::optional<Cut> cut;
    std::string_view name;
  };
  static constexpr Step kSteps[] = {
      {SpoolClass::full, Cut::bodies, loss::kFullBody},
      {SpoolClass::core, Cut::detail, loss::kCoreDetail},
      {SpoolClass::full, std::nullopt, loss::kFull},
      {SpoolClass::core, std::nullopt, loss::kCore},
      {SpoolClass::key, std::nullopt, loss::kKey},
      {SpoolClass::summary, std::nullopt, loss::kSummary},
  };
  for (const Step& step : kSteps) {
    while (bytes_ > options_.bytes_max) {
      const auto touched = step.cut ? cut(step.rank, static_cast<std::int64_t>(*step.cut), step.name)
                                    : drop(step.rank, step.name);
      if (!touched) return std::unexpected(touched.error());
      if (*touched == 0) break;
    }
  }
  return {};
}

Expected<void> Spool::drop_older(SpoolClass first, SpoolClass last, WallTime than) {
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::unexpected(transaction.error());
  auto select = database_.prepare(
      "SELECT carries FROM records WHERE sequence > ? AND sequence < ? AND born < ?");
  auto remove = database_.prepare("DELETE FROM records WHERE sequence > ? AND sequence < ? AND born < ?");
  if (!select || !remove) return std::unexpected(select ? remove.error() : select.error());
  for (Statement* statement : {&*select, &*remove}) {
    statement->bind(1, first_of(first));
    statement->bind(2, end_of(last));
    statement->bind(3, static_cast<std::int64_t>(than.time_since_epoch().count()));
  }
  std::vector<std::string> carried;
  for (;;) {
    const auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (!select->text(0).empty()) carried.emplace_back(select->text(0));
  }
  select->reset();
  if (auto removed = remove->run(); !removed) return removed;
  const auto dropped = static_cast<std::uint64_t>(database_.changes());
  for (const std::string& carries : carried) {
    if (auto back = take_back(carries); !back) return back;
  }
  if (auto counted = count(loss::kAge, dropped); !counted) return counted;
  return transaction->commit();
}

Expected<void> Spool::expire(WallTime now) {
  const auto measurements = drop_older(SpoolClass::key, SpoolClass::full, now - options_.age_max);
  if (!measurements) return measurements;
  if (auto summaries = drop_older(SpoolClass::summary, SpoolClass::summary, now - kSummaryAge); !summaries) {
    return summaries;
  }
  return read_level();
}

}  // namespace kua::probe
