#include "platform/sqlite/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_directory.h"

namespace kua::platform {
namespace {

class Sqlite : public ::testing::Test {
 protected:
  Database open() {
    auto database = Database::open(path_, Durability::power_cut);
    EXPECT_TRUE(database) << database.error().text();
    return std::move(*database);
  }
  static std::int64_t number(Database& database, std::string_view sql) {
    auto statement = database.prepare(sql);
    EXPECT_TRUE(statement);
    EXPECT_TRUE(statement->step().value());
    return statement->integer(0);
  }
  static void fill(Database& database, int rows) {
    ASSERT_TRUE(database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)"));
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction);
    auto insert = database.prepare("INSERT INTO t (body) VALUES (?1)");
    ASSERT_TRUE(insert);
    for (int i = 0; i < rows; ++i) {
      insert->bind_blob(1, std::string(500, static_cast<char>(i)));
      ASSERT_TRUE(insert->run());
    }
    ASSERT_TRUE(transaction->commit());
  }

  test::TempDirectory directory_;
  std::string path_ = directory_.file("spool.db");
};

TEST_F(Sqlite, FilesBelongToTheirOwnerAlone) {
  auto database = open();
  fill(database, 1);
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << entry.path();
  }
}

TEST_F(Sqlite, WritesAheadAndAtTheDurabilityAskedFor) {
  auto database = open();
  auto mode = database.prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode->step().value());
  EXPECT_EQ(mode->text(0), "wal");
  EXPECT_EQ(number(database, "PRAGMA synchronous"), 2);  // FULL
  auto lighter = Database::open(directory_.file("cache.db"), Durability::process_crash);
  EXPECT_EQ(number(*lighter, "PRAGMA synchronous"), 1);  // NORMAL
}

TEST_F(Sqlite, ValuesComeBackAsTheyWere) {
  auto database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE v (a, b, c, d, e, f)"));
  auto insert = database.prepare("INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  insert->bind(1, std::int64_t{-9'000'000'000'000});
  insert->bind(2, 0.25);
  insert->bind_text(3, "қазақша");
  insert->bind_blob(4, std::string_view("\0\xff", 2));
  insert->bind_null(5);
  insert->bind_text(6, std::string_view());
  ASSERT_TRUE(insert->run());
  auto row = database.prepare("SELECT * FROM v");
  ASSERT_TRUE(row->step().value());
  EXPECT_EQ(row->integer(0), -9'000'000'000'000);
  EXPECT_EQ(row->real(1), 0.25);
  EXPECT_EQ(row->text(2), "қазақша");
  EXPECT_EQ(row->blob(3), std::string_view("\0\xff", 2));
  EXPECT_TRUE(row->is_null(4));
  EXPECT_FALSE(row->is_null(5)) << "an empty text is not NULL";
  EXPECT_FALSE(row->step().value());
}

TEST_F(Sqlite, RunForgetsItsBindings) {
  auto database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE t (a)"));
  auto insert = database.prepare("INSERT INTO t VALUES (?1)");
  insert->bind(1, std::int64_t{1});
  ASSERT_TRUE(insert->run());
  ASSERT_TRUE(insert->run());
  EXPECT_EQ(database.changes(), 1);
  EXPECT_EQ(number(database, "SELECT count(*) FROM t WHERE a IS NULL"), 1);
}

TEST_F(Sqlite, ATransactionThatIsNotCommittedLeavesNothing) {
  auto database = open();
  ASSERT_TRUE(database.execute("CREATE TABLE t (a)"));
  {
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES (1)"));
    auto moved = std::move(*transaction);
  }
  EXPECT_EQ(number(database, "SELECT count(*) FROM t"), 0);
  auto transaction = Transaction::begin(database);
  ASSERT_TRUE(database.execute("INSERT INTO t VALUES (1)"));
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(number(database, "SELECT count(*) FROM t"), 1);
}

TEST_F(Sqlite, AFullDatabaseIsNoSpaceAndGoesOnAfterwards) {
  auto database = open();
  fill(database, 1);
  ASSERT_TRUE(database.execute("PRAGMA max_page_count=20"));
  auto transaction = Transaction::begin(database);
  auto insert = database.prepare("INSERT INTO t (body) VALUES (zeroblob(200000))");
  const auto ran = insert->run();
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::no_space);
  EXPECT_NE(ran.error().text().find("spool.db"), std::string::npos) << ran.error().text();
  {
    const auto dropped = std::move(*transaction);
  }
  EXPECT_EQ(number(database, "SELECT count(*) FROM t"), 1);
  ASSERT_TRUE(database.execute("INSERT INTO t (body) VALUES (x'00')"));
}

TEST_F(Sqlite, AFileOfAnotherKindIsInvalidAndKept) {
  const std::string text = "#!/bin/sh\n" + std::string(4096, 'x');
  std::ofstream(path_) << text;
  const auto database = Database::open(path_, Durability::power_cut);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(std::filesystem::file_size(path_), text.size());
}

TEST_F(Sqlite, AFileCutInHalfIsFound) {
  {
    auto database = open();
    fill(database, 2000);
  }
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  auto database = Database::open(path_, Durability::power_cut);
  const auto error = database ? database->check_integrity() : std::unexpected(database.error());
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().kind, ErrorKind::invalid_input) << error.error().text();
}

TEST_F(Sqlite, AWholeFilePassesTheCheck) {
  auto database = open();
  fill(database, 100);
  EXPECT_TRUE(database.check_integrity());
}

TEST_F(Sqlite, WrongSqlAndBrokenConstraintsAreOurFault) {
  auto database = open();
  EXPECT_EQ(database.prepare("SELEKT 1").error().kind, ErrorKind::internal);
  ASSERT_TRUE(database.execute("CREATE TABLE u (a UNIQUE); INSERT INTO u VALUES (1)"));
  EXPECT_EQ(database.execute("INSERT INTO u VALUES (1)").error().kind, ErrorKind::internal);
}

TEST_F(Sqlite, PathsThatCannotBeOpenedSayWhy) {
  EXPECT_EQ(Database::open(directory_.file("absent/x.db"), Durability::power_cut).error().kind,
            ErrorKind::not_found);
  EXPECT_FALSE(Database::open(directory_.path(), Durability::power_cut));
}

TEST_F(Sqlite, MemoryMakesNoFile) {
  auto database = Database::open(":memory:", Durability::process_crash);
  ASSERT_TRUE(database);
  ASSERT_TRUE(database->execute("CREATE TABLE t (a)"));
  EXPECT_FALSE(std::filesystem::exists(":memory:"));
}

}  // namespace
}  // namespace kua::platform
