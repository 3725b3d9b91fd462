#include "collector/cells/witness_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace kua::collector {
namespace {

TEST(WitnessTable, AgreesWithAMapUnderInsertsAndDrops) {
  std::mt19937_64 random(7);
  WitnessTable table;
  std::map<std::uint64_t, WallTime> model;
  for (int step = 0; step < 20'000; ++step) {
    // Few low bits, so that probe sequences collide.
    const std::uint64_t witness = 1 + (random() % 97) * 64;
    const WallTime time{Microseconds(step)};
    if (Word* word = table.find(witness)) {
      ASSERT_EQ(word->time, model.at(witness));
      word->time = time;
    } else {
      ASSERT_FALSE(model.contains(witness));
      table.insert(witness).time = time;
    }
    model[witness] = time;
    if (step % 50 == 0) {
      const WallTime oldest{Microseconds(step - static_cast<int>(random() % 120))};
      std::size_t gone = 0;
      table.drop_older(oldest, [&](const Word&) { ++gone; });
      ASSERT_EQ(std::erase_if(model, [&](const auto& item) { return item.second < oldest; }), gone);
    }
    ASSERT_EQ(table.size(), model.size());
  }
  std::size_t seen = 0;
  table.for_each([&](const Word& word) {
    EXPECT_TRUE(model.contains(word.witness));
    ++seen;
  });
  EXPECT_EQ(seen, model.size());
}

}  // namespace
}  // namespace kua::collector
