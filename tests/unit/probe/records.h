// Records as the probe makes them, for tests: small, valid, told apart by a number.
#pragma once

#include <string>

#include "measurement/record.h"

namespace kua::probe {

inline RecordId numbered_id(std::uint64_t number) {
  RecordId::Bytes random{};
  for (int i = 0; i < 8; ++i) random[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(number >> (8 * i));
  return RecordId::make(1'704'448'800'000, random);
}

inline RecordHeader some_header(std::uint64_t number) {
  RecordHeader header;
  header.id = numbered_id(number);
  header.software = "kua-probe/test";
  header.time = *parse_rfc3339("2024-01-05T10:00:00Z") + std::chrono::seconds(10 * number);
  header.boot = "0123456789abcdef";
  return header;
}

// A measurement with one HTTP round trip whose body sample has `body_bytes`, and one raw DNS reply.
inline Measurement some_measurement(std::uint64_t number, Tier tier, std::size_t body_bytes = 100) {
  Measurement measurement;
  measurement.header = some_header(number);
  measurement.experiment = "web_reachability";
  measurement.target = *TargetId::parse("web:https://www.example.com/");
  measurement.input = "https://www.example.com/";
  measurement.category = "NEWS";
  measurement.tier = tier;
  Lookup lookup;
  lookup.host = "www.example.com";
  lookup.name = *DomainName::parse("www.example.com");
  lookup.reply = DnsReply{.addresses = {*IpAddress::parse("203.0.113.10")},
                          .cnames = {},
                          .ttl_seconds = 60,
                          .raw = std::string(64, '\x01')};
  measurement.observations.emplace_back(lookup);
  HttpRoundTrip trip;
  trip.host = "www.example.com";
  trip.endpoint = *Endpoint::parse("203.0.113.10:443", Transport::tcp);
  trip.url = "https://www.example.com/";
  trip.status = 200;
  trip.headers = {{"Server", "nginx"}, {"X-Long", std::string(200, 'h')}};
  trip.body_bytes = body_bytes;
  trip.body_sha256 = std::string(64, 'a');
  trip.body_sample = std::string(body_bytes, 'b');
  measurement.observations.emplace_back(trip);
  return measurement;
}

inline MinuteSummary some_summary(std::uint64_t number, const char* day, std::uint32_t revision) {
  MinuteSummary summary;
  summary.header = some_header(number);
  summary.header.time = *parse_rfc3339(day);
  summary.revision = revision;
  summary.watched.set(0);
  return summary;
}

}  // namespace kua::probe
