// The last word of each witness of a cell: a small open-addressing table keyed by 64-bit
// identities. Identities come from hashes (of keys and of network pseudonyms), so their low bits
// are the hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "collector/cells/word.h"
#include "measurement/time.h"

namespace kua::collector {

class WitnessTable {
 public:
  // The witness's word, or nullptr. `witness` is not 0.
  [[nodiscard]] Word* find(std::uint64_t witness) noexcept;
  // A word for a witness that has none yet. Invalidates pointers.
  Word& insert(std::uint64_t witness);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Words older than `oldest` are given to `gone` and dropped.
  template <typename Gone>
  void drop_older(WallTime oldest, Gone gone);
  // Visitors of the second leave `witness` as it is.
  template <typename Visitor>
  void for_each(Visitor visitor) const {
    for (const Word& word : words_) {
      if (word.witness != 0) visitor(word);
    }
  }

  template <typename Visitor>
  void change_each(Visitor visitor) {
    for (Word& word : words_) {
      if (word.witness != 0) visitor(word);
    }
  }

 private:
  void rebuild(std::size_t capacity);
  void place(const Word& word) noexcept;
  std::vector<Word> words_;  // power of two long, at most three quarters full
  std::size_t size_ = 0;
};

template <typename Gone>
void WitnessTable::drop_older(WallTime oldest, Gone gone) {
  std::size_t kept = 0;
  for (Word& word : words_) {
    if (word.witness == 0) continue;
    if (word.time < oldest) {
      gone(word);
      word.witness = 0;
    } else {
      ++kept;
    }
  }
  if (kept == size_) return;
  size_ = kept;
  std::size_t capacity = words_.size();
  while (capacity > 2 && kept * 3 < capacity) capacity /= 2;
  rebuild(capacity);  // also repairs the probe sequences that the gaps broke
}

}  // namespace kua::collector
