#include "collector/store/record_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "platform/compress/compress.h"
#include "protocol/record_codec.h"
#include "tests/unit/collector/store/recording_files.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/set_clock.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

using std::chrono::days;

class RecordStoreTest : public ::testing::Test {
 protected:
  void open(std::uint64_t bytes_max = 1ull << 40) {
    store_.reset();
    StoreOptions options;
    options.directory = directory_.path();
    options.age_max = days(10);
    options.bytes_max = bytes_max;
    auto store = RecordStore::open(files_, clock_, options);
    ASSERT_TRUE(store.has_value()) << store.error().text();
    store_ = std::move(*store);
  }
  // Appends one batch and waits for its answer.
  AppendResult append(const std::vector<Measurement>& measurements) {
    std::vector<std::string> lines;
    for (const Measurement& measurement : measurements) lines.push_back(protocol::write_record(measurement));
    return append_lines(measurements, lines);
  }
  AppendResult append_lines(const std::vector<Measurement>& measurements, const std::vector<std::string>& lines) {
    const std::vector<Record> records(measurements.begin(), measurements.end());
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    const std::string sent = platform::zstd_compress(text, 9);
    AppendBatch batch;
    batch.reception.time = clock_.wall_now();
    batch.reception.country = *CountryCode::parse("KZ");
    batch.reception.clusters = {{epoch_of(kNoon), "00112233aabbcc"}};
    batch.sent = AppendBatch::Sent{kSeal, sent, text};
    std::size_t at = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
      batch.items.push_back({index_entry_of(records[i]), std::string_view(text).substr(at, lines[i].size())});
      batch.bytes += lines[i].size();
      at += lines[i].size() + 1;
    }
    std::promise<AppendResult> answer;
    EXPECT_TRUE(store_->append(std::move(batch), [&](AppendResult result) {
      files_.note("answer");
      answer.set_value(std::move(result));
    }));
    return answer.get_future().get();
  }
  // Appends, and returns when retention has removed a day file and counted it.
  void append_and_await_removal(const Measurement& measurement) {
    auto removed = std::make_shared<std::promise<void>>();
    files_.on_remove = [removed] { removed->set_value(); };
    ASSERT_TRUE(append({measurement}).has_value());
    ASSERT_EQ(removed->get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    store_->settle();
  }
  bool is_stored(const Measurement& measurement) {
    store_->settle();
    const auto found = store_->find(measurement.header.id);
    EXPECT_TRUE(found.has_value());
    return found && found->has_value();
  }
  // Writes zeros over one page of the index: the one that begins at this part of the file.
  void zero_page(double part) {
    store_.reset();
    constexpr std::uintmax_t kPage = 4096;
    const auto pages = std::filesystem::file_size(index_file()) / kPage;
    std::fstream file(index_file(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(static_cast<std::uintmax_t>(part * static_cast<double>(pages)) * kPage));
    file << std::string(kPage, '\0');
  }
  std::string day_file() const { return directory_.path() + "/log/" + DayLog::file_name(std::chrono::floor<days>(kNoon)); }
  // Three batches, the second unreadable; its bytes.
  std::uint64_t damage_second_of_three() {
    std::vector<std::uint64_t> ends;
    for (unsigned i = 0; i < 3; ++i) {
      EXPECT_TRUE(append({sample_measurement(i)}).has_value());
      ends.push_back(std::filesystem::file_size(day_file()));
    }
    store_.reset();
    std::fstream file(day_file(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>((ends[0] + ends[1]) / 2));
    file << "damage";
    return ends[1] - ends[0];
  }
  std::size_t replayed() {
    std::size_t records = 0;
    EXPECT_TRUE(store_->replay(kNoon - days(1), [&](StoredRecord) { ++records; }).has_value());
    return records;
  }
  void remove_index() {
    store_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(index_file(suffix));
  }
  std::string index_file(const char* suffix = "") const { return directory_.path() + "/index.db" + suffix; }

  static constexpr Seal kSeal{{1, 2, 3}, {4, 5, 6}};
  TemporaryDirectory directory_;
  RecordingFiles files_;
  SetClock clock_{kNoon};
  std::unique_ptr<RecordStore> store_;
};

using Results = std::vector<Stored>;

TEST_F(RecordStoreTest, TheAnswerFollowsTheSync) {
  open();
  ASSERT_TRUE(append({sample_measurement(0)}).has_value());
  files_.forget();
  const auto stored = append({sample_measurement(1), sample_measurement(2)});
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(*stored, (Results{Stored::stored, Stored::stored}));
  EXPECT_EQ(files_.journal(), (std::vector<std::string>{"append", "sync", "answer"}));
}

TEST_F(RecordStoreTest, ASyncThatFailsIsNoSuccess) {
  open();
  ASSERT_TRUE(append({sample_measurement(0)}).has_value());
  files_.sync_fails = true;
  EXPECT_FALSE(append({sample_measurement(1)}).has_value());
  files_.sync_fails = false;
  EXPECT_FALSE(is_stored(sample_measurement(1)));
  const auto again = append({sample_measurement(1)});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, Results{Stored::stored}) << "the failed attempt left no trace in the index";
}

TEST_F(RecordStoreTest, SendingTwiceIsHarmlessAlsoAcrossARestart) {
  open();
  ASSERT_TRUE(append({sample_measurement(1)}).has_value());
  EXPECT_EQ(*append({sample_measurement(1), sample_measurement(2), sample_measurement(2)}),
            (Results{Stored::duplicate, Stored::stored, Stored::duplicate}));
  open();
  EXPECT_EQ(*append({sample_measurement(2)}), Results{Stored::duplicate});
  EXPECT_EQ(store_->query({})->size(), 2u);
}

TEST_F(RecordStoreTest, TheBytesAreKeptAsTheyWereSent) {
  open();
  const Measurement measurement = sample_measurement(1);
  std::string odd = protocol::write_record(measurement);
  odd.insert(1, "  ");
  odd.insert(odd.size() - 1, R"(, "x_later" : [1,  2] )");
  ASSERT_TRUE(append_lines({measurement}, {odd}).has_value());
  store_->settle();
  const auto found = store_->find(measurement.header.id);
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->json, odd);
  EXPECT_EQ((*found)->facts.cluster, "00112233aabbcc");
}

// What the probe signed stands in the log; a part of it is the collector's own compression, unsigned.
TEST_F(RecordStoreTest, ABatchIsKeptAsItWasSignedUnlessAPartOfItIsKnown) {
  open();
  const std::vector<Measurement> whole = {sample_measurement(1), sample_measurement(2)};
  ASSERT_TRUE(append(whole).has_value());
  std::string text;
  for (const Measurement& measurement : whole) text += protocol::write_record(measurement) + "\n";
  const std::string first = *files_.read(day_file(), 0, 1 << 20);
  EXPECT_TRUE(first.ends_with(platform::zstd_compress(text, 9)));
  ASSERT_TRUE(append({sample_measurement(2), sample_measurement(3)}).has_value());
  const std::string second = files_.read(day_file(), first.size(), 1 << 20).value();

  const auto about = [](const std::string& bytes) {
    const std::string lines = *platform::zstd_decompress(bytes, 1 << 20);
    return *read_batch_line(std::string_view(lines).substr(0, lines.find('\n')));
  };
  EXPECT_EQ(about(first).seal, kSeal);
  EXPECT_EQ(about(second).seal, std::nullopt);
  for (const unsigned number : {1u, 2u, 3u}) EXPECT_TRUE(is_stored(sample_measurement(number))) << number;
}

TEST_F(RecordStoreTest, AFullDiskIsRefusedAndSurvived) {
  open();
  ASSERT_TRUE(append({sample_measurement(1)}).has_value());
  files_.room = [](std::size_t bytes) { return bytes / 2; };
  const auto refused = append({sample_measurement(2)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::no_space);
  files_.room = [](std::size_t) { return std::string::npos; };
  EXPECT_EQ(*append({sample_measurement(2)}), Results{Stored::stored});
  open();
  EXPECT_EQ(store_->counters().torn_bytes, 0u);
  EXPECT_TRUE(is_stored(sample_measurement(1)));
  EXPECT_TRUE(is_stored(sample_measurement(2)));
}

TEST_F(RecordStoreTest, SomeSpaceIsLeftAlone) {
  open();
  files_.free = limits::kFreeBytesMin - 1;
  const auto refused = append({sample_measurement(1)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::no_space);
}

TEST_F(RecordStoreTest, ALostIndexIsMadeAgainFromTheLog) {
  open();
  ASSERT_TRUE(append({sample_measurement(1), sample_measurement(2)}).has_value());
  ASSERT_TRUE(append({sample_measurement(3)}).has_value());
  remove_index();
  open();
  EXPECT_EQ(store_->query({})->size(), 3u);
  EXPECT_EQ(*append({sample_measurement(3)}), Results{Stored::duplicate});
}

TEST_F(RecordStoreTest, AnIndexThatLagsCatchesUp) {
  open();
  ASSERT_TRUE(append({sample_measurement(1)}).has_value());
  store_.reset();
  std::filesystem::copy_file(index_file(), index_file(".old"));
  open();
  ASSERT_TRUE(append({sample_measurement(2)}).has_value());
  store_.reset();
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(index_file(suffix));
  std::filesystem::rename(index_file(".old"), index_file());
  open();
  EXPECT_TRUE(is_stored(sample_measurement(2)));
  EXPECT_EQ(*append({sample_measurement(2)}), Results{Stored::duplicate});
}

TEST_F(RecordStoreTest, DamageOfTheNewestDayCountsOnce) {
  open();
  const std::uint64_t damaged = damage_second_of_three();
  remove_index();
  open();
  EXPECT_EQ(store_->counters().damaged_bytes, damaged);
  EXPECT_EQ(replayed(), 2u);
  EXPECT_EQ(store_->counters().damaged_bytes, damaged);
}

TEST_F(RecordStoreTest, ABatchThatReplayCannotReadCountsOnce) {
  open();
  const std::uint64_t damaged = damage_second_of_three();
  open();
  EXPECT_EQ(store_->counters().damaged_bytes, 0u) << "the index knows the day; nobody has looked";
  EXPECT_EQ(replayed(), 2u);
  EXPECT_EQ(store_->counters().damaged_bytes, damaged);
  EXPECT_EQ(replayed(), 2u);
  EXPECT_EQ(store_->counters().damaged_bytes, damaged);
}

TEST_F(RecordStoreTest, LinesThatReplayCannotReadCountOnce) {
  open();
  ASSERT_TRUE(append({sample_measurement(0)}).has_value());
  store_.reset();
  const std::string first = *files_.read(day_file(), 0, 1 << 20);
  const std::string text = *platform::zstd_decompress(first, 1 << 20);
  const std::size_t records = text.find('\n') + 1;
  std::ofstream(day_file(), std::ios::binary | std::ios::app)
      << DayLog::to_frames(text.substr(0, records),
                           platform::zstd_compress(protocol::write_record(sample_measurement(1)) + "\nno record\n"));
  for (const char* claim : {"indexed and replayed", "replayed"}) {
    open();
    EXPECT_EQ(replayed(), 2u) << claim;
    EXPECT_EQ(store_->counters().damaged_bytes, 9u) << claim;
  }
}

TEST_F(RecordStoreTest, AnOlderDayThatEndsInDamageIsCounted) {
  open();
  ASSERT_TRUE(append({sample_measurement(0)}).has_value());
  clock_.set(kNoon + days(1));
  ASSERT_TRUE(append({sample_measurement(1)}).has_value());
  store_.reset();
  std::ofstream(day_file(), std::ios::binary | std::ios::app) << "damage";
  open();
  EXPECT_EQ(store_->counters().damaged_bytes, 6u);
}

// Numbers `first`, `first` + 4, …: sets with different firsts lie between each other.
std::vector<Measurement> every_fourth(unsigned first) {
  std::vector<Measurement> out;
  for (unsigned i = 0; i < 2'000; ++i) out.push_back(sample_measurement(first + 4 * i));
  return out;
}

TEST_F(RecordStoreTest, DamageInsideTheIndexIsMendedWhenARecordMeetsIt) {
  open();
  const std::vector<Measurement> known = every_fourth(0);
  ASSERT_TRUE(append(known).has_value());
  unsigned first = 1;
  for (const double part : {0.25, 0.5, 0.75}) {
    zero_page(part);
    open();
    const auto between = append(every_fourth(first++));
    ASSERT_TRUE(between.has_value()) << part << ": " << between.error().text();
    store_->settle();
    const auto again = append(known);
    ASSERT_TRUE(again.has_value()) << part;
    EXPECT_EQ(std::count(again->begin(), again->end(), Stored::duplicate), 2'000) << part;
    EXPECT_EQ(store_->counters().index_rebuilds, 1u) << part;
    EXPECT_TRUE(is_stored(known[1'000])) << part;
    EXPECT_TRUE(std::filesystem::exists(index_file(".damaged")));
  }
}

TEST_F(RecordStoreTest, DamageInsideTheIndexIsMendedWhenALookUpMeetsIt) {
  open();
  const std::vector<Measurement> known = every_fourth(0);
  ASSERT_TRUE(append(known).has_value());
  zero_page(0.5);
  open();
  const auto found = [&] {
    return std::count_if(known.begin(), known.end(), [&](const Measurement& measurement) {
      const auto record = store_->find(measurement.header.id);
      return record && record->has_value();
    });
  };
  EXPECT_LT(found(), 2'000);
  store_->settle();
  EXPECT_EQ(found(), 2'000);
}

TEST_F(RecordStoreTest, ReplayTellsWhatWasCommittedSinceInOrder) {
  open();
  ASSERT_TRUE(append({sample_measurement(1)}).has_value());
  clock_.set(kNoon + days(1));
  ASSERT_TRUE(append({sample_measurement(3), sample_measurement(2)}).has_value());
  clock_.set(kNoon + days(2));
  ASSERT_TRUE(append({sample_measurement(4)}).has_value());
  open();
  std::vector<std::string> seen;
  ASSERT_TRUE(store_->replay(kNoon + days(1), [&](StoredRecord record) { seen.push_back(record.json); }));
  EXPECT_EQ(seen, (std::vector<std::string>{protocol::write_record(sample_measurement(3)),
                                            protocol::write_record(sample_measurement(2)),
                                            protocol::write_record(sample_measurement(4))}));
}

TEST_F(RecordStoreTest, OldDaysGoWholeWithTheirRows) {
  open();
  ASSERT_TRUE(append({sample_measurement(1)}).has_value());
  clock_.set(kNoon + days(5));
  ASSERT_TRUE(append({sample_measurement(2)}).has_value());
  clock_.set(kNoon + days(11));
  append_and_await_removal(sample_measurement(10));
  EXPECT_EQ(store_->counters().days_removed_by_age, 1u);
  EXPECT_FALSE(is_stored(sample_measurement(1)));
  EXPECT_TRUE(is_stored(sample_measurement(2)));
}

TEST_F(RecordStoreTest, ADayOfManyBatchesGoesThoughNothingElseArrives) {
  open();
  constexpr unsigned kMany = 200;
  for (unsigned i = 0; i < kMany; ++i) ASSERT_TRUE(append({sample_measurement(i)}).has_value());
  clock_.set(kNoon + days(11));
  append_and_await_removal(sample_measurement(kMany));
  EXPECT_EQ(store_->query({})->size(), 1u);
  EXPECT_EQ(store_->counters().days_removed_by_age, 1u);
}

TEST_F(RecordStoreTest, ALogBeyondItsBoundLosesItsOldestDay) {
  open(1);
  ASSERT_TRUE(append({sample_measurement(1)}).has_value());
  EXPECT_TRUE(is_stored(sample_measurement(1))) << "the day being written is kept";
  clock_.set(kNoon + days(1));
  append_and_await_removal(sample_measurement(10));
  EXPECT_EQ(store_->counters().days_removed_by_size, 1u);
  EXPECT_FALSE(is_stored(sample_measurement(1)));
}

TEST_F(RecordStoreTest, ManyWritersShareCommitsAndAllAreAnswered) {
  open();
  constexpr unsigned kBatches = 400;
  std::atomic<unsigned> answered{0};
  std::vector<Record> records;
  std::vector<std::string> lines;
  for (unsigned i = 0; i < kBatches; ++i) {
    records.emplace_back(sample_measurement(i));
    lines.push_back(protocol::write_record(records.back()));
  }
  for (unsigned i = 0; i < kBatches; ++i) {
    AppendBatch batch;
    batch.items.push_back({index_entry_of(records[i]), lines[i]});
    batch.bytes = lines[i].size();
    ASSERT_TRUE(store_->append(std::move(batch), [&](AppendResult result) { answered += result.has_value() ? 1 : 0; }));
  }
  store_.reset();  // closing commits what waits
  EXPECT_EQ(answered, kBatches);
  open();
  RecordQuery all;
  all.limit = 1000;
  EXPECT_EQ(store_->query(all)->size(), kBatches);
}

TEST_F(RecordStoreTest, AFullQueueRefusesAtOnce) {
  open();
  AppendBatch batch;
  batch.bytes = limits::kCommitQueueBytesMax + 1;
  EXPECT_FALSE(store_->append(std::move(batch), [](AppendResult) { FAIL() << "it was refused"; }));
}

}  // namespace
}  // namespace kua::collector
