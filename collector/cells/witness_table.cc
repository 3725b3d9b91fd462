#include "collector/cells/witness_table.h"

#include <utility>

namespace kua::collector {
namespace {
constexpr std::size_t kFirstCapacity = 2;
}  // namespace

Word* WitnessTable::find(std::uint64_t witness) noexcept {
  if (words_.empty()) return nullptr;
  const std::size_t mask = words_.size() - 1;
  for (std::size_t at = static_cast<std::size_t>(witness) & mask; words_[at].witness != 0;
       at = (at + 1) & mask) {
    if (words_[at].witness == witness) return &words_[at];
  }
  return nullptr;
}

Word& WitnessTable::insert(std::uint64_t witness) {
  if (words_.empty()) {
    rebuild(kFirstCapacity);
  } else if ((size_ + 1) * 4 > words_.size() * 3) {
    rebuild(words_.size() * 2);
  }
  Word word;
  word.witness = witness;
  place(word);
  ++size_;
  return *find(witness);
}

void WitnessTable::rebuild(std::size_t capacity) {
  std::vector<Word> old = std::exchange(words_, std::vector<Word>(capacity));
  for (const Word& word : old) {
    if (word.witness != 0) place(word);
  }
}

void WitnessTable::place(const Word& word) noexcept {
  const std::size_t mask = words_.size() - 1;
  std::size_t at = static_cast<std::size_t>(word.witness) & mask;
  while (words_[at].witness != 0) at = (at + 1) & mask;
  words_[at] = word;
}

}  // namespace kua::collector
