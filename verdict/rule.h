// Judgement as data: an ordered table of rows a layer, first match wins, the last row matches always.
// Ids are stored with every verdict: add new ones, never re-point an old one. docs/rules.md is printed
// from these tables.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/check.h"
#include "measurement/verdict.h"

namespace kua::verdict {

// What part an observation had in a verdict; a row names the parts that carry it.
enum class Part : std::uint8_t {
  seen = 1,      // the step under judgement, and its repetitions
  pair = 2,      // same address or same resolver, harmless name
  witness = 4,   // witness address or address without resolver, target's name
  truth = 8,     // trusted answers, connections to addresses they gave
  residual = 16,
};
using Parts = std::uint8_t;  // Part values or-ed together
constexpr Parts operator|(Part a, Part b) {
  return static_cast<Parts>(static_cast<Parts>(a) | static_cast<Parts>(b));
}
constexpr Parts operator|(Parts a, Part b) { return static_cast<Parts>(a | static_cast<Parts>(b)); }
constexpr Parts only(Part part) { return static_cast<Parts>(part); }

// The observations that a layer's evidence was drawn from.
class References {
 public:
  void add(std::uint32_t index, Part part) { entries_.push_back({index, part}); }
  // Ascending, each once.
  [[nodiscard]] std::vector<std::uint32_t> carried_by(Parts parts) const;

 private:
  struct Entry {
    std::uint32_t index;
    Part part;
  };
  std::vector<Entry> entries_;
};

template <typename Evidence>
struct Rule {
  const char* id;
  State state;
  const char* mechanism;  // "*" stands for Evidence::how; empty: none
  Parts carried;
  const char* says;       // one plain clause, for docs/rules.md
  bool (*when)(const Evidence&);
};

template <typename Evidence, std::size_t kRows>
[[nodiscard]] const Rule<Evidence>& first_match(const std::array<Rule<Evidence>, kRows>& table,
                                                const Evidence& evidence) {
  for (const Rule<Evidence>& rule : table) {
    if (rule.when(evidence)) return rule;
  }
  KUA_CHECK(false);  // every table ends with a row that matches always
}

// `pattern` with its "*" replaced by `how`.
[[nodiscard]] std::string fill_mechanism(std::string_view pattern, std::string_view how);

[[nodiscard]] constexpr bool accuses(State state) noexcept {
  return state == State::blocked || state == State::likely_blocked;
}

}  // namespace kua::verdict
