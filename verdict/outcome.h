// How steps ended, folded to what rules tell apart.
#pragma once

#include <cstdint>

#include "measurement/observation.h"

namespace kua::verdict {

enum class How : std::uint8_t {
  none,         // it did not fail
  reset,
  timeout,      // silence
  eof,          // orderly close before the answer
  refused,
  alert,        // fatal TLS alert
  garbage,      // bytes that are not the protocol
  freeze,       // bytes came, then silence
  slow,         // bytes came as long as there was time
  unreachable,  // no route
  here,         // our own machine or family: says nothing about the network
};
[[nodiscard]] const char* to_string(How how) noexcept;  // the word of a mechanism

[[nodiscard]] How how_failed(const Connect& step) noexcept;
// A chain that our trust store refuses is not a failure: none.
[[nodiscard]] How how_failed(const TlsHandshake& step) noexcept;
[[nodiscard]] How how_failed(const HttpRoundTrip& step) noexcept;
[[nodiscard]] How how_failed(const QuicHandshake& step) noexcept;
[[nodiscard]] How how_failed(const QuicPing& step) noexcept;
// An answer came, be it cut short by an orderly close behind its head.
[[nodiscard]] bool is_answered(const HttpRoundTrip& step) noexcept;

// A handshake that ended under a chain valid for its name.
[[nodiscard]] bool is_trusted(const TlsHandshake& step) noexcept;
// A chain was presented and our trust store refuses it.
[[nodiscard]] bool is_untrusted(const TlsHandshake& step) noexcept;
// Something that speaks TLS answered, be it with an alert.
[[nodiscard]] bool answered_tls(const TlsHandshake& step) noexcept;
// Destination unreachable, administratively prohibited: RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1.
[[nodiscard]] bool is_prohibition(const IcmpError& error, Family family) noexcept;

enum class Answer : std::uint8_t {
  not_asked,
  addresses,
  empty,     // NOERROR without a record of the type
  nxdomain,
  servfail,
  refused,
  timeout,
  unusable,  // failed in a way that says nothing
};
[[nodiscard]] const char* to_string(Answer answer) noexcept;
[[nodiscard]] Answer answer_of(const DnsReply& reply) noexcept;
[[nodiscard]] Answer answer_of(const Lookup& step) noexcept;  // of its first reply

}  // namespace kua::verdict
