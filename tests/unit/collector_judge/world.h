// A judge with everything around it faked: a clock that stands still, a sink that remembers, an
// archive in memory. Measurements are told with the stories of tests/unit/verdict.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/judge/judge.h"
#include "collector/store/archive.h"
#include "protocol/record_codec.h"
#include "tests/unit/verdict/story.h"

namespace kua::collector::test {

using verdict::test::Story;

inline const WallTime kStart = *parse_rfc3339("2022-01-05T10:00:00Z");
inline WallTime at(double minutes) {
  return kStart + Microseconds(static_cast<std::int64_t>(minutes * 60e6));
}

class StillClock final : public platform::Clock {
 public:
  WallTime wall_now() const override { return wall; }
  MonotonicTime monotonic_now() const override { return MonotonicTime(); }
  WallTime wall = kStart;
};

// A probe's or control's id by a small number.
inline ProbeId probe_id(unsigned number) {
  std::string digits = std::to_string(number);
  return *ProbeId::parse(std::string(32 - digits.size(), '0') + digits);
}

// The story as measured by `probe` at `minute`, of a key target.
inline Measurement measured(Story story, unsigned probe, double minute,
                            ProbeRole role = ProbeRole::probe) {
  Measurement measurement = std::move(story.measurement);
  measurement.header.probe = probe_id(probe);
  measurement.header.role = role;
  measurement.header.time = at(minute);
  RecordId::Bytes random{};
  random[15] = static_cast<std::uint8_t>(probe);
  measurement.header.id = RecordId::make(
      std::chrono::floor<std::chrono::milliseconds>(at(minute)).time_since_epoch().count(), random);
  measurement.header.boot = "0123456789abcdef";
  measurement.header.software = "kua-probe/0.1.0";
  measurement.target = *TargetId::parse("web:https://www.example.com/");
  measurement.category = "NEWS";
  measurement.tier = Tier::key;
  return measurement;
}
inline Measurement control(Story story, unsigned probe, double minute) {
  return measured(std::move(story), probe, minute, ProbeRole::control);
}

inline ReceivedRecord received(Measurement measurement, double minute) {
  ReceivedFacts facts;
  facts.received = at(minute);
  facts.country = *CountryCode::parse("KZ");
  facts.asn = Asn{9198};
  facts.network_type = NetworkType::fixed;
  facts.cluster = "cluster-" + measurement.header.probe.text();
  return {std::move(measurement), facts};
}
// Received right when it was measured.
inline ReceivedRecord received(Measurement measurement) {
  const double minute =
      std::chrono::duration<double, std::ratio<60>>(measurement.header.time - kStart).count();
  return received(std::move(measurement), minute);
}

// The knowledge of the verdict tests, owned.
inline std::shared_ptr<const KnowledgeSet> known() {
  auto set = std::make_shared<KnowledgeSet>();
  const verdict::Knowledge& known = verdict::test::knowledge();
  set->fingerprints.assign(known.fingerprints.begin(), known.fingerprints.end());
  set->interception_roots.assign(known.interception_roots.begin(), known.interception_roots.end());
  set->routable.assign(known.routable.begin(), known.routable.end());
  return set;
}

class RememberingSink final : public JudgementSink {
 public:
  void on_contact(const RecordHeader&, const ReceivedFacts&) override { ++contacts; }
  void on_judged(const Measurement& measurement, const ReceivedFacts&,
                 const std::vector<Verdict>& verdicts) override {
    judged.push_back(summarize(verdicts));
    last[measurement.header.id] = verdicts;
  }
  void on_revised(const Measurement& measurement, const ReceivedFacts&,
                  const std::vector<Verdict>& before, const std::vector<Verdict>& after) override {
    EXPECT_EQ(last[measurement.header.id], before);
    revised.emplace_back(summarize(before), summarize(after));
    last[measurement.header.id] = after;
  }
  void on_link(const Measurement&, const ReceivedFacts&, LinkState state) override {
    links.push_back(state);
  }
  void on_control(const ProbeId&) override { ++controls; }
  void on_heartbeat(const ProbeId&, LinkState, const ReceivedFacts&) override { ++heartbeats; }

  int contacts = 0;
  int heartbeats = 0;
  int controls = 0;
  std::vector<State> judged;
  std::vector<std::pair<State, State>> revised;
  std::vector<LinkState> links;
  std::map<RecordId, std::vector<Verdict>> last;
};

class MemoryArchive final : public RecordArchive {
 public:
  void keep(const ReceivedRecord& record) { records_.emplace(header_of(record.record).id, record); }
  Expected<std::optional<StoredRecord>> find(const RecordId& id) override {
    ++reads;
    const auto found = records_.find(id);
    if (found == records_.end()) return std::nullopt;
    return stored(found->second);
  }
  Expected<std::vector<StoredRecord>> query(const RecordQuery& query) override {
    ++reads;
    if (failure) return std::unexpected(*failure);
    std::vector<StoredRecord> result;
    for (auto item = records_.rbegin(); item != records_.rend() && result.size() < query.limit;
         ++item) {
      if (matches(query, item->second)) result.push_back(stored(item->second));
    }
    return result;
  }
  int reads = 0;
  std::optional<Error> failure;

 private:
  static StoredRecord stored(const ReceivedRecord& record) {
    return {protocol::write_record(record.record), record.record, record.facts};
  }
  static bool matches(const RecordQuery& query, const ReceivedRecord& received) {
    const RecordHeader& header = header_of(received.record);
    const auto* measurement = std::get_if<Measurement>(&received.record);
    if (query.target && (measurement == nullptr || measurement->target != *query.target))
      return false;
    if (query.country && header.vantage.country != *query.country) return false;
    if (query.network && header.vantage.asn != *query.network) return false;
    if (query.role && header.role != *query.role) return false;
    if (query.since && header.time < *query.since) return false;
    if (query.until && header.time >= *query.until) return false;
    return !query.after || header.id < *query.after;
  }
  std::map<RecordId, ReceivedRecord> records_;
};

}  // namespace kua::collector::test
