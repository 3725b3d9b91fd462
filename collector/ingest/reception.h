// What the collector established when a batch arrived, and what follows from it for each record of it.
// The source address is not among it: it was used to derive these facts and forgotten.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/ingest/received.h"
#include "measurement/record.h"
#include "measurement/time.h"

namespace kua::collector {

using Epoch = std::int64_t;  // number of 30-day periods since 1970
[[nodiscard]] Epoch epoch_of(WallTime time) noexcept;

// Hexadecimal digits of a cluster's pseudonym, lower case.
inline constexpr std::size_t kClusterDigits = 14;

// The earliest wall time at which a boot of a device can have begun, by our clock: the least of
// (arrival - monotonic time) over its records.
struct BootAnchor {
  std::string boot;
  Microseconds begin{0};  // since 1970
  friend bool operator==(const BootAnchor&, const BootAnchor&) = default;
};

struct Reception {
  WallTime time;
  CountryCode country = *CountryCode::parse("ZZ");  // by our own database, as the rest
  Asn asn;
  NetworkType network_type = NetworkType::unknown;
  // The probe's cluster in each epoch in which a record of the batch was made; none for an epoch
  // whose key is gone.
  std::vector<std::pair<Epoch, std::string>> clusters;
  std::optional<BootAnchor> anchor;  // of the newest record's boot
  friend bool operator==(const Reception&, const Reception&) = default;
};

[[nodiscard]] ReceivedFacts facts_of(const Reception& reception, const RecordHeader& header);

}  // namespace kua::collector
