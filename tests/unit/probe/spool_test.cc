#include "probe/spool/spool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "probe/limits.h"
#include "probe/spool/detail.h"
#include "platform/sqlite/sqlite.h"
#include "protocol/record_codec.h"
#include "tests/unit/probe/records.h"
#include "tests/unit/probe/temporary_directory.h"

namespace kua::probe {
namespace {

using testing::ElementsAre;

class SpoolTest : public testing::Test {
 protected:
  Spool open(std::uint64_t bytes_max = 50'000'000) {
    auto spool = Spool::open(path_, {.bytes_max = bytes_max, .age_max = std::chrono::hours(24)});
    if (!spool) throw std::runtime_error(spool.error().text());
    return std::move(*spool);
  }

  static std::vector<Spool::Item> items_of(Spool& spool) {
    return spool.next_batch(1'000'000, 1'000'000'000).value();
  }

  static std::vector<RecordId> ids_of(Spool& spool) {
    std::vector<RecordId> ids;
    for (const auto& item : items_of(spool)) ids.push_back(item.id);
    return ids;
  }

  static Record parsed(const std::string& line) {
    protocol::RecordReader reader;
    return *reader.read(line);
  }

  // Losses told in a record of the spool, summed.
  static LimitCounts told(Spool& spool) {
    LimitCounts sum;
    for (const auto& item : items_of(spool)) {
      const Record record = parsed(item.line);
      if (const auto* measurement = std::get_if<Measurement>(&record)) {
        for (const auto& [name, times] : measurement->limits) sum[name] += times;
      }
    }
    return sum;
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_.file("spool.db");
};

TEST_F(SpoolTest, WhatWasAppendedIsThereAfterReopening) {
  {
    Spool spool = open();
    ASSERT_TRUE(spool.append(some_measurement(1, Tier::key)));
    ASSERT_TRUE(spool.append(some_summary(2, "2024-01-05T00:00:00Z", 1)));
  }
  Spool spool = open();
  const auto items = *spool.next_batch(10, 1'000'000);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(std::get<Measurement>(parsed(items[1].line)), some_measurement(1, Tier::key));
  EXPECT_EQ(spool.bytes(), items[0].line.size() + items[1].line.size());
}

TEST_F(SpoolTest, SummariesGoFirstThenKeyCoreFullEachOldestFirst) {
  Spool spool = open();
  ASSERT_TRUE(spool.append(some_measurement(1, Tier::full)));
  ASSERT_TRUE(spool.append(some_measurement(2, Tier::core)));
  ASSERT_TRUE(spool.append(some_measurement(3, Tier::key)));
  ASSERT_TRUE(spool.append(some_measurement(4, Tier::control)));
  ASSERT_TRUE(spool.append(some_summary(5, "2024-01-04T00:00:00Z", 9)));
  ASSERT_TRUE(spool.append(some_measurement(6, Tier::core)));
  ASSERT_TRUE(spool.append(some_summary(7, "2024-01-05T00:00:00Z", 1)));
  EXPECT_THAT(ids_of(spool), ElementsAre(numbered_id(5), numbered_id(7), numbered_id(3), numbered_id(4),
                                         numbered_id(2), numbered_id(6), numbered_id(1)));
}

TEST_F(SpoolTest, ALaterRevisionReplacesTheUndeliveredOneOfItsDay) {
  Spool spool = open();
  ASSERT_TRUE(spool.append(some_summary(1, "2024-01-04T00:00:00Z", 1)));
  ASSERT_TRUE(spool.append(some_summary(2, "2024-01-05T00:00:00Z", 1)));
  ASSERT_TRUE(spool.append(some_summary(3, "2024-01-05T00:00:00Z", 2)));
  EXPECT_THAT(ids_of(spool), ElementsAre(numbered_id(1), numbered_id(3)));
  const auto items = *spool.next_batch(10, 1'000'000);
  EXPECT_EQ(spool.bytes(), items[0].line.size() + items[1].line.size());
}

TEST_F(SpoolTest, ABatchFitsBothBoundsAndIsNeverEmptyWhileThereIsSomething) {
  Spool spool = open();
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(spool.append(some_measurement(i, Tier::key)));
  const std::size_t each = spool.next_batch(1, 1)->front().line.size();
  EXPECT_EQ(spool.next_batch(3, 1'000'000)->size(), 3u);
  EXPECT_EQ(spool.next_batch(100, each * 4 + each / 2)->size(), 4u);
  EXPECT_EQ(spool.next_batch(100, 1)->size(), 1u);
}

TEST_F(SpoolTest, OnlyWhatTheAnswerNamesGoes) {
  Spool spool = open();
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(spool.append(some_measurement(i, Tier::key)));
  auto batch = *spool.next_batch(4, 1'000'000);
  batch.erase(batch.begin() + 1);
  ASSERT_TRUE(spool.delivered(batch));
  EXPECT_THAT(ids_of(spool), ElementsAre(numbered_id(1), numbered_id(4)));
  ASSERT_TRUE(spool.delivered(batch));  // a repeated answer is harmless
  EXPECT_EQ(ids_of(spool).size(), 2u);
}

TEST_F(SpoolTest, ANumberUsedAgainDoesNotRemoveTheNewerRecord) {
  Spool spool = open();
  ASSERT_TRUE(spool.append(some_measurement(1, Tier::key)));
  const auto batch = *spool.next_batch(1, 1'000'000);
  ASSERT_TRUE(spool.delivered(batch));
  ASSERT_TRUE(spool.append(some_measurement(2, Tier::key)));
  ASSERT_EQ(spool.next_batch(1, 1'000'000)->front().sequence, batch[0].sequence);
  ASSERT_TRUE(spool.delivered(batch));
  EXPECT_THAT(ids_of(spool), ElementsAre(numbered_id(2)));
}

TEST_F(SpoolTest, ARejectedRecordIsCountedUnderItsReason) {
  Spool spool = open();
  ASSERT_TRUE(spool.append(some_measurement(1, Tier::key)));
  ASSERT_TRUE(spool.rejected(spool.next_batch(1, 1'000'000)->front(), "too_old"));
  EXPECT_EQ(spool.level()->losses["rejected_too_old"], 1u);
  ASSERT_TRUE(spool.append(some_measurement(2, Tier::key)));
  EXPECT_EQ(told(spool)["rejected_too_old"], 1u);
}

TEST_F(SpoolTest, EachLossTravelsOnce) {
  Spool spool = open();
  ASSERT_TRUE(spool.append(some_measurement(1, Tier::key)));
  ASSERT_TRUE(spool.rejected(spool.next_batch(1, 1'000'000)->front(), "malformed"));
  ASSERT_TRUE(spool.append(some_measurement(2, Tier::key)));
  ASSERT_TRUE(spool.append(some_measurement(3, Tier::key)));
  EXPECT_EQ(told(spool)["rejected_malformed"], 1u);
  Spool again = open();
  ASSERT_TRUE(again.append(some_measurement(4, Tier::key)));
  EXPECT_EQ(told(again)["rejected_malformed"], 1u);
}

// A file that refuses every new record until it is healed, as a disk does that fails to write.
class SpoolOnABadDisk : public SpoolTest {
 protected:
  void break_it() { run("CREATE TRIGGER broken BEFORE INSERT ON records BEGIN SELECT RAISE(FAIL, 'broken'); END"); }
  void heal() { run("DROP TRIGGER broken"); }
  Spool spool_ = open();

 private:
  void run(const char* sql) {
    auto other = platform::Database::open(path_, platform::Durability::process_crash);
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->execute(sql));
  }
};

TEST_F(SpoolOnABadDisk, WhatCannotBeWrittenIsHeldAndWrittenLater) {
  break_it();
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_FALSE(spool_.append(some_measurement(i, Tier::key)));
  EXPECT_EQ(spool_.level()->held, 3u);
  heal();
  ASSERT_TRUE(spool_.append(some_measurement(3, Tier::key)));
  EXPECT_EQ(spool_.level()->held, 0u);
  EXPECT_THAT(ids_of(spool_), ElementsAre(numbered_id(0), numbered_id(1), numbered_id(2), numbered_id(3)));
}

TEST_F(SpoolOnABadDisk, WhatMemoryCannotHoldIsCountedAndToldOnce) {
  break_it();
  constexpr std::uint64_t kRecords = 1'000;
  for (std::uint64_t i = 0; i < kRecords; ++i) EXPECT_FALSE(spool_.append(some_measurement(i, Tier::key, 1'000)));
  heal();
  ASSERT_TRUE(spool_.append(some_measurement(kRecords, Tier::key)));
  const auto level = *spool_.level();
  const std::uint64_t lost = level.losses.at(std::string(loss::kNotWritten));
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(level.records + lost, kRecords + 1);
  EXPECT_EQ(told(spool_)[std::string(loss::kNotWritten)], lost);
}

TEST_F(SpoolOnABadDisk, ALossIsToldByOneOfTheHeldRecords) {
  ASSERT_TRUE(spool_.append(some_measurement(1, Tier::key)));
  ASSERT_TRUE(spool_.rejected(spool_.next_batch(1, 1'000'000)->front(), "too_old"));
  break_it();
  for (std::uint64_t i = 2; i < 6; ++i) EXPECT_FALSE(spool_.append(some_measurement(i, Tier::key)));
  ASSERT_TRUE(spool_.expire(*parse_rfc3339("2024-01-05T11:00:00Z")));  // looks into the file again
  EXPECT_FALSE(spool_.append(some_measurement(6, Tier::key)));
  heal();
  ASSERT_TRUE(spool_.append(some_measurement(7, Tier::key)));
  EXPECT_EQ(told(spool_)["rejected_too_old"], 1u);
  Spool again = open();
  ASSERT_TRUE(again.append(some_measurement(8, Tier::key)));
  EXPECT_EQ(told(again)["rejected_too_old"], 1u) << "nor by the next process";
}

TEST_F(SpoolOnABadDisk, ASummaryIsLeftToItsDiary) {
  break_it();
  EXPECT_FALSE(spool_.append(some_summary(1, "2024-01-05T00:00:00Z", 1)));
  EXPECT_EQ(spool_.level()->held, 0u);
}

TEST_F(SpoolTest, FullTierBodiesGoFirst) {
  Spool spool = open(60'000);
  for (std::uint64_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(spool.append(some_measurement(i, Tier::full, 4'000)));
    ASSERT_TRUE(spool.append(some_measurement(100 + i, Tier::key, 100)));
  }
  EXPECT_LE(spool.bytes(), 60'000u);
  EXPECT_EQ(ids_of(spool).size(), 20u);
  EXPECT_GT(spool.level()->losses["spool_full_body"], 0u);
  EXPECT_EQ(spool.level()->losses.size(), 1u);
}

TEST_F(SpoolTest, ThenCoreDetailThenRecordsAndKeyLast) {
  Spool spool = open(60'000);
  for (std::uint64_t i = 0; i < 60; ++i) {
    ASSERT_TRUE(spool.append(some_measurement(i, Tier::full, 2'000)));
    ASSERT_TRUE(spool.append(some_measurement(1'000 + i, Tier::core, 2'000)));
    if (i >= 20) continue;
    ASSERT_TRUE(spool.append(some_measurement(2'000 + i, Tier::key)));
  }
  ASSERT_TRUE(spool.append(some_summary(3'000, "2024-01-05T00:00:00Z", 1)));
  EXPECT_LE(spool.bytes(), 60'000u);
  const auto level = *spool.level();
  EXPECT_GT(level.losses.at("spool_core_detail"), 0u);
  EXPECT_GT(level.losses.at("spool_full"), 0u);
  EXPECT_FALSE(level.losses.contains("spool_key"));
  EXPECT_FALSE(level.losses.contains("spool_summary"));
  std::size_t key = 0;
  for (const auto& item : items_of(spool)) {
    const Record record = parsed(item.line);
    if (const auto* m = std::get_if<Measurement>(&record)) key += m->tier == Tier::key ? 1 : 0;
  }
  EXPECT_EQ(key, 20u);
}

TEST_F(SpoolTest, EveryRecordIsEitherThereOrCounted) {
  Spool spool = open(30'000);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Tier tier = i % 3 == 0 ? Tier::key : i % 3 == 1 ? Tier::core : Tier::full;
    ASSERT_TRUE(spool.append(some_measurement(i, tier)));
  }
  const auto level = *spool.level();
  std::uint64_t dropped = 0;
  for (const char* name : {"spool_full", "spool_core", "spool_key"}) {
    if (level.losses.contains(name)) dropped += level.losses.at(name);
  }
  EXPECT_EQ(level.records + dropped, 200u);
  EXPECT_LE(spool.bytes(), 30'000u);
}

TEST_F(SpoolTest, LossesToldInADroppedRecordAreToldAgain) {
  {
    Spool spool = open(8'000);
    // Records that carry losses are themselves dropped, again and again.
    for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(spool.append(some_measurement(i, Tier::key)));
  }
  Spool spool = open();
  const auto level = *spool.level();
  EXPECT_EQ(level.losses.at("spool_key") + level.records, 100u);
  ASSERT_TRUE(spool.append(some_measurement(100, Tier::key)));
  EXPECT_EQ(told(spool)["spool_key"], level.losses.at("spool_key"));
}

TEST_F(SpoolTest, RecordsTooOldAreDroppedAndCountedAndSummariesStay) {
  Spool spool = open();
  ASSERT_TRUE(spool.append(some_measurement(0, Tier::key)));
  ASSERT_TRUE(spool.append(some_measurement(9'000, Tier::core)));  // a day and an hour later
  ASSERT_TRUE(spool.append(some_summary(3, "2024-01-05T00:00:00Z", 1)));
  ASSERT_TRUE(spool.expire(*parse_rfc3339("2024-01-06T11:00:00Z")));
  EXPECT_THAT(ids_of(spool), ElementsAre(numbered_id(3), numbered_id(9'000)));
  EXPECT_EQ(spool.level()->losses.at("spool_age"), 1u);
  ASSERT_TRUE(spool.expire(*parse_rfc3339("2025-03-01T00:00:00Z")));
  EXPECT_TRUE(ids_of(spool).empty());
}

TEST_F(SpoolTest, WithdrawalLeavesNothing) {
  Spool spool = open();
  ASSERT_TRUE(spool.append(some_measurement(1, Tier::key)));
  ASSERT_TRUE(spool.clear());
  EXPECT_TRUE(ids_of(spool).empty());
  EXPECT_EQ(spool.bytes(), 0u);
  std::ifstream file(path_, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(bytes.find("www.example.com"), std::string::npos);
}

// --- damage ---

TEST_F(SpoolTest, AFileThatIsNoSpoolIsMovedAside) {
  std::ofstream(path_) << std::string(10'000, 'x');
  Spool spool = open();
  ASSERT_EQ(spool.notices().size(), 1u);
  EXPECT_NE(spool.notices()[0].find(path_ + ".damaged-1"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path_ + ".damaged-1"), 10'000u);
  ASSERT_TRUE(spool.append(some_measurement(1, Tier::key)));
  EXPECT_EQ(told(spool)["spool_damaged"], 1u);
}

TEST_F(SpoolTest, OfAFileCutInHalfWhatCanBeReadIsTakenOver) {
  {
    Spool spool = open();
    for (std::uint64_t i = 0; i < 200; ++i) ASSERT_TRUE(spool.append(some_measurement(i, Tier::key)));
  }
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  Spool spool = open();
  ASSERT_EQ(spool.notices().size(), 1u) << "damage went unnoticed";
  EXPECT_GT(ids_of(spool).size(), 50u) << spool.notices()[0];
  EXPECT_LT(ids_of(spool).size(), 200u);
  EXPECT_EQ(spool.level()->losses.at("spool_damaged"), 1u);
  ASSERT_TRUE(spool.append(some_measurement(1'000, Tier::key)));
}

TEST_F(SpoolTest, ASecondDamageDoesNotOverwriteTheFirst) {
  for (int round = 1; round <= 2; ++round) {
    std::filesystem::remove(path_);
    std::ofstream(path_) << "damage " << round << std::string(5'000, 'x');
    open();
  }
  EXPECT_TRUE(std::filesystem::exists(path_ + ".damaged-1"));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".damaged-2"));
}

TEST_F(SpoolTest, OverwrittenPagesAreFound) {
  {
    Spool spool = open();
    for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(spool.append(some_measurement(i, Tier::key)));
  }
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3 * 4096);
    file << std::string(4096, '\xff');
  }
  Spool spool = open();
  EXPECT_EQ(spool.notices().size(), 1u);
  ASSERT_TRUE(spool.append(some_measurement(1'000, Tier::key)));
}

TEST_F(SpoolTest, AFileOfANewerVersionIsLeftAlone) {
  { open(); }
  {
    auto database = platform::Database::open(path_, platform::Durability::process_crash);
    ASSERT_TRUE(database->execute("PRAGMA user_version = 99"));
  }
  const auto spool = Spool::open(path_, {.bytes_max = 1'000'000, .age_max = std::chrono::hours(1)});
  ASSERT_FALSE(spool);
  EXPECT_EQ(spool.error().kind, ErrorKind::configuration);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged-1"));
}

// --- kill -9 ---

// A child appends and says each number after its append returned, until it is killed at a moment that
// it cannot know. Every number it said must be in the file.
TEST_F(SpoolTest, KilledAtAnyMomentNoRecordWhoseAppendReturnedIsLost) {
  std::set<RecordId> expected;
  for (int round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Spool spool = open();
      for (std::uint64_t i = 0;; ++i) {
        const std::uint64_t number = static_cast<std::uint64_t>(round) * 1'000'000 + i;
        if (!spool.append(some_measurement(number, Tier::key))) ::_exit(1);
        if (::write(pipe_ends[1], &number, sizeof number) != sizeof number) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    std::uint64_t number = 0;
    const int wanted = 50 + round * 37;
    for (int i = 0; i < wanted; ++i) {
      ASSERT_EQ(::read(pipe_ends[0], &number, sizeof number), static_cast<ssize_t>(sizeof number));
      expected.insert(numbered_id(number));
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(pipe_ends[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number)) {
      expected.insert(numbered_id(number));
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  Spool spool = open();
  EXPECT_TRUE(spool.notices().empty());
  const auto found = ids_of(spool);
  const std::set<RecordId> there(found.begin(), found.end());
  std::size_t lost = 0;
  for (const RecordId& id : expected) lost += there.contains(id) ? 0 : 1;
  EXPECT_EQ(lost, 0u) << "of " << expected.size();
  std::printf("%zu records acknowledged by five killed processes, %zu lost\n", expected.size(), lost);
}

// --- cutting ---

TEST(CutTest, BodiesGoAndWhatComparesThemStays) {
  const auto line = protocol::write_record(some_measurement(1, Tier::full, 3'000));
  const auto cut = cut_from_line(line, Cut::bodies);
  ASSERT_TRUE(cut);
  protocol::RecordReader reader;
  const Record record = *reader.read(*cut);
  const auto& measurement = std::get<Measurement>(record);
  const auto& trip = std::get<HttpRoundTrip>(measurement.observations[1]);
  EXPECT_TRUE(trip.body_sample.empty());
  EXPECT_EQ(trip.body_bytes, 3'000u);
  EXPECT_EQ(trip.body_sha256, std::string(64, 'a'));
  EXPECT_EQ(trip.headers.size(), 2u);
  EXPECT_FALSE(std::get<Lookup>(measurement.observations[0]).reply->raw.empty());
  EXPECT_EQ(measurement.limits.at("spool_bodies_cut"), 1u);
}

TEST(CutTest, DetailTakesHeadersAndRawRepliesToo) {
  const auto cut = cut_from_line(protocol::write_record(some_measurement(1, Tier::core)), Cut::detail);
  ASSERT_TRUE(cut);
  protocol::RecordReader reader;
  const Record record = *reader.read(*cut);
  const auto& measurement = std::get<Measurement>(record);
  const auto& lookup = std::get<Lookup>(measurement.observations[0]);
  EXPECT_TRUE(lookup.reply->raw.empty());
  EXPECT_EQ(lookup.reply->addresses.size(), 1u);
  EXPECT_EQ(std::get<HttpRoundTrip>(measurement.observations[1]).headers.size(), 1u);
}

TEST(CutTest, WhatIsNoMeasurementIsLeft) {
  EXPECT_FALSE(cut_from_line("{", Cut::bodies));
  EXPECT_FALSE(
      cut_from_line(protocol::write_record(some_summary(1, "2024-01-05T00:00:00Z", 1)), Cut::detail));
}

}  // namespace
}  // namespace kua::probe
