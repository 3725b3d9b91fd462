#include "collector/store/record_index.h"

#include <gtest/gtest.h>

#include <fstream>

#include "collector/store/index_reader.h"
#include "tests/unit/collector/store/sample_records.h"
#include "tests/unit/collector/store/temporary_directory.h"

namespace kua::collector {
namespace {

using std::chrono::minutes;
using std::chrono::sys_days;

const sys_days kDay = std::chrono::floor<std::chrono::days>(kNoon);

template <typename Set>
RecordQuery with(Set set) {
  RecordQuery query;
  set(query);
  return query;
}

class RecordIndexTest : public ::testing::Test {
 protected:
  std::string path() const { return directory_.path() + "/index.db"; }
  RecordIndex open() {
    auto index = RecordIndex::open(path());
    EXPECT_TRUE(index.has_value());
    return std::move(*index);
  }
  // Ends the group's only batch.
  static void close(RecordIndex& index, const std::vector<LinePlace>& places, const BatchPosition& position,
                    WallTime committed = kNoon) {
    index.end_batch(places);
    ASSERT_TRUE(index.end_lookups().has_value());
    index.close_group({&position, 1}, committed);
  }
  // One batch of those records at `offset`.
  void add(RecordIndex& index, const std::vector<Record>& records, std::uint64_t offset, WallTime committed = kNoon) {
    ASSERT_TRUE(index.open_group().has_value());
    std::vector<LinePlace> places;
    for (const Record& record : records) {
      const auto added = index.add(index_entry_of(record));
      ASSERT_TRUE(added.has_value());
      EXPECT_TRUE(*added);
      places.push_back({static_cast<std::uint32_t>(101 * places.size()), 100});
    }
    close(index, places, {kDay, offset, 50}, committed);
    ASSERT_TRUE(index.flush().has_value());
  }
  std::vector<RecordId> ids(const RecordQuery& query) {
    auto reader = IndexReader::open(path());
    EXPECT_TRUE(reader.has_value());
    const auto places = reader->query(query);
    EXPECT_TRUE(places.has_value());
    std::vector<RecordId> out;
    for (const IndexedPlace& place : *places) out.push_back(place.id);
    return out;
  }
  static RecordId id_of(const Record& record) { return header_of(record).id; }

  TemporaryDirectory directory_;
};

TEST_F(RecordIndexTest, AnIdIsTakenOnceWhetherItWaitsOrIsWritten) {
  RecordIndex index = open();
  const Record record = sample_measurement(1);
  ASSERT_TRUE(index.open_group().has_value());
  ASSERT_TRUE(*index.add(index_entry_of(record)));
  EXPECT_FALSE(*index.add(index_entry_of(record))) << "in its own batch";
  close(index, {{0, 100}}, {kDay, 0, 50});
  ASSERT_TRUE(index.open_group().has_value());
  EXPECT_FALSE(*index.add(index_entry_of(record))) << "while it waits";
  index.undo_group();
  ASSERT_TRUE(index.flush().has_value());
  EXPECT_EQ(index.waiting(), 0u);
  ASSERT_TRUE(index.open_group().has_value());
  EXPECT_FALSE(*index.add(index_entry_of(record))) << "in the file";
}

// Ids newer than all before, older ones, and both again, while what is remembered as recent turns over.
TEST_F(RecordIndexTest, AnIdStaysKnownWhenItIsNoLongerRecent) {
  constexpr std::size_t kRecent = 3;
  std::vector<Record> records;
  for (const unsigned number : {10u, 11u, 12u, 5u, 13u, 4u, 14u, 15u, 3u}) records.push_back(sample_measurement(number));
  {
    auto index = RecordIndex::open(path(), kRecent);
    ASSERT_TRUE(index.has_value());
    std::uint64_t offset = 0;
    for (const Record& record : records) add(*index, {record}, offset += 50);
    ASSERT_TRUE(index->open_group().has_value());
    for (const Record& record : records) EXPECT_FALSE(*index->add(index_entry_of(record)));
    EXPECT_TRUE(*index->add(index_entry_of(sample_measurement(6)))) << "old, and new to us";
    index->undo_group();
  }
  RecordIndex again = open();
  ASSERT_TRUE(again.open_group().has_value());
  for (const Record& record : records) EXPECT_FALSE(*again.add(index_entry_of(record))) << "after a restart";
}

TEST_F(RecordIndexTest, WhatIsUndoneIsUnknownAgain) {
  RecordIndex index = open();
  const Record record = sample_measurement(1);
  ASSERT_TRUE(index.open_group().has_value());
  ASSERT_TRUE(*index.add(index_entry_of(record)));
  index.undo_group();
  add(index, {record}, 0);  // the keys of its target and probe are made anew as well
  RecordQuery by_target;
  by_target.target = sample_measurement(1).target;
  EXPECT_EQ(ids(by_target).size(), 1u);
}

TEST_F(RecordIndexTest, WhatWaitsIsWrittenInAnyOrderOfIds) {
  RecordIndex index = open();
  const auto wait = [&](unsigned number, std::uint64_t offset) {
    ASSERT_TRUE(index.open_group().has_value());
    ASSERT_TRUE(*index.add(index_entry_of(sample_measurement(number))));
    close(index, {{0, 100}}, {kDay, offset, 50});
  };
  wait(2, 0);
  wait(1, 50);
  EXPECT_TRUE(ids({}).empty());
  ASSERT_TRUE(index.flush().has_value());
  auto reader = IndexReader::open(path());
  EXPECT_EQ((*reader->find(id_of(sample_measurement(1))))->batch, (BatchPosition{kDay, 50, 50}));
  EXPECT_EQ((*reader->find(id_of(sample_measurement(2))))->batch, (BatchPosition{kDay, 0, 50}));
}

TEST_F(RecordIndexTest, TheBatchesOfAGroupHaveEachItsPlaceAndAreUndoneTogether) {
  RecordIndex index = open();
  const auto group = [&](std::vector<std::vector<unsigned>> batches) {
    ASSERT_TRUE(index.open_group().has_value());
    for (const auto& batch : batches) {
      std::vector<LinePlace> places;
      for (const unsigned number : batch) {
        if (*index.add(index_entry_of(sample_measurement(number)))) places.push_back({number, 10});
      }
      index.end_batch(places);
    }
  };
  group({{1, 2}, {3}});
  index.undo_group();
  group({{1, 2}, {2, 1}, {2, 3}});
  ASSERT_TRUE(index.end_lookups().has_value());
  const std::vector<BatchPosition> positions = {{kDay, 0, 50}, {kDay, 50, 70}};
  index.close_group(positions, kNoon);
  group({{4}});
  ASSERT_TRUE(index.end_lookups().has_value());
  const BatchPosition last{kDay, 120, 30};
  index.close_group({&last, 1}, kNoon);
  ASSERT_TRUE(index.flush().has_value());
  auto reader = IndexReader::open(path());
  const auto place = [&](unsigned number) { return **reader->find(id_of(sample_measurement(number))); };
  EXPECT_EQ(place(1).batch, positions[0]);
  EXPECT_EQ(place(2).batch, positions[0]);
  EXPECT_EQ(place(3).batch, positions[1]) << "a batch of duplicates has no place";
  EXPECT_EQ(place(3).line.offset, 3u);
  EXPECT_EQ(place(4).batch, last);
}

TEST_F(RecordIndexTest, APlaceIsFoundById) {
  RecordIndex index = open();
  const Record first = sample_measurement(1);
  const Record second = sample_measurement(2);
  add(index, {first, second}, 700);
  auto reader = IndexReader::open(path());
  const auto place = reader->find(id_of(second));
  ASSERT_TRUE(place.has_value() && place->has_value());
  EXPECT_EQ((*place)->batch, (BatchPosition{kDay, 700, 50}));
  EXPECT_EQ((*place)->line.offset, 101u);
  EXPECT_EQ((*place)->line.bytes, 100u);
  const auto nothing = reader->find(id_of(sample_measurement(3)));
  ASSERT_TRUE(nothing.has_value());
  EXPECT_FALSE(nothing->has_value());
}

TEST_F(RecordIndexTest, QueriesNarrowAndPageNewestFirst) {
  RecordIndex index = open();
  Measurement other_target = sample_measurement(2, kNoon + minutes(1));
  other_target.target = *TargetId::parse("service:telegram");
  Measurement other_country = sample_measurement(3, kNoon + minutes(2));
  other_country.header.vantage.country = *CountryCode::parse("BY");
  Measurement control = sample_measurement(4, kNoon + minutes(3));
  control.header.role = ProbeRole::control;
  control.header.probe = sample_probe(7);
  control.header.vantage.asn = Asn{64500};
  MinuteSummary summary;
  summary.header = sample_measurement(5, kNoon + minutes(4)).header;
  summary.header.time = kDay;
  const std::vector<Record> records = {sample_measurement(1), other_target, other_country, control, summary};
  add(index, records, 0);
  const auto id = [&](std::size_t i) { return id_of(records[i]); };

  struct Case {
    const char* claim;
    RecordQuery query;
    std::vector<RecordId> expected;
  };
  std::vector<Case> cases = {
      {"no condition: all, newest first", {}, {id(4), id(3), id(2), id(1), id(0)}},
      {"a page of two", with([&](RecordQuery& q) { q.limit = 2; }), {id(4), id(3)}},
      {"the page after it", with([&](RecordQuery& q) { q.after = id(3); q.limit = 2; }), {id(2), id(1)}},
      {"by target", with([&](RecordQuery& q) { q.target = other_target.target; }), {id(1)}},
      {"a target nobody measured", with([&](RecordQuery& q) { q.target = TargetId::parse("service:none"); }), {}},
      {"by probe", with([&](RecordQuery& q) { q.probe = sample_probe(7); }), {id(3)}},
      {"a probe nobody knows", with([&](RecordQuery& q) { q.probe = sample_probe(8); }), {}},
      {"by country", with([&](RecordQuery& q) { q.country = CountryCode::parse("BY"); }), {id(2)}},
      {"by network", with([&](RecordQuery& q) { q.network = Asn{64500}; }), {id(3)}},
      {"by role", with([&](RecordQuery& q) { q.role = ProbeRole::control; }), {id(3)}},
      {"since is inclusive", with([&](RecordQuery& q) { q.since = kNoon + minutes(2); }), {id(3), id(2)}},
      {"until is exclusive; a summary stands at the begin of its day", with([&](RecordQuery& q) { q.until = kNoon + minutes(1); }), {id(4), id(0)}},
      {"several at once", with([&](RecordQuery& q) { q.target = sample_measurement(1).target; q.country = CountryCode::parse("KZ"); q.until = kNoon + minutes(4); }), {id(3), id(0)}},
  };
  for (const Case& c : cases) EXPECT_EQ(ids(c.query), c.expected) << c.claim;
}

TEST_F(RecordIndexTest, EndsAndBatchesTellWhatIsIndexed) {
  RecordIndex index = open();
  add(index, {sample_measurement(1)}, 0, kNoon);
  add(index, {sample_measurement(2)}, 50, kNoon + minutes(5));
  const auto ends = index.ends();
  ASSERT_TRUE(ends.has_value());
  EXPECT_EQ(ends->at(kDay), 100u);
  auto reader = IndexReader::open(path());
  ASSERT_TRUE(reader.has_value());
  const auto batches = reader->batches_since(kNoon + minutes(1));
  ASSERT_TRUE(batches.has_value());
  EXPECT_EQ(*batches, (std::vector<BatchPosition>{{kDay, 50, 50}}));
}

TEST_F(RecordIndexTest, ADaysRowsGoBatchByBatch) {
  RecordIndex index = open();
  add(index, {sample_measurement(1), sample_measurement(2)}, 0);
  add(index, {sample_measurement(3)}, 50);
  EXPECT_TRUE(*index.remove_first_batch(kDay));
  EXPECT_EQ(ids({}), (std::vector<RecordId>{id_of(sample_measurement(3))}));
  EXPECT_TRUE(*index.remove_first_batch(kDay));
  EXPECT_FALSE(*index.remove_first_batch(kDay));
  EXPECT_TRUE(ids({}).empty());
}

TEST_F(RecordIndexTest, RowsOfAnotherDayWaitWhileADayIsRemoved) {
  RecordIndex index = open();
  add(index, {sample_measurement(1)}, 0);
  ASSERT_TRUE(index.open_group().has_value());
  ASSERT_TRUE(*index.add(index_entry_of(sample_measurement(2))));
  close(index, {{0, 100}}, {kDay + std::chrono::days(1), 0, 50});
  EXPECT_FALSE(index.waits_for(kDay));
  EXPECT_TRUE(index.waits_for(kDay + std::chrono::days(1)));
  EXPECT_TRUE(*index.remove_first_batch(kDay));
  EXPECT_EQ(index.waiting(), 1u);
  ASSERT_TRUE(index.flush().has_value());
  EXPECT_EQ(ids({}), (std::vector<RecordId>{id_of(sample_measurement(2))}));
}

TEST_F(RecordIndexTest, ADamagedFileIsSetAsideAndANewOneBegun) {
  {
    RecordIndex index = open();
    add(index, {sample_measurement(1)}, 0);
  }
  std::ofstream(path(), std::ios::binary | std::ios::trunc) << std::string(8192, 'x');
  RecordIndex index = open();
  EXPECT_TRUE(index.was_damaged());
  EXPECT_TRUE(index.ends()->empty());
  EXPECT_TRUE(std::filesystem::exists(path() + ".damaged"));
}

}  // namespace
}  // namespace kua::collector
