// The HTTP API between probe and collector as values: what is signed, what is asked, what is
// answered. docs/protocol.md is the contract; both programs use these functions, so they cannot
// drift.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"
#include "measurement/names.h"
#include "measurement/time.h"
#include "measurement/vantage.h"

namespace kua::protocol {

// Paths of the probes' listener.
inline constexpr std::string_view kEnrolPath = "/v1/probes";
inline constexpr std::string_view kRecordsPath = "/v1/records";
inline constexpr std::string_view kHeartbeatsPath = "/v1/heartbeats";
inline constexpr std::string_view kTargetsPath = "/v1/targets";

inline constexpr std::size_t kHeartbeatBytesMax =
    200;  // one small TCP segment, TLS record included

// Request headers. Every POST carries both; a GET carries neither.
inline constexpr std::string_view kProbeHeader = "Kua-Probe";          // ProbeId text
inline constexpr std::string_view kSignatureHeader = "Kua-Signature";  // base64 of 64 bytes

// What the probe's Ed25519 key signs: "kua/1 request\n" METHOD "\n" PATH "\n" body bytes as sent
// (compressed). The domain string keeps a signature from meaning anything elsewhere.
[[nodiscard]] std::string request_signing_input(std::string_view method, std::string_view path,
                                                std::string_view body);

// POST /v1/probes, JSON. 201 on success, 200 when the key was enrolled already.
struct Enrolment {
  std::string public_key;  // base64url of 32 bytes; must hash to the Kua-Probe header
  CountryCode country = *CountryCode::parse("ZZ");  // what the probe believes
  Asn asn;
  NetworkType network_type = NetworkType::unknown;
  ProbeRole role = ProbeRole::probe;
  std::string invitation;  // empty: none
  std::string software;
};
[[nodiscard]] std::string write_enrolment(const Enrolment& enrolment);
[[nodiscard]] Expected<Enrolment> read_enrolment(std::string_view json);

// Answer to an enrolment: what the collector's own database says of the probe's network.
struct EnrolmentAnswer {
  CountryCode country = *CountryCode::parse("ZZ");
  Asn asn;
  NetworkType network_type = NetworkType::unknown;
  WallTime server_time;
};
[[nodiscard]] std::string write_enrolment_answer(const EnrolmentAnswer& answer);
[[nodiscard]] Expected<EnrolmentAnswer> read_enrolment_answer(std::string_view json);

// Why a record was refused; closed set, label values of a counter.
enum class Rejection : std::uint8_t {
  malformed = 0,
  too_large = 1,
  wrong_probe = 2,  // header.probe is not the signer
  too_old = 3,      // beyond the late-data window
  from_future = 4,
  unknown_format = 5,
};
[[nodiscard]] const char* to_string(Rejection reason) noexcept;
[[nodiscard]] std::optional<Rejection> parse_rejection(std::string_view text) noexcept;

// POST /v1/records answers 200 with this. `accepted` names every record that is on disk, synced,
// also those that were there before. A record in neither list is to be sent again. A line that has
// no readable id is counted in `unreadable`.
struct BatchAnswer {
  struct Rejected {
    std::string id;
    Rejection reason = Rejection::malformed;  // also for a reason that this version does not know
  };
  std::vector<std::string> accepted;
  std::vector<Rejected> rejected;
  std::uint32_t unreadable = 0;
  WallTime server_time;
  std::vector<std::string>
      advice;  // target ids to re-measure now; only ids of the signed list count
};
[[nodiscard]] std::string write_batch_answer(const BatchAnswer& answer);
[[nodiscard]] Expected<BatchAnswer> read_batch_answer(std::string_view json);

// POST /v1/heartbeats, at most kHeartbeatBytesMax. 204 on success. `sequence` grows by one a
// heartbeat; an older one than the last seen is ignored (replay).
struct Heartbeat {
  ProbeId probe = *ProbeId::parse("00000000000000000000000000000000");
  std::uint64_t sequence = 0;
  LinkState link_state = LinkState::unknown;
};
[[nodiscard]] std::string write_heartbeat(const Heartbeat& heartbeat);
[[nodiscard]] Expected<Heartbeat> read_heartbeat(std::string_view json);

// Every error answer of the API: {"error":"rate_limited","message":"…"}.
struct ApiError {
  std::string error;    // closed set of docs/protocol.md
  std::string message;  // for people
};
[[nodiscard]] std::string write_api_error(const ApiError& error);
[[nodiscard]] Expected<ApiError> read_api_error(std::string_view json);

}  // namespace kua::protocol
