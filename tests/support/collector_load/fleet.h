// Many probes in one process: keys, the records they might send, and the signed requests that carry them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measurement/record.h"
#include "platform/crypto/crypto.h"

namespace kua::load {

struct FleetProbe {
  platform::SigningKey key = platform::SigningKey::generate();
  ProbeId id = platform::probe_id_of(key.public_key());
};

// Repeats exactly for one seed, but for the keys.
class Fleet {
 public:
  Fleet(std::size_t probes, std::uint64_t seed);

  [[nodiscard]] const std::vector<FleetProbe>& probes() const noexcept { return probes_; }

  // About 2 kB as a line: a lookup with its raw reply, a connect, a handshake with its chain, a round trip.
  // One in ten was reset in the handshake.
  [[nodiscard]] Measurement measurement(const FleetProbe& probe, WallTime time);
  // A whole day by the minute, with a cut of some hours.
  [[nodiscard]] MinuteSummary summary(const FleetProbe& probe, WallTime day, WallTime born);

 private:
  [[nodiscard]] std::uint64_t next();
  [[nodiscard]] std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  [[nodiscard]] Microseconds duration(std::uint32_t around_us);
  [[nodiscard]] std::string hex(std::size_t digits);
  [[nodiscard]] std::string bytes(std::size_t count);
  [[nodiscard]] RecordHeader header(const FleetProbe& probe, WallTime time, WallTime born);
  void add_lookup(Measurement& out, const std::string& host);
  void add_connection(Measurement& out, const std::string& host);

  std::uint64_t state_;
  std::vector<FleetProbe> probes_;
};

// A request as it goes over the wire: head and body, signed.
[[nodiscard]] std::string signed_post(const FleetProbe& probe, std::string_view path, std::string_view body);
[[nodiscard]] std::string enrolment_of(const FleetProbe& probe);

}  // namespace kua::load
