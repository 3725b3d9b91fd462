#include "platform/sqlite/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "measurement/check.h"

namespace kua::platform {
namespace {

// Another process of ours (status, diary) may hold the write lock for the length of one commit.
constexpr int kBusyTimeoutMilliseconds = 5'000;

ErrorKind kind_of(sqlite3* connection, int code) {
  const int system_error = connection == nullptr ? 0 : sqlite3_system_errno(connection);
  const bool system_call_failed = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (system_call_failed && (system_error == ENOSPC || system_error == EDQUOT))
    return ErrorKind::no_space;
  if (system_call_failed && (system_error == EACCES || system_error == EROFS))
    return ErrorKind::permission;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorKind::no_space;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return ErrorKind::invalid_input;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::unavailable;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return ErrorKind::permission;
    case SQLITE_TOOBIG:
      return ErrorKind::limit;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return ErrorKind::internal;
    default:
      return ErrorKind::io;
  }
}

std::unexpected<Error> failed(sqlite3* connection, int code, std::string doing) {
  const char* words = connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection);
  return fail(kind_of(connection, code), words, std::move(doing));
}

std::string doing_with(sqlite3* connection) {
  const char* path = sqlite3_db_filename(connection, "main");
  return std::string("using database ") + (path == nullptr || *path == '\0' ? ":memory:" : path);
}

// SQLite creates files by the umask; ours hold what a volunteer measured. The WAL and its index
// take the mode of the database.
Expected<void> create_private(const std::string& path, const std::string& doing) {
  if (path == ":memory:") return {};
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
    return {};
  }
  const int number = errno;
  const auto kind = number == EACCES || number == EPERM || number == EROFS ? ErrorKind::permission
                    : number == ENOENT                                     ? ErrorKind::not_found
                    : number == ENOSPC || number == EDQUOT                 ? ErrorKind::no_space
                                                                           : ErrorKind::io;
  return fail(kind, std::generic_category().message(number), doing);
}

// A null pointer would bind NULL instead of an empty value.
const char* data_of(std::string_view value) { return value.data() == nullptr ? "" : value.data(); }

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(statement_);
    statement_ = std::exchange(other.statement_, nullptr);
  }
  return *this;
}
Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind(int index, std::int64_t value) {
  KUA_CHECK(sqlite3_bind_int64(statement_, index, value) == SQLITE_OK);
}
void Statement::bind(int index, double value) {
  KUA_CHECK(sqlite3_bind_double(statement_, index, value) == SQLITE_OK);
}
void Statement::bind_text(int index, std::string_view value) {
  KUA_CHECK(sqlite3_bind_text64(statement_, index, data_of(value), value.size(), SQLITE_TRANSIENT,
                                SQLITE_UTF8) == SQLITE_OK);
}
void Statement::bind_blob(int index, std::string_view value) {
  KUA_CHECK(sqlite3_bind_blob64(statement_, index, data_of(value), value.size(),
                                SQLITE_TRANSIENT) == SQLITE_OK);
}
void Statement::bind_null(int index) {
  KUA_CHECK(sqlite3_bind_null(statement_, index) == SQLITE_OK);
}

Expected<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* connection = sqlite3_db_handle(statement_);
  auto error = failed(connection, code, doing_with(connection));
  sqlite3_reset(statement_);  // an unfinished statement would keep the transaction open
  return error;
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Expected<void> Statement::run() {
  while (true) {
    const auto more = step();
    if (more && *more) continue;
    reset();
    if (!more) return std::unexpected(more.error());
    return {};
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}
std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(sqlite3* connection, std::string path) noexcept
    : connection_(connection), path_(std::move(path)) {}
Database::Database(Database&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), path_(std::move(other.path_)) {}
Database& Database::operator=(Database&& other) noexcept {
  if (this != &other) {
    sqlite3_close_v2(connection_);
    connection_ = std::exchange(other.connection_, nullptr);
    path_ = std::move(other.path_);
  }
  return *this;
}
// A statement that outlives its database keeps the connection alive until it goes too.
Database::~Database() { sqlite3_close_v2(connection_); }

Expected<Database> Database::open(const std::string& path, Durability durability) {
  const std::string doing = "opening database " + path;
  if (const auto created = create_private(path, doing); !created)
    return std::unexpected(created.error());
  sqlite3* connection = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(connection, path);
  if (code != SQLITE_OK) return failed(connection, code, doing);
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyTimeoutMilliseconds);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  const std::string_view synchronous = durability == Durability::power_cut ? "FULL" : "NORMAL";
  // Reading the schema makes SQLite look at the header now, so that a file of another kind is found
  // here and not at the first record. The journal is cut back to 4 MiB after a large transaction:
  // it lies on the same bounded disk as what it protects.
  const std::string settings =
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=" + std::string(synchronous) +
      "; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=4194304; "
      "SELECT count(*) FROM sqlite_schema;";
  if (auto set = database.execute(settings); !set) {
    set.error().doing = doing;
    return std::unexpected(set.error());
  }
  return database;
}

Expected<void> Database::execute(std::string_view sql) {
  const int code = sqlite3_exec(connection_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(connection_, code, doing_with(connection_));
  return {};
}

Expected<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failed(connection_, code, doing_with(connection_));
  KUA_CHECK(statement != nullptr);  // null only for an empty text, and texts are ours
  return Statement(statement);
}

std::int64_t Database::changes() const { return sqlite3_changes64(connection_); }

Expected<void> Database::check_integrity() {
  const std::string doing = "checking database " + path_;
  auto statement = prepare("PRAGMA quick_check(1)");
  if (!statement) {
    statement.error().doing = doing;
    return std::unexpected(statement.error());
  }
  auto row = statement->step();
  if (!row) {
    row.error().doing = doing;
    return std::unexpected(row.error());
  }
  const std::string answer(*row ? statement->text(0) : "no answer");
  if (answer != "ok") return fail(ErrorKind::invalid_input, answer, doing);
  return {};
}

Expected<Transaction> Transaction::begin(Database& database) {
  // IMMEDIATE takes the write lock now: a transaction that begins can also end.
  if (const auto begun = database.execute("BEGIN IMMEDIATE"); !begun)
    return std::unexpected(begun.error());
  return Transaction(&database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // After some failures (a full disk) SQLite has rolled back by itself; then this is an error that
  // says nothing new.
  (void)database_->execute("ROLLBACK");
}

Expected<void> Transaction::commit() {
  KUA_CHECK(database_ != nullptr);
  auto committed = database_->execute("COMMIT");
  if (committed) database_ = nullptr;
  return committed;
}

}  // namespace kua::platform
