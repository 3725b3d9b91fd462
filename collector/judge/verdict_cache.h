// The latest verdicts of records that came lately, so that asking for one right after its upload
// reads no disk. Bounded; the oldest goes first. Nothing is lost with it: verdicts can be made
// again from the record log.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <vector>

#include "measurement/names.h"
#include "measurement/verdict.h"

namespace kua::collector {

class VerdictCache {
 public:
  explicit VerdictCache(std::size_t records_max) : records_max_(records_max) {}

  void put(const RecordId& id, std::vector<Verdict> verdicts) {
    const auto [place, is_new] = verdicts_.insert_or_assign(id, std::move(verdicts));
    if (!is_new) return;
    order_.push_back(id);
    if (order_.size() <= records_max_) return;
    verdicts_.erase(order_.front());
    order_.pop_front();
  }
  // Borrowed until the next put(); nullptr: not here, judge it again.
  [[nodiscard]] const std::vector<Verdict>* find(const RecordId& id) const {
    const auto found = verdicts_.find(id);
    return found == verdicts_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::size_t size() const noexcept { return verdicts_.size(); }

 private:
  std::size_t records_max_;
  std::deque<RecordId> order_;
  std::unordered_map<RecordId, std::vector<Verdict>> verdicts_;
};

}  // namespace kua::collector
