// DNS messages: the queries a probe sends, the replies it gets, the forged replies of the lab. A
// reply that is broken somewhere is still evidence: whatever could be read before the fault is
// kept.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "measurement/address.h"
#include "measurement/names.h"
#include "measurement/observation.h"
#include "wire/bytes.h"
#include "wire/dns_name.h"

namespace kua::wire {

// Numbers of the IANA registry that we interpret; any other value is possible.
inline constexpr std::uint16_t kDnsTypeA = 1;
inline constexpr std::uint16_t kDnsTypeNs = 2;
inline constexpr std::uint16_t kDnsTypeCname = 5;
inline constexpr std::uint16_t kDnsTypeSoa = 6;
inline constexpr std::uint16_t kDnsTypePtr = 12;
inline constexpr std::uint16_t kDnsTypeTxt = 16;
inline constexpr std::uint16_t kDnsTypeAaaa = 28;
inline constexpr std::uint16_t kDnsTypeOpt = 41;
inline constexpr std::uint16_t kDnsClassIn = 1;
inline constexpr std::uint16_t kDnsOptionClientSubnet = 8;  // RFC 7871
inline constexpr std::uint16_t kDnsOptionPadding = 12;      // RFC 7830

inline constexpr std::uint16_t kDnsNoError = 0;
inline constexpr std::uint16_t kDnsServFail = 2;
inline constexpr std::uint16_t kDnsNxDomain = 3;
inline constexpr std::uint16_t kDnsRefused = 5;

[[nodiscard]] std::uint16_t dns_type_of(QueryType type) noexcept;

struct DnsHeader {
  std::uint16_t id = 0;
  bool is_reply = false;
  std::uint8_t opcode = 0;  // 4 bits
  bool authoritative = false;
  bool truncated = false;
  bool recursion_desired = false;
  bool recursion_available = false;
  bool reserved = false;
  bool authentic_data = false;
  bool checking_disabled = false;
  std::uint16_t rcode = 0;  // 12 bits, the upper eight from EDNS
  friend bool operator==(const DnsHeader&, const DnsHeader&) = default;
};

struct DnsQuestion {
  std::string name;
  std::uint16_t type = kDnsTypeA;
  std::uint16_t dns_class = kDnsClassIn;
  friend bool operator==(const DnsQuestion&, const DnsQuestion&) = default;
};

// Data of CNAME, NS and PTR.
struct DnsTargetName {
  std::string name;
  friend bool operator==(const DnsTargetName&, const DnsTargetName&) = default;
};
struct DnsSoa {
  std::string primary;
  std::string mailbox;
  std::uint32_t serial = 0;
  std::uint32_t refresh_seconds = 0;
  std::uint32_t retry_seconds = 0;
  std::uint32_t expire_seconds = 0;
  std::uint32_t minimum_seconds = 0;
  friend bool operator==(const DnsSoa&, const DnsSoa&) = default;
};
struct DnsText {
  std::vector<std::string> strings;  // each at most 255 bytes
  friend bool operator==(const DnsText&, const DnsText&) = default;
};
// Any other type, and data that contradict their type. Names inside are not decompressed.
struct DnsOpaque {
  Bytes data;
  friend bool operator==(const DnsOpaque&, const DnsOpaque&) = default;
};
using DnsData = std::variant<DnsOpaque, IpAddress, DnsTargetName, DnsSoa, DnsText>;

struct DnsRecord {
  std::string name;
  std::uint16_t type = kDnsTypeA;
  std::uint16_t dns_class = kDnsClassIn;
  std::uint32_t ttl_seconds = 0;
  DnsData data;
  friend bool operator==(const DnsRecord&, const DnsRecord&) = default;
};

struct DnsOption {
  std::uint16_t code = 0;
  Bytes data;
  friend bool operator==(const DnsOption&, const DnsOption&) = default;
};

// EDNS(0), RFC 6891. The extended rcode is in DnsHeader::rcode.
struct DnsEdns {
  std::uint16_t udp_bytes_max = 1232;
  std::uint8_t version = 0;
  bool dnssec_ok = false;
  std::vector<DnsOption> options;
  friend bool operator==(const DnsEdns&, const DnsEdns&) = default;
};

struct DnsMessage {
  DnsHeader header;
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> answers;
  std::vector<DnsRecord> authority;
  std::vector<DnsRecord> additional;  // without OPT
  std::optional<DnsEdns> edns;
  // The first thing wrong behind the questions. bad_rdata of one record does not end the reading
  // (it stays as DnsOpaque), any other fault does.
  std::optional<DnsFault> fault;
  friend bool operator==(const DnsMessage&, const DnsMessage&) = default;
};

// Errors only where the header or a question cannot be read: nothing then ties the bytes to a
// query.
[[nodiscard]] std::expected<DnsMessage, DnsFault> decode_dns(BytesView message);

// Names are compressed as servers do. `fault` is ignored. Errors: bad_name, bad_rdata (data that do
// not fit the type, a string or record beyond its length field), and an rcode above 15 without
// EDNS.
[[nodiscard]] std::expected<Bytes, DnsFault> encode_dns(const DnsMessage& message);

struct DnsQuery {
  std::uint16_t id = 0;
  DomainName name = *DomainName::parse("invalid");
  std::uint16_t type = kDnsTypeA;
  bool recursion_desired = true;
  // EDNS without any option, a client subnet least of all; 0: no EDNS. 1232 passes unfragmented
  // everywhere (DNS flag day 2020).
  std::uint16_t edns_udp_bytes_max = 1232;
  // "0x20": letter i of the name is sent in upper case where bit i % 64 is set; a true server
  // echoes the pattern. nullopt: lower case.
  std::optional<std::uint64_t> case_bits;
};
[[nodiscard]] Bytes encode_dns_query(const DnsQuery& query);

// Whether `reply` is a reply with this id to exactly this question; names compare without case. A
// refusal need not repeat the question (unbound's REFUSED is twelve bytes).
[[nodiscard]] bool answers_query(const DnsMessage& reply, const DnsQuery& query) noexcept;

// A reply to `query` with its id, question and RD, and EDNS if the query had it; no records yet.
[[nodiscard]] DnsMessage reply_to(const DnsMessage& query, std::uint16_t rcode);

// What the answer section says, whatever owner names the records have: injectors get them wrong.
struct DnsAnswers {
  std::vector<IpAddress> addresses;          // in order
  std::vector<std::string> cnames;           // in the order of the chain from the question's name
  std::optional<std::uint32_t> ttl_seconds;  // the smallest of those records
};
[[nodiscard]] DnsAnswers answers_of(const DnsMessage& message);

struct ScrubbedDns {
  Bytes bytes;
  std::size_t blanked_bytes = 0;  // of client-subnet options
  std::size_t cut_bytes = 0;      // behind the last record that could be walked
};
// A copy fit for a record: the payload of every client-subnet option becomes zeros under the
// padding code, so that lengths and compression pointers stay true. Bytes that belong to no
// readable record could hide anything and are cut.
[[nodiscard]] ScrubbedDns scrub_client_subnet(BytesView message);

}  // namespace kua::wire
