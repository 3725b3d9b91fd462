#include "verdict/outcome.h"

namespace kua::verdict {
namespace {

How how_ended(FailureCode code) noexcept {
  switch (code) {
    case FailureCode::connection_reset:
    case FailureCode::connection_aborted:
    case FailureCode::network_reset: return How::reset;
    case FailureCode::generic_timeout_error:
    case FailureCode::timed_out: return How::timeout;
    case FailureCode::eof_error:
    case FailureCode::connection_already_closed: return How::eof;
    case FailureCode::connection_refused: return How::refused;
    case FailureCode::host_unreachable:
    case FailureCode::network_unreachable: return How::unreachable;
    case FailureCode::ssl_failed_handshake:
    case FailureCode::wrong_protocol_type:
    case FailureCode::http_request_failed:
    case FailureCode::http_invalid_redirect_location_host:
    case FailureCode::http_unexpected_redirect_url:
    case FailureCode::http_unexpected_status_code:
    case FailureCode::message_size:
    case FailureCode::json_parse_error: return How::garbage;
    case FailureCode::ssl_invalid_certificate:
    case FailureCode::ssl_invalid_hostname:
    case FailureCode::ssl_unknown_authority: return How::none;
    case FailureCode::address_family_not_supported:
    case FailureCode::address_in_use:
    case FailureCode::address_not_available:
    case FailureCode::already_connected:
    case FailureCode::android_dns_cache_no_data:
    case FailureCode::bad_address:
    case FailureCode::bad_file_descriptor:
    case FailureCode::connection_already_in_progress:
    case FailureCode::destination_address_required:
    case FailureCode::dns_bogon_error:
    case FailureCode::dns_no_answer:
    case FailureCode::dns_non_recoverable_failure:
    case FailureCode::dns_nxdomain_error:
    case FailureCode::dns_refused_error:
    case FailureCode::dns_reply_with_wrong_query_id:
    case FailureCode::dns_server_misbehaving:
    case FailureCode::dns_servfail_error:
    case FailureCode::dns_temporary_failure:
    case FailureCode::interrupted:
    case FailureCode::invalid_argument:
    case FailureCode::network_down:
    case FailureCode::no_buffer_space:
    case FailureCode::no_protocol_option:
    case FailureCode::not_a_socket:
    case FailureCode::not_connected:
    case FailureCode::operation_would_block:
    case FailureCode::permission_denied:
    case FailureCode::protocol_not_supported:
    case FailureCode::quic_incompatible_version:
    case FailureCode::unknown_failure: return How::here;
  }
  return How::here;
}

}  // namespace

const char* to_string(How how) noexcept {
  switch (how) {
    case How::none: return "none";
    case How::reset: return "reset";
    case How::timeout: return "timeout";
    case How::eof: return "eof";
    case How::refused: return "refused";
    case How::alert: return "alert";
    case How::garbage: return "garbage";
    case How::freeze: return "freeze";
    case How::slow: return "slow";
    case How::unreachable: return "unreachable";
    case How::here: return "here";
  }
  return "here";
}

How how_failed(const Connect& step) noexcept {
  if (!step.failure) return How::none;
  const How how = how_ended(step.failure->code);
  // Without the ICMP message itself an unreachable host may be our own neighbour table.
  if (how == How::unreachable && !step.icmp) return How::here;
  if (step.icmp && step.icmp->origin == IcmpOrigin::local) return How::here;
  // Some messages come with an errno that else is ours: EACCES for ICMPv6 administratively prohibited.
  return step.icmp && how == How::here ? How::unreachable : how;
}

How how_failed(const TlsHandshake& step) noexcept {
  if (!step.failure) return How::none;
  if (step.alert) return How::alert;
  const How how = how_ended(step.failure->code);
  // Before our ClientHello left, nothing about the name can have been seen.
  if (!step.client_hello_sent && how != How::none) return How::here;
  if (how == How::timeout && step.bytes_received > 0) return How::freeze;
  return how;
}

namespace {

// Silent for the second half of its time. Older probes do not tell: what timed out was taken for stopped.
bool stopped(const HttpRoundTrip& step) noexcept {
  return !step.last_byte || 2 * (step.duration - *step.last_byte) >= step.duration;
}

}  // namespace

How how_failed(const HttpRoundTrip& step) noexcept {
  if (!step.failure) return How::none;
  const How how = how_ended(step.failure->code);
  // In clear text nobody has seen the Host before the request left; behind TLS the name was seen before.
  if (!step.request_sent && !step.over_tls && how != How::none) return How::here;
  if (how == How::timeout && step.bytes_received > 0) return stopped(step) ? How::freeze : How::slow;
  return is_answered(step) ? How::none : how;
}

How how_failed(const QuicHandshake& step) noexcept {
  if (!step.failure) return How::none;
  if (!step.initial_sent) return How::here;
  if (step.close_code) return How::alert;
  if (step.failure->code == FailureCode::quic_incompatible_version) return How::garbage;
  const How how = how_ended(step.failure->code);
  if (how == How::unreachable) return How::here;  // as for Connect without its ICMP message
  // Whatever came, be it not understood, is no silence.
  if (how == How::timeout && step.replies > 0) return How::freeze;
  return how;
}

How how_failed(const QuicPing& step) noexcept {
  if (!step.failure) return How::none;
  const How how = how_ended(step.failure->code);
  return how == How::unreachable ? How::here : how;
}

bool is_answered(const HttpRoundTrip& step) noexcept {
  if (!step.status) return false;
  return !step.failure ||
         (step.failure->code == FailureCode::eof_error && step.failure->operation == Operation::read);
}

bool is_trusted(const TlsHandshake& step) noexcept {
  return !step.failure && step.trust == ChainTrust::trusted;
}

bool is_untrusted(const TlsHandshake& step) noexcept {
  return how_failed(step) == How::none && step.trust != ChainTrust::trusted &&
         step.trust != ChainTrust::not_presented;
}

bool answered_tls(const TlsHandshake& step) noexcept {
  return how_failed(step) == How::none || step.alert || step.bytes_received > 0;
}

bool is_prohibition(const IcmpError& error, Family family) noexcept {
  if (family == Family::ip4) {
    return error.type == 3 && (error.code == 9 || error.code == 10 || error.code == 13);
  }
  return error.type == 1 && (error.code == 1 || error.code == 5 || error.code == 6);
}

const char* to_string(Answer answer) noexcept {
  switch (answer) {
    case Answer::not_asked: return "not_asked";
    case Answer::addresses: return "addresses";
    case Answer::empty: return "empty";
    case Answer::nxdomain: return "nxdomain";
    case Answer::servfail: return "servfail";
    case Answer::refused: return "refused";
    case Answer::timeout: return "timeout";
    case Answer::unusable: return "unusable";
  }
  return "unusable";
}

Answer answer_of(const DnsReply& reply) noexcept {
  switch (reply.rcode) {  // RFC 1035 §4.1.1: an open registry, not an enum of ours
    case 0: return reply.addresses.empty() ? Answer::empty : Answer::addresses;
    case 2: return Answer::servfail;
    case 3: return Answer::nxdomain;
    case 5: return Answer::refused;
    default: return Answer::unusable;
  }
}

Answer answer_of(const Lookup& step) noexcept {
  if (step.reply) return answer_of(*step.reply);
  if (!step.failure) return Answer::unusable;
  const FailureCode code = step.failure->code;
  if (code == FailureCode::dns_nxdomain_error) return Answer::nxdomain;
  if (code == FailureCode::dns_no_answer) return Answer::empty;
  if (code == FailureCode::dns_servfail_error) return Answer::servfail;
  if (code == FailureCode::dns_refused_error) return Answer::refused;
  return how_ended(code) == How::timeout ? Answer::timeout : Answer::unusable;
}

}  // namespace kua::verdict
