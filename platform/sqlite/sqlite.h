// A thin owner of one SQLite connection and its statements. SQLite's types stay inside sqlite.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kua::platform {

enum class Durability {
  // WAL, synchronous=NORMAL: a killed process loses nothing, a power cut the last commits.
  process_crash,
  // WAL, synchronous=FULL: every commit is on disk when it returns.
  power_cut,
};

// A prepared statement; borrowed from its Database, which must outlive it. Not thread-safe.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  // Parameters are numbered from 1. Text and blobs are copied.
  void bind(int index, std::int64_t value);
  void bind(int index, double value);
  void bind_text(int index, std::string_view value);
  void bind_blob(int index, std::string_view value);
  void bind_null(int index);

  // One step: true when a row is there to be read, false when done. Errors: no_space for a full
  // disk, invalid_input for a damaged file, unavailable when another connection holds the lock for
  // more than five seconds, permission, limit, internal for SQL that is wrong or a constraint
  // broken, io otherwise. reset() readies it for the next use and drops the bindings.
  [[nodiscard]] Expected<bool> step();
  void reset();
  // bind…, then run() = step to the end and reset.
  [[nodiscard]] Expected<void> run();

  // Columns are numbered from 0; valid until the next step.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  // Creates the file (mode 0600) if needed; ":memory:" makes none. A file that is not a database is
  // invalid_input, as is one whose damage shows at once (check_integrity finds the rest); the
  // caller decides what happens to it, nothing is deleted here.
  [[nodiscard]] static Expected<Database> open(const std::string& path, Durability durability);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  [[nodiscard]] Expected<void> execute(std::string_view sql);  // one or more statements
  [[nodiscard]] Expected<Statement> prepare(std::string_view sql);
  [[nodiscard]] std::int64_t changes() const;
  // PRAGMA quick_check; invalid_input with SQLite's words when it finds damage.
  [[nodiscard]] Expected<void> check_integrity();

 private:
  explicit Database(sqlite3* connection, std::string path) noexcept;
  sqlite3* connection_ = nullptr;
  std::string path_;
};

// Takes the write lock at begin(). Commits on commit(), rolls back in the destructor otherwise.
// Borrows the Database, which must outlive it and stay in place.
class Transaction {
 public:
  [[nodiscard]] static Expected<Transaction> begin(Database& database);
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  [[nodiscard]] Expected<void> commit();

 private:
  explicit Transaction(Database* database) noexcept : database_(database) {}
  Database* database_ = nullptr;
};

}  // namespace kua::platform
