// A record: what travels from a probe to a collector and is kept for ever, a measurement or a minute
// summary. There is no verdict in it; the collector judges, and may judge again tomorrow.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "measurement/names.h"
#include "measurement/observation.h"
#include "measurement/target.h"
#include "measurement/time.h"
#include "measurement/vantage.h"

namespace kua {

// Whether a measurement may be judged at all.
enum class Validity : std::uint8_t {
  ok = 0,
  instrument = 1,  // we failed (disk, descriptors, clock): can never look like blocking
  vantage = 2,     // the line or the vantage was at fault when it was made
};
[[nodiscard]] const char* to_string(Validity validity) noexcept;
[[nodiscard]] std::optional<Validity> parse_validity(std::string_view text) noexcept;

// Where a record was imported from. Such records stand in a lane of their own: they are judged with what
// came with them, never counted as witnesses of ours, and never mixed with ours in what is published.
struct Origin {
  std::string source;   // "ooni"
  std::string licence;  // "CC BY-NC-SA 4.0"
  std::string id;       // of the measurement there, as far as it has one
  friend bool operator==(const Origin&, const Origin&) = default;
};

// What every record begins with.
struct RecordHeader {
  RecordId id = RecordId::from_bytes({});
  ProbeId probe = *ProbeId::parse("00000000000000000000000000000000");
  ProbeRole role = ProbeRole::probe;
  std::string software;          // "kua-probe/0.1.0"
  WallTime time;                 // begin; rounded down (10 s; 0.1 s in the lab)
  MonotonicTime monotonic;       // the same instant since boot; rounded likewise
  std::string boot;              // 16 lower-case hex digits, new at every boot of the device
  Vantage vantage;
  std::optional<Origin> origin;  // absent: made by a probe of ours, CC BY 4.0
  UnknownMembers unknown;
  friend bool operator==(const RecordHeader&, const RecordHeader&) = default;
};

// A limit that cut something off, by its name in limits.h, and how often.
using LimitCounts = std::map<std::string, std::uint32_t>;

struct Measurement {
  RecordHeader header;
  std::string experiment;              // "web_reachability", "service_reachability", "link_state"
  std::uint32_t experiment_version = 1;
  TargetId target = *TargetId::parse("none");
  std::string input;                   // URL or service name as it was asked for
  std::string category;
  Tier tier = Tier::full;
  LinkState link_state = LinkState::unknown;  // as known when it began
  Validity validity = Validity::ok;
  std::string validity_reason;         // empty when ok
  Microseconds runtime{0};
  std::uint64_t bytes_sent = 0;        // on the wire, estimated headers included
  std::uint64_t bytes_received = 0;
  LimitCounts limits;
  std::vector<std::string> missing;    // what could not be looked at: "ipv6", "raw_sockets", "doh"
  std::vector<Observation> observations;  // in order of begin
  friend bool operator==(const Measurement&, const Measurement&) = default;
};

inline constexpr std::size_t kMinutesPerDay = 1440;
using MinuteBitmap = std::bitset<kMinutesPerDay>;  // bit i: minute i of the UTC day

// One UTC day of link state by the minute. A minute nobody looked at has `watched` clear, and its
// other bits mean nothing: an empty hour never reads as reachable.
struct MinuteSummary {
  RecordHeader header;                 // header.time is 00:00Z of the day
  std::uint32_t revision = 0;          // grows while the day lasts; the highest one holds
  MinuteBitmap watched;
  MinuteBitmap link_up;
  MinuteBitmap gateway;
  MinuteBitmap resolver;
  MinuteBitmap national;
  MinuteBitmap international;
  friend bool operator==(const MinuteSummary&, const MinuteSummary&) = default;
};

using Record = std::variant<Measurement, MinuteSummary>;

[[nodiscard]] const RecordHeader& header_of(const Record& record) noexcept;
// Records of one lane may be compared and published together; empty: ours.
[[nodiscard]] std::string lane_of(const RecordHeader& header);

}  // namespace kua
