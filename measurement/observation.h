// What one step saw, timestamped, uninterpreted. One struct a kind of step; an absent optional means
// "not seen", never zero. No field holds an address of the probe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "measurement/address.h"
#include "measurement/failure.h"
#include "measurement/names.h"
#include "measurement/time.h"

namespace kua {

// What a step was for. Everything but `main` belongs to the follow-up that a failure started.
enum class StepRole : std::uint8_t {
  main = 0,
  same_address = 1,   // S: the target's address, a harmless name; of a lookup: the same resolver
  witness = 2,        // X: a witness address, the target's name, over the family that failed
  no_resolver = 3,    // a query to an address that runs no resolver
  retry = 4,          // the main step again, also after `residual`, from a new source port
  trusted = 5,        // trusted resolvers, and connections to the addresses only they gave
  residual = 6,       // S again after the residual time
};
[[nodiscard]] const char* to_string(StepRole role) noexcept;
[[nodiscard]] std::optional<StepRole> parse_step_role(std::string_view text) noexcept;

// Members that this version does not know, as (name, JSON text) in order of arrival, kept so that a round
// trip loses nothing.
using UnknownMembers = std::vector<std::pair<std::string, std::string>>;

// Common to all steps.
struct StepContext {
  std::uint32_t hop = 0;   // redirect depth of the host this step served; 0 is the target's own URL
  std::string host;        // the name under which the step is judged (DomainName text or literal)
  StepRole role = StepRole::main;
  Microseconds offset{0};    // begin, since the measurement began; exact
  Microseconds duration{0};  // exact
  std::optional<Failure> failure;
  UnknownMembers unknown;
  friend bool operator==(const StepContext&, const StepContext&) = default;
};

enum class ResolverEngine : std::uint8_t { system = 0, udp = 1, doh = 2 };
[[nodiscard]] const char* to_string(ResolverEngine engine) noexcept;
[[nodiscard]] std::optional<ResolverEngine> parse_resolver_engine(std::string_view text) noexcept;

enum class QueryType : std::uint8_t { a = 0, aaaa = 1 };
[[nodiscard]] const char* to_string(QueryType type) noexcept;  // "A", "AAAA"
[[nodiscard]] std::optional<QueryType> parse_query_type(std::string_view text) noexcept;

// One reply to one query, the first or a later one.
struct DnsReply {
  Microseconds offset{0};          // arrival, since the measurement began
  std::uint16_t rcode = 0;         // RFC 1035 §4.1.1 and RFC 6895
  std::vector<IpAddress> addresses;
  std::vector<std::string> cnames;  // in the order of the chain
  std::optional<std::uint32_t> ttl_seconds;  // the smallest of the answers
  std::string raw;                  // the whole message, scrubbed of client-subnet options
  friend bool operator==(const DnsReply&, const DnsReply&) = default;
};

// `system` asks the configured resolvers in order until one answers: each that was asked has a Lookup of
// its own, so a silent one is followed by another of the same name and type.
struct Lookup : StepContext {
  ResolverEngine engine = ResolverEngine::system;
  std::string resolver;  // public address with port or DoH URL; "private" for one on the home network
  DomainName name = *DomainName::parse("invalid");
  QueryType type = QueryType::a;
  std::optional<DnsReply> reply;     // absent when nothing came
  std::vector<DnsReply> late;        // further, different replies to the same query
  friend bool operator==(const Lookup&, const Lookup&) = default;
};

// Who answered a SYN with an ICMP message, told only as far as rules need it: a router's address would
// place the probe.
enum class IcmpOrigin : std::uint8_t {
  endpoint = 0,  // the address that was asked itself: the server's own firewall
  path = 1,      // a router beyond the home network
  local = 2,     // this machine or the home network (private, link-local or own address): accuses nobody
};
[[nodiscard]] const char* to_string(IcmpOrigin origin) noexcept;
[[nodiscard]] std::optional<IcmpOrigin> parse_icmp_origin(std::string_view text) noexcept;

// An ICMP message that came back for a SYN, as the kernel reports it (IP_RECVERR; on TCP since Linux
// 5.10).
struct IcmpError {
  std::uint8_t type = 0;  // of ICMP or ICMPv6, by the endpoint's family
  std::uint8_t code = 0;
  IcmpOrigin origin = IcmpOrigin::local;
  friend bool operator==(const IcmpError&, const IcmpError&) = default;
};

struct Connect : StepContext {
  Endpoint endpoint;
  std::optional<IcmpError> icmp;
  friend bool operator==(const Connect&, const Connect&) = default;
};

// What our own trust store says of the chain that was presented. Recorded, never enforced.
enum class ChainTrust : std::uint8_t {
  not_presented = 0,
  trusted = 1,
  expired = 2,         // or not yet valid
  wrong_host = 3,      // trusted chain, other name
  self_signed = 4,
  unknown_authority = 5,
  invalid = 6,         // broken signature, bad purpose, unreadable
};
[[nodiscard]] const char* to_string(ChainTrust trust) noexcept;
[[nodiscard]] std::optional<ChainTrust> parse_chain_trust(std::string_view text) noexcept;

struct Certificate {
  std::string sha256;        // lower-case hex of the DER
  std::string spki_sha256;   // lower-case hex of the SubjectPublicKeyInfo
  std::string subject;       // one line, RFC 2253 order, at most limits' bytes
  std::string issuer;
  std::string der;           // where trust is not `trusted`, the first time it comes in a record; else empty
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

struct TlsHandshake : StepContext {
  Endpoint endpoint;
  std::optional<std::string> server_name;  // absent: none was sent
  std::string version;                     // "TLSv1.3"; empty until negotiated
  std::string cipher;
  std::string alpn;                        // negotiated protocol, or empty
  std::optional<std::uint8_t> alert;       // fatal alert received, RFC 8446 §6
  bool client_hello_sent = false;
  std::uint64_t bytes_received = 0;
  ChainTrust trust = ChainTrust::not_presented;
  std::vector<Certificate> chain;          // leaf first
  friend bool operator==(const TlsHandshake&, const TlsHandshake&) = default;
};

struct HttpRoundTrip : StepContext {
  Endpoint endpoint;
  std::string url;
  std::string method = "GET";
  bool over_tls = false;
  std::optional<std::uint16_t> status;
  std::vector<std::pair<std::string, std::string>> headers;  // as received, scrubbed
  std::string title;                   // text of <title>, at most limits' bytes
  std::uint64_t bytes_received = 0;    // of the answer, as they came out of TCP or TLS, head included
  std::optional<Microseconds> last_byte;  // when the last of them came, since the step began
  std::uint64_t body_bytes = 0;        // decoded bytes read, cap included
  bool body_truncated = false;
  std::string body_sha256;             // of the bytes read; empty when none
  std::string body_sample;             // first bytes, scrubbed, where a fingerprint may need them
  bool request_sent = false;
  friend bool operator==(const HttpRoundTrip&, const HttpRoundTrip&) = default;
};

// One handshake of a QUIC client (RFC 9000 §7, RFC 9001), for HTTP/3.
struct QuicHandshake : StepContext {
  Endpoint endpoint;
  std::optional<std::string> server_name;  // absent: none was sent
  std::string version;                     // "QUICv1", of the packets that were understood; else empty
  std::string cipher;
  std::string alpn;
  // Of a CONNECTION_CLOSE that came, RFC 9000 §20: 0x100 and the alert where TLS refused.
  std::optional<std::uint64_t> close_code;
  bool initial_sent = false;               // the datagram that bears the name has left
  std::uint32_t replies = 0;               // datagrams that came from the endpoint
  std::uint64_t bytes_received = 0;        // payloads of them
  ChainTrust trust = ChainTrust::not_presented;
  std::vector<Certificate> chain;          // leaf first
  friend bool operator==(const QuicHandshake&, const QuicHandshake&) = default;
};

// A datagram as large as a first one, of a version that nobody speaks: whoever speaks QUIC answers with the
// versions it speaks (RFC 9000 §6.1), and no name is told. Without a failure that answer came.
struct QuicPing : StepContext {
  Endpoint endpoint;
  std::vector<std::uint32_t> versions;     // as offered
  std::uint64_t bytes_received = 0;
  friend bool operator==(const QuicPing&, const QuicPing&) = default;
};

// One look at one thing that tells the state of the line.
enum class LinkSubject : std::uint8_t {
  gateway = 0,
  resolver = 1,
  national = 2,
  international = 3,
  captive_portal = 4,
};
[[nodiscard]] const char* to_string(LinkSubject subject) noexcept;
[[nodiscard]] std::optional<LinkSubject> parse_link_subject(std::string_view text) noexcept;

struct LinkCheck : StepContext {
  LinkSubject subject = LinkSubject::gateway;
  std::string target;                       // target id of a control; empty for gateway and resolver
  // What was asked for came back. A captive_portal check whose answer is shown to be somebody else's (not
  // merely another than expected: docs/methods.md) has neither `reached` nor a failure.
  bool reached = false;
  std::optional<WallTime> server_date;      // Date header of a control: a clock anchor
  friend bool operator==(const LinkCheck&, const LinkCheck&) = default;
};

// An observation of a kind this version does not know, or of a known kind with a word outside this
// version's closed sets: kept whole, so that a round trip loses nothing, and judged by nobody.
struct UnknownObservation {
  std::string kind;
  std::string json;  // the whole object, its kind included
  friend bool operator==(const UnknownObservation&, const UnknownObservation&) = default;
};

using Observation = std::variant<Lookup, Connect, TlsHandshake, HttpRoundTrip, LinkCheck,
                                 UnknownObservation, QuicHandshake, QuicPing>;

// The common part, or nullptr for a kind this version does not know.
[[nodiscard]] const StepContext* context_of(const Observation& observation) noexcept;

}  // namespace kua
