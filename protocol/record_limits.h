// What a kua/1 record may hold (docs/record-format.md). A reader refuses a record beyond any of
// these, so a probe keeps its own limits at or below them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kua::protocol {

// Bytes of a line: a chain of certificates, the begin of a page and DNS replies fit.
inline constexpr std::size_t kRecordBytesMax = 256 * 1024;
// Nested brackets: the grammar needs 6.
inline constexpr std::size_t kRecordDepthMax = 32;

// 11 hops with 8 addresses each, and their follow-ups.
inline constexpr std::size_t kObservationsMax = 512;
// Of the record, and of an observation.
inline constexpr std::size_t kUnknownMembersMax = 64;

// Bytes of UTF-8 text.
inline constexpr std::size_t kHostBytesMax = 253;          // RFC 1035 §2.3.4
inline constexpr std::size_t kUrlTextBytesMax = 8 * 1024;  // input, url, resolver
inline constexpr std::size_t kNameBytesMax = 256;          // software, cipher, a limit's name, …
inline constexpr std::size_t kReasonBytesMax = 1024;       // validity_reason
inline constexpr std::size_t kTitleBytesMax = 1024;
inline constexpr std::size_t kDistinguishedNameBytesMax = 2048;
inline constexpr std::size_t kHeaderNameBytesMax = 256;
inline constexpr std::size_t kHeaderValueBytesMax = 8 * 1024;

inline constexpr std::uint64_t kQuicIntegerMax = (std::uint64_t{1} << 62) - 1;  // RFC 9000 §16

// Bytes before base64.
inline constexpr std::size_t kDnsMessageBytesMax = 65'535;  // RFC 1035 §4.2.2
inline constexpr std::size_t kCertificateBytesMax = 64 * 1024;
inline constexpr std::size_t kBodySampleBytesMax = 64 * 1024;

// Items of lists.
inline constexpr std::size_t kReplyAddressesMax = 256;
inline constexpr std::size_t kReplyCnamesMax = 32;
inline constexpr std::size_t kLateRepliesMax = 16;
inline constexpr std::size_t kCertificatesMax = 16;
inline constexpr std::size_t kHeadersMax = 128;
inline constexpr std::size_t kQuicVersionsMax = 32;  // servers offer a handful
inline constexpr std::size_t kLimitCountsMax = 64;
inline constexpr std::size_t kMissingMax = 64;

}  // namespace kua::protocol
