// Which stretches of the day files were looked at in this run, so that what cannot be read there counts
// once, however often the index is made again or the log is replayed.
#pragma once

#include <boost/icl/interval_set.hpp>
#include <chrono>
#include <cstdint>
#include <map>

namespace kua::collector {

class FirstLooks {
 public:
  // Marks the bytes from `begin` to before `end`; returns how many of them were not marked before.
  [[nodiscard]] std::uint64_t mark(std::chrono::sys_days day, std::uint64_t begin, std::uint64_t end) {
    Stretches& seen = seen_[day];
    const std::uint64_t before = boost::icl::cardinality(seen);
    seen.add(Stretches::interval_type::right_open(begin, end));
    return boost::icl::cardinality(seen) - before;
  }

 private:
  // Frames are looked at in order, so that a day has few stretches.
  using Stretches = boost::icl::interval_set<std::uint64_t>;
  std::map<std::chrono::sys_days, Stretches> seen_;
};

}  // namespace kua::collector
