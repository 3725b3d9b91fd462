// The disk between a measurement and the collector: one SQLite file, into which every record is committed
// before anything else happens to it, and out of which it goes only when the collector's answer names it.
// Bounded by bytes and age. What has to go is chosen by worth, and every loss is counted under a name of
// LossName; the counts travel in the `limits` of the next measurement.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measurement/error.h"
#include "measurement/record.h"
#include "platform/sqlite/sqlite.h"
#include "probe/spool/loss_file.h"

namespace kua::probe {

// What a record is worth when room is short, the last first, and also the order of sending: a
// restoration window may be over before the second class is begun. Stored values.
enum class SpoolClass : std::uint8_t { summary = 0, key = 1, core = 2, full = 3 };

// Losses by name. They are counted in records, except where they say otherwise.
namespace loss {
inline constexpr std::string_view kFullBody = "spool_full_body";      // bodies cut out of full-tier records
inline constexpr std::string_view kCoreDetail = "spool_core_detail";  // bodies, headers, raw replies cut out
inline constexpr std::string_view kFull = "spool_full";               // full-tier records dropped for room
inline constexpr std::string_view kCore = "spool_core";
inline constexpr std::string_view kKey = "spool_key";
inline constexpr std::string_view kSummary = "spool_summary";
inline constexpr std::string_view kAge = "spool_age";            // older than the spool keeps
inline constexpr std::string_view kNoSpace = "spool_no_space";   // the disk was full
inline constexpr std::string_view kNotWritten = "spool_not_written";  // the disk failed otherwise
inline constexpr std::string_view kDamaged = "spool_damaged";    // files, not records: found damaged
inline constexpr std::string_view kRejected = "rejected_";       // and the collector's reason
}  // namespace loss

class Spool {
 public:
  struct Options {
    std::uint64_t bytes_max = 0;  // of records as JSON
    Microseconds age_max{0};      // of measurements; summaries are kept kSummaryAge
    // See docs/decisions/004: on a power cut the last minute may be measured again, the wear of a
    // memory card may not, and a stalled disk would show in the times of other measurements.
    platform::Durability durability = platform::Durability::process_crash;
  };
  // A file that is damaged or no spool is moved aside, what can still be read from it is taken over,
  // and a new one is begun: notices() says so. Errors: no_space, permission, io, and configuration for
  // a file that a newer version wrote.
  [[nodiscard]] static Expected<Spool> open(const std::string& path, Options options);

  // Returns when the record is committed. One that cannot be written, for whatever reason, is held in
  // memory and tried again at the next append, as long as kHeldBytesMax allows; what is beyond is counted,
  // and so is what memory holds when the process ends, however it ends (loss_file.h).
  [[nodiscard]] Expected<void> append(Measurement measurement);
  // Replaces an earlier revision of the same day that was not delivered yet. One that cannot be written
  // is not held: its diary makes it again.
  [[nodiscard]] Expected<void> append(const MinuteSummary& summary);

  struct Item {
    std::int64_t sequence = 0;
    RecordId id = RecordId::from_bytes({});
    std::string line;
  };
  // What to send next, in order: summaries oldest first, then key, core, full. At least one item if
  // there is any, else as many as fit both bounds.
  [[nodiscard]] Expected<std::vector<Item>> next_batch(std::size_t records_max, std::size_t bytes_max);
  // The same of summaries, whatever their age, and of records that were born at `since` or later.
  [[nodiscard]] Expected<std::vector<Item>> next_fresh_batch(std::size_t records_max, std::size_t bytes_max,
                                                             WallTime since);
  // The items with these ids are on the collector's disk.
  [[nodiscard]] Expected<void> delivered(std::span<const Item> items);
  // The collector will never take this one.
  [[nodiscard]] Expected<void> rejected(const Item& item, std::string_view reason);
  // `now` must be a wall time that is held for true. Call now and then.
  [[nodiscard]] Expected<void> expire(WallTime now);
  // Everything, uncounted: the owner withdrew.
  [[nodiscard]] Expected<void> clear();

  struct Level {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t held = 0;  // in memory, because they could not be written
    std::optional<WallTime> oldest;
    std::map<std::string, std::uint64_t> losses;  // since the file was begun
  };
  [[nodiscard]] Expected<Level> level();
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::vector<std::string>& notices() const noexcept { return notices_; }

 private:
  struct Row {
    SpoolClass rank = SpoolClass::full;
    RecordId id = RecordId::from_bytes({});
    WallTime born;
    std::int64_t day = 0;  // of a summary, else 0
    LimitCounts carries;   // losses told in it
    std::string_view held_for;  // of one in memory: the loss that it would be
    std::string line;
  };
  struct Statements {
    platform::Statement insert;
    platform::Statement remove;
    platform::Statement batch;
    platform::Statement count_loss;
  };
  Spool(platform::Database database, Statements statements, std::string path, Options options);
  [[nodiscard]] static Expected<Spool> open_file(const std::string& path, Options options);

  [[nodiscard]] Expected<void> read_level();
  [[nodiscard]] Expected<void> store(Row row);
  [[nodiscard]] Expected<void> insert(const Row& row);
  [[nodiscard]] Expected<void> insert_row(const Row& row);
  [[nodiscard]] Expected<std::uint64_t> remove_day(std::int64_t day);
  [[nodiscard]] Expected<void> settle_losses(const Row& row);
  [[nodiscard]] Expected<void> flush_held();
  [[nodiscard]] Expected<void> write(const Row& row);
  void hold(Row row, std::string_view reason);
  void keep_unwritten();
  [[nodiscard]] Expected<void> begin_anew(const Row& row);
  [[nodiscard]] Expected<void> count(std::string_view name, std::uint64_t times);

  struct Stored {
    std::int64_t sequence = 0;
    std::string line;
    std::string carries;
  };
  [[nodiscard]] Expected<std::vector<Stored>> find(SpoolClass rank, std::int64_t detail_below);
  [[nodiscard]] Expected<std::uint64_t> cut(SpoolClass rank, std::int64_t detail, std::string_view name);
  [[nodiscard]] Expected<std::uint64_t> drop(SpoolClass rank, std::string_view name);
  [[nodiscard]] Expected<void> drop_older(SpoolClass first, SpoolClass last, WallTime than);
  [[nodiscard]] Expected<void> take_back(std::string_view carries);
  [[nodiscard]] Expected<void> make_room();

  platform::Database database_;
  Statements statements_;
  std::string path_;
  Options options_;
  std::uint64_t bytes_ = 0;
  LimitCounts pending_;  // losses that no record tells, none in memory either
  LimitCounts unsaved_;  // losses that are not in the file yet, some of them told by rows in memory
  std::deque<Row> held_;
  std::uint64_t held_bytes_ = 0;
  LossFile loss_file_;
  std::vector<std::string> notices_;
};

}  // namespace kua::probe
