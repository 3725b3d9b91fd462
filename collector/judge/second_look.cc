#include "collector/judge/second_look.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "verdict/judge.h"

namespace kua::collector {
namespace {

const Measurement& measurement_of(const JudgedRecord& record) {
  return std::get<Measurement>(record.record);
}

JudgedRecord not_yet_judged(StoredRecord stored) {
  return {std::move(stored.json), std::move(stored.record), std::move(stored.facts), {}};
}

// Of controls in order of time, those that the judge would have had in its book at the end of the
// window around `at`.
ControlBook book_at(const std::vector<Measurement>& controls, const ControlTiming& timing,
                    WallTime at) {
  ControlBook::Options options;
  options.timing = timing;
  ControlBook book(options);
  for (const Measurement& control : controls) {
    if (control.header.time >= at + 3 * timing.first(control.tier)) break;
    (void)book.add(control);  // one that is of no use is no loss here
  }
  return book;
}

}  // namespace

SecondLook::SecondLook(RecordArchive& archive, const Judge& judge, std::size_t controls_max)
    : archive_(archive), judge_(judge), controls_max_(controls_max) {}

Expected<std::optional<JudgedRecord>> SecondLook::find(const RecordId& id) {
  Expected<std::optional<StoredRecord>> stored = archive_.find(id);
  if (!stored) return std::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  std::vector<JudgedRecord> one;
  one.push_back(not_yet_judged(std::move(**stored)));
  if (const auto done = judge_all(one); !done) return std::unexpected(done.error());
  return std::move(one.front());
}

Expected<std::vector<JudgedRecord>> SecondLook::query(const RecordQuery& query) {
  Expected<std::vector<StoredRecord>> stored = archive_.query(query);
  if (!stored) return std::unexpected(stored.error());
  std::vector<JudgedRecord> records;
  records.reserve(stored->size());
  for (StoredRecord& each : *stored) {
    records.push_back(not_yet_judged(std::move(each)));
  }
  if (const auto done = judge_all(records); !done) return std::unexpected(done.error());
  return records;
}

Expected<void> SecondLook::judge_all(std::vector<JudgedRecord>& records) {
  std::map<TargetId, std::vector<JudgedRecord*>> again;
  for (JudgedRecord& record : records) {
    const auto* measurement = std::get_if<Measurement>(&record.record);
    if (measurement == nullptr) continue;
    if (const std::vector<Verdict>* cached = judge_.cached(measurement->header.id)) {
      record.verdicts = *cached;
    } else if (judge_.is_control(measurement->header)) {
      record.verdicts = verdict::judge(*measurement, {}, judge_.knowledge()->view());
    } else {
      again[measurement->target].push_back(&record);
    }
  }
  for (auto& [target, group] : again) {
    if (const auto done = judge_target(target, group); !done) return done;
  }
  return {};
}

Expected<void> SecondLook::judge_target(const TargetId& target,
                                        std::vector<JudgedRecord*>& records) {
  Microseconds reach{0};
  for (const JudgedRecord* record : records) {
    reach = std::max(reach, 3 * judge_.timing().first(measurement_of(*record).tier));
  }
  const auto by_time = [](const JudgedRecord* record) {
    return measurement_of(*record).header.time;
  };
  RecordQuery query;
  query.target = target;
  query.role = ProbeRole::control;
  query.since = by_time(std::ranges::min(records, {}, by_time)) - reach;
  query.until = by_time(std::ranges::max(records, {}, by_time)) + reach;
  query.limit = controls_max_;
  Expected<std::vector<StoredRecord>> stored = archive_.query(query);
  if (!stored) return std::unexpected(stored.error());
  std::vector<Measurement> controls;
  for (StoredRecord& each : *stored) {
    auto* control = std::get_if<Measurement>(&each.record);
    if (control != nullptr && judge_.is_control(control->header)) {
      controls.push_back(std::move(*control));
    }
  }
  std::ranges::sort(controls, {}, [](const Measurement& control) { return control.header.time; });
  for (JudgedRecord* record : records) {
    const Measurement& measurement = measurement_of(*record);
    const ControlBook book = book_at(controls, judge_.timing(), measurement.header.time);
    const auto views = book.views(target, measurement.header.time);
    record->verdicts = verdict::judge(measurement, views, judge_.knowledge()->view());
  }
  return {};
}

}  // namespace kua::collector
