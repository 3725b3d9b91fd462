#include "measurement/failure.h"

#include <cerrno>

namespace kua {

const char* to_string(FailureCode code) noexcept {
  switch (code) {
    case FailureCode::address_family_not_supported: return "address_family_not_supported";
    case FailureCode::address_in_use: return "address_in_use";
    case FailureCode::address_not_available: return "address_not_available";
    case FailureCode::already_connected: return "already_connected";
    case FailureCode::android_dns_cache_no_data: return "android_dns_cache_no_data";
    case FailureCode::bad_address: return "bad_address";
    case FailureCode::bad_file_descriptor: return "bad_file_descriptor";
    case FailureCode::connection_aborted: return "connection_aborted";
    case FailureCode::connection_already_closed: return "connection_already_closed";
    case FailureCode::connection_already_in_progress: return "connection_already_in_progress";
    case FailureCode::connection_refused: return "connection_refused";
    case FailureCode::connection_reset: return "connection_reset";
    case FailureCode::destination_address_required: return "destination_address_required";
    case FailureCode::dns_bogon_error: return "dns_bogon_error";
    case FailureCode::dns_no_answer: return "dns_no_answer";
    case FailureCode::dns_non_recoverable_failure: return "dns_non_recoverable_failure";
    case FailureCode::dns_nxdomain_error: return "dns_nxdomain_error";
    case FailureCode::dns_refused_error: return "dns_refused_error";
    case FailureCode::dns_reply_with_wrong_query_id: return "dns_reply_with_wrong_query_id";
    case FailureCode::dns_server_misbehaving: return "dns_server_misbehaving";
    case FailureCode::dns_servfail_error: return "dns_servfail_error";
    case FailureCode::dns_temporary_failure: return "dns_temporary_failure";
    case FailureCode::eof_error: return "eof_error";
    case FailureCode::generic_timeout_error: return "generic_timeout_error";
    case FailureCode::host_unreachable: return "host_unreachable";
    case FailureCode::http_invalid_redirect_location_host: return "http_invalid_redirect_location_host";
    case FailureCode::http_request_failed: return "http_request_failed";
    case FailureCode::http_unexpected_redirect_url: return "http_unexpected_redirect_url";
    case FailureCode::http_unexpected_status_code: return "http_unexpected_status_code";
    case FailureCode::interrupted: return "interrupted";
    case FailureCode::invalid_argument: return "invalid_argument";
    case FailureCode::json_parse_error: return "json_parse_error";
    case FailureCode::message_size: return "message_size";
    case FailureCode::network_down: return "network_down";
    case FailureCode::network_reset: return "network_reset";
    case FailureCode::network_unreachable: return "network_unreachable";
    case FailureCode::no_buffer_space: return "no_buffer_space";
    case FailureCode::no_protocol_option: return "no_protocol_option";
    case FailureCode::not_a_socket: return "not_a_socket";
    case FailureCode::not_connected: return "not_connected";
    case FailureCode::operation_would_block: return "operation_would_block";
    case FailureCode::permission_denied: return "permission_denied";
    case FailureCode::protocol_not_supported: return "protocol_not_supported";
    case FailureCode::quic_incompatible_version: return "quic_incompatible_version";
    case FailureCode::ssl_failed_handshake: return "ssl_failed_handshake";
    case FailureCode::ssl_invalid_certificate: return "ssl_invalid_certificate";
    case FailureCode::ssl_invalid_hostname: return "ssl_invalid_hostname";
    case FailureCode::ssl_unknown_authority: return "ssl_unknown_authority";
    case FailureCode::timed_out: return "timed_out";
    case FailureCode::wrong_protocol_type: return "wrong_protocol_type";
    case FailureCode::unknown_failure: return "unknown_failure";
  }
  return "unknown_failure";
}

const char* to_string(Operation operation) noexcept {
  switch (operation) {
    case Operation::resolve: return "resolve";
    case Operation::connect: return "connect";
    case Operation::tls_handshake: return "tls_handshake";
    case Operation::quic_handshake: return "quic_handshake";
    case Operation::http_round_trip: return "http_round_trip";
    case Operation::read: return "read";
    case Operation::write: return "write";
  }
  return "connect";
}

FailureCode parse_failure_code(std::string_view text) noexcept {
  for (int value = 0; value < static_cast<int>(FailureCode::unknown_failure); ++value) {
    const auto code = static_cast<FailureCode>(value);
    if (text == to_string(code)) return code;
  }
  return FailureCode::unknown_failure;
}

std::optional<Operation> parse_operation(std::string_view text) noexcept {
  for (int value = 0; value <= static_cast<int>(Operation::write); ++value) {
    const auto operation = static_cast<Operation>(value);
    if (text == to_string(operation)) return operation;
  }
  return std::nullopt;
}

FailureCode failure_from_errno(int error_number) noexcept {
  switch (error_number) {
    case EAFNOSUPPORT: return FailureCode::address_family_not_supported;
    case EADDRINUSE: return FailureCode::address_in_use;
    case EADDRNOTAVAIL: return FailureCode::address_not_available;
    case EISCONN: return FailureCode::already_connected;
    case EFAULT: return FailureCode::bad_address;
    case EBADF: return FailureCode::bad_file_descriptor;
    case ECONNABORTED: return FailureCode::connection_aborted;
    case EALREADY: return FailureCode::connection_already_in_progress;
    case ECONNREFUSED: return FailureCode::connection_refused;
    case ECONNRESET: return FailureCode::connection_reset;
    case EPIPE: return FailureCode::connection_reset;
    case EDESTADDRREQ: return FailureCode::destination_address_required;
    case EHOSTUNREACH: return FailureCode::host_unreachable;
    case EINVAL: return FailureCode::invalid_argument;
    case EMSGSIZE: return FailureCode::message_size;
    case ENETDOWN: return FailureCode::network_down;
    case ENETRESET: return FailureCode::network_reset;
    case ENETUNREACH: return FailureCode::network_unreachable;
    case ENOBUFS: return FailureCode::no_buffer_space;
    case ENOPROTOOPT: return FailureCode::no_protocol_option;
    case ENOTSOCK: return FailureCode::not_a_socket;
    case ENOTCONN: return FailureCode::not_connected;
    case EWOULDBLOCK: return FailureCode::operation_would_block;
    case EACCES: return FailureCode::permission_denied;
    case EPERM: return FailureCode::permission_denied;
    case EPROTONOSUPPORT: return FailureCode::protocol_not_supported;
    case ETIMEDOUT: return FailureCode::generic_timeout_error;
    case EPROTOTYPE: return FailureCode::wrong_protocol_type;
    case EINTR: return FailureCode::interrupted;
    case ECANCELED: return FailureCode::interrupted;
    default: return FailureCode::unknown_failure;  // errno is an open set, not an enum of ours
  }
}

}  // namespace kua
