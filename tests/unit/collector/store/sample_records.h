// Records for tests: valid, distinct, with a time and a target of the test's choice.
#pragma once

#include <string>

#include "measurement/record.h"
#include "platform/crypto/crypto.h"

namespace kua::collector {

inline const WallTime kNoon = *parse_rfc3339("2026-11-24T12:00:00Z");

inline ProbeId sample_probe(unsigned number) {
  const std::string digits = std::to_string(number);
  return *ProbeId::parse(std::string(32 - digits.size(), '0') + digits);
}

// The number makes the id, so that two calls with equal arguments give equal records.
inline Measurement sample_measurement(unsigned number, WallTime time = kNoon) {
  Measurement measurement;
  RecordId::Bytes random{};
  for (std::size_t i = 0; i < 4; ++i) random[12 + i] = static_cast<std::uint8_t>(number >> (8 * (3 - i)));
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  measurement.header.id = RecordId::make(milliseconds, random);
  measurement.header.probe = sample_probe(1);
  measurement.header.software = "kua-probe/0.1.0";
  measurement.header.time = time;
  measurement.header.monotonic = MonotonicTime(std::chrono::hours(1));
  measurement.header.boot = "0123456789abcdef";
  measurement.header.vantage.country = *CountryCode::parse("KZ");
  measurement.header.vantage.asn = Asn{9198};
  measurement.header.vantage.network_type = NetworkType::fixed;
  measurement.experiment = "web_reachability";
  measurement.target = *TargetId::parse("web:https://www.example.com/");
  measurement.input = "https://www.example.com/";
  measurement.category = "NEWS";
  measurement.tier = Tier::key;
  measurement.link_state = LinkState::online;
  measurement.runtime = std::chrono::milliseconds(321);
  Connect connect;
  connect.host = "www.example.com";
  connect.endpoint = *Endpoint::parse("203.0.113.10:443", Transport::tcp);
  connect.duration = std::chrono::milliseconds(12);
  measurement.observations.push_back(connect);
  return measurement;
}

}  // namespace kua::collector
