#include "probe/spool/spool_file.h"

#include <array>
#include <filesystem>
#include <fstream>

namespace kua::probe {
namespace {

using platform::Database;
using platform::Durability;

constexpr std::int64_t kSpoolVersion = 1;

// `sequence` holds the class in its top byte (below the sign bit) and a count below it, so that the
// table itself lies in the order of sending and needs no index to be kept up with every record.
constexpr std::string_view kTables = R"(
CREATE TABLE IF NOT EXISTS records(
  sequence INTEGER PRIMARY KEY,
  id       BLOB NOT NULL,
  born     INTEGER NOT NULL,            -- wall time of the measurement, microseconds
  day      INTEGER NOT NULL DEFAULT 0,  -- of a minute summary
  detail   INTEGER NOT NULL DEFAULT 0,  -- what was cut out, enum Cut
  bytes    INTEGER NOT NULL,
  carries  TEXT NOT NULL DEFAULT '',    -- losses told in it: name=count, …
  line     TEXT NOT NULL                -- kua/1 JSON
);
CREATE TABLE IF NOT EXISTS losses(
  name    TEXT PRIMARY KEY,
  pending INTEGER NOT NULL,             -- not yet told in any record
  total   INTEGER NOT NULL
);
PRAGMA user_version = 1;
)";

// KiB of pages that the connection keeps, of SQLite's default 2000: records are appended, and read once.
constexpr std::string_view kSmallCache = "PRAGMA cache_size = -256";

Expected<std::int64_t> read_number(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->integer(0) : 0;
}

std::uint64_t copy_rows(Database& from, Database& into, std::string_view order) {
  auto select = from.prepare(
      "SELECT sequence, id, born, day, detail, bytes, carries, line FROM records ORDER BY sequence " +
      std::string(order));
  auto insert = into.prepare("INSERT OR IGNORE INTO records VALUES(?,?,?,?,?,?,?,?)");
  if (!select || !insert) return 0;
  std::uint64_t copied = 0;
  for (;;) {
    const auto row = select->step();
    if (!row || !*row) return copied;  // the end, or the edge of the damage
    insert->bind(1, select->integer(0));
    insert->bind_blob(2, select->blob(1));
    for (int column = 2; column <= 5; ++column) insert->bind(column + 1, select->integer(column));
    insert->bind_text(7, select->text(6));
    insert->bind_text(8, select->text(7));
    const bool whole = select->text(7).size() == static_cast<std::size_t>(select->integer(5));
    if (whole && insert->run()) copied += static_cast<std::uint64_t>(into.changes());
    insert->reset();
  }
}

// SQLite refuses a file that is shorter than its header says, even for the pages that are there. So the
// copy gets back its length; the pages that it lacks are zeros, which no reader takes for rows.
void restore_length(const std::string& path) {
  std::array<unsigned char, 32> header{};  // SQLite file format §1.3
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(header.data()), header.size())) return;
  const auto big_endian = [&](std::size_t at, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | header[at + static_cast<std::size_t>(i)];
    return value;
  };
  const std::uint64_t length = big_endian(16, 2) * big_endian(28, 4);
  constexpr std::uint64_t kLengthMax = std::uint64_t{1} << 31;  // a damaged header may say anything
  std::error_code problem;
  if (length <= kLengthMax && length > std::filesystem::file_size(path, problem)) {
    std::filesystem::resize_file(path, length, problem);
  }
}

}  // namespace

Expected<Database> open_spool_file(const std::string& path, Durability durability) {
  auto database = Database::open(path, durability);
  if (!database) return std::unexpected(database.error());
  if (auto set = database->execute(kSmallCache); !set) return std::unexpected(set.error());
  const auto version = read_number(*database, "PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version > kSpoolVersion) {
    return fail(ErrorKind::configuration, "a newer version of kua-probe wrote it", "opening spool " + path);
  }
  if (auto made = database->execute(kTables); !made) return std::unexpected(made.error());
  if (auto sound = database->check_integrity(); !sound) return std::unexpected(sound.error());
  return database;
}

Expected<std::string> move_spool_aside(const std::string& path) {
  std::error_code problem;
  for (int number = 1; number < 1000; ++number) {
    const std::string aside = path + ".damaged-" + std::to_string(number);
    if (std::filesystem::exists(aside, problem)) continue;
    std::filesystem::rename(path, aside, problem);
    if (problem) return fail(ErrorKind::io, problem.message(), "moving " + path + " aside");
    for (const char* suffix : {"-wal", "-shm"}) {
      std::error_code absent;  // the journal may not be there
      std::filesystem::rename(path + suffix, aside + suffix, absent);
    }
    return aside;
  }
  return fail(ErrorKind::limit, "a thousand damaged files are there already", "moving " + path + " aside");
}

std::uint64_t rescue_rows(const std::string& damaged_path, Database& into) {
  // From a copy: the damaged file stays as it was found.
  const std::string copy = damaged_path + ".copy";
  constexpr auto kOverwrite = std::filesystem::copy_options::overwrite_existing;
  std::error_code problem;
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file(damaged_path + suffix, copy + suffix, kOverwrite, problem);
  }
  restore_length(copy);
  std::uint64_t copied = 0;
  if (auto from = Database::open(copy, Durability::process_crash)) {
    auto transaction = platform::Transaction::begin(into);
    if (transaction) {
      // From both ends: what lies behind a damaged page is read backwards.
      copied = copy_rows(*from, into, "ASC") + copy_rows(*from, into, "DESC");
      if (!transaction->commit()) copied = 0;
    }
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy + suffix, problem);
  return copied;
}

}  // namespace kua::probe
