// How a step ended when it did not succeed: OONI's closed set of strings (data format df-007) plus
// the operation that failed. A Failure is data about the network, never an error of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kua {

// Order is free; what is stored is the text of to_string, which is OONI's.
enum class FailureCode : std::uint8_t {
  address_family_not_supported,
  address_in_use,
  address_not_available,
  already_connected,
  android_dns_cache_no_data,
  bad_address,
  bad_file_descriptor,
  connection_aborted,
  connection_already_closed,
  connection_already_in_progress,
  connection_refused,
  connection_reset,
  destination_address_required,
  dns_bogon_error,
  dns_no_answer,
  dns_non_recoverable_failure,
  dns_nxdomain_error,
  dns_refused_error,
  dns_reply_with_wrong_query_id,
  dns_server_misbehaving,
  dns_servfail_error,
  dns_temporary_failure,
  eof_error,
  generic_timeout_error,
  host_unreachable,
  http_invalid_redirect_location_host,
  http_request_failed,
  http_unexpected_redirect_url,
  http_unexpected_status_code,
  interrupted,
  invalid_argument,
  json_parse_error,
  message_size,
  network_down,
  network_reset,
  network_unreachable,
  no_buffer_space,
  no_protocol_option,
  not_a_socket,
  not_connected,
  operation_would_block,
  permission_denied,
  protocol_not_supported,
  quic_incompatible_version,
  ssl_failed_handshake,
  ssl_invalid_certificate,
  ssl_invalid_hostname,
  ssl_unknown_authority,
  timed_out,
  wrong_protocol_type,
  unknown_failure,
};

// Where in the step it failed, in OONI's words.
enum class Operation : std::uint8_t {
  resolve,
  connect,
  tls_handshake,
  quic_handshake,
  http_round_trip,
  read,
  write,
};

struct Failure {
  FailureCode code = FailureCode::unknown_failure;
  Operation operation = Operation::connect;
  friend bool operator==(const Failure&, const Failure&) = default;
};

[[nodiscard]] const char* to_string(FailureCode code) noexcept;
[[nodiscard]] const char* to_string(Operation operation) noexcept;
// Texts that are not in the set, "unknown_failure: …" among them, become unknown_failure.
[[nodiscard]] FailureCode parse_failure_code(std::string_view text) noexcept;
[[nodiscard]] std::optional<Operation> parse_operation(std::string_view text) noexcept;
// From an errno value of a socket call; values outside the table become unknown_failure.
[[nodiscard]] FailureCode failure_from_errno(int error_number) noexcept;

}  // namespace kua
