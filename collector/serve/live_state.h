// The collector's present: cells, attendance and metrics, fed by the judge and read by every page.
// One owner on the one state thread; readers get values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "collector/cells/attendance.h"
#include "collector/cells/cells.h"
#include "collector/cells/directory.h"
#include "collector/judge/judgement_sink.h"
#include "collector/serve/overview.h"
#include "protocol/target_list.h"

namespace kua::collector {

class MeasurementMetrics;

// Why a judged measurement is in no cell. Closed set, label values of a counter.
enum class NotCounted : std::uint8_t {
  invalid = 0,     // the probe itself marked it: instrument or vantage at fault
  no_verdict = 1,  // nothing could be concluded about a target: trouble of the line
  elsewhere = 2,   // sent from another country than it claims to be from: nobody accuses from afar
  late = 3,        // older than its window: no part of the present
  control_target = 4,  // a control target tells of the line and accuses nobody
  other_network = 5,   // sent over another network than it claims: it would accuse the wrong one
};
inline constexpr std::size_t kNotCounted = 6;
[[nodiscard]] const char* to_string(NotCounted reason) noexcept;

class LiveState final : public JudgementSink {
 public:
  struct Options {
    Directory::Bounds directory;
    CellsOptions cells;
    AttendanceOptions attendance;
  };
  // Borrows `metrics`.
  LiveState(Options options, MeasurementMetrics& metrics);

  // What the signed lists say: their targets have their places, tiers and categories whatever probes
  // claim. Of a target on several lists the shortest tier counts.
  void set_lists(std::span<const protocol::TargetList> lists);

  void on_contact(const RecordHeader& header, const ReceivedFacts& facts) override;
  void on_judged(const Measurement& measurement, const ReceivedFacts& facts,
                 const std::vector<Verdict>& verdicts) override;
  void on_revised(const Measurement& measurement, const ReceivedFacts& facts,
                  const std::vector<Verdict>& before, const std::vector<Verdict>& after) override;
  void on_link(const Measurement& measurement, const ReceivedFacts& facts,
               LinkState state) override;
  void on_control(const ProbeId& control) override;
  void on_heartbeat(const ProbeId& probe, LinkState state, const ReceivedFacts& facts) override;

  // The replay on start is over: counters begin here.
  void live() noexcept {
    cells_.live();
    directory_.live();
    attendance_.live();
  }

  // Everything that holds at `now`. Costs about a microsecond a cell.
  [[nodiscard]] Overview overview(WallTime now);

  [[nodiscard]] const Cells& cells() const noexcept { return cells_; }
  [[nodiscard]] const Directory& directory() const noexcept { return directory_; }
  [[nodiscard]] const Attendance& attendance() const noexcept { return attendance_; }

 private:
  struct Listed {
    Tier tier = Tier::full;
    CategoryIndex category;
  };
  [[nodiscard]] const Listed* listed(const TargetId& target) const;
  // Where a record was measured, and where its probe is now: the two differ for what was kept in
  // the spool, and for a probe that claims to be where it is not.
  [[nodiscard]] NetworkIndex network_of(const RecordHeader& header, const ReceivedFacts& facts);
  [[nodiscard]] NetworkIndex present_network(const RecordHeader& header,
                                             const ReceivedFacts& facts);
  [[nodiscard]] Vote vote_of(const Measurement& measurement, const ReceivedFacts& facts,
                             const std::vector<Verdict>& verdicts);
  [[nodiscard]] std::optional<NotCounted> outside_cells(const Measurement& measurement,
                                                        const ReceivedFacts& facts,
                                                        const std::vector<Verdict>& verdicts) const;

  MeasurementMetrics& metrics_;
  Directory directory_;
  std::unordered_map<std::string, Listed> listed_;  // by target
  Cells cells_;
  Attendance attendance_;
};

}  // namespace kua::collector
