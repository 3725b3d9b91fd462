// OONI web_connectivity 0.4 and 0.5 measurements to kua/1 records (docs/ooni.md holds the table).
// Pure: a line in, records out. The line is anybody's: what cannot be taken is counted by its
// reason, never guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/ooni/words.h"
#include "measurement/error.h"
#include "measurement/record.h"
#include "protocol/record_codec.h"

namespace kua::collector::ooni {

inline constexpr const char* kSource = "ooni";
// github.com/ooni/license, data/LICENSE.md
inline constexpr const char* kLicence = "CC BY-NC-SA 4.0";

// The probe's measurement, and what the test helper saw as a control's, where there is any.
using Imported = std::vector<Measurement>;

// What a system resolver is taken for whose answers come out of the probe's own network.
enum class InsideResolver : std::uint8_t { unknown, network };

class Importer {
 public:
  explicit Importer(InsideResolver inside) : inside_(inside) {}
  // Errors: invalid_input with a reason as message that is one of a closed set: not_json,
  // not_a_measurement, other_test, other_version, through_proxy, bad_input, bad_time, not_a_record.
  [[nodiscard]] Expected<Imported> read(std::string_view line);
  // Parts of measurements that were left out, by reason, since the beginning.
  [[nodiscard]] const Counts& left_out() const noexcept { return left_out_; }

 private:
  InsideResolver inside_;
  protocol::RecordReader reader_;
  Counts left_out_;
};

}  // namespace kua::collector::ooni
