// Every bound of the probe, with unit and reason. What a bound cut off is counted under the name given in
// quotes in Measurement::limits, and shown.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kua::probe {

// --- steps and experiments ---

// Decoded body bytes looked at; OONI's figure, so that lengths compare. "body_bytes"
inline constexpr std::uint64_t kBodyBytesMax = 512 * 1024;
// Body bytes read off the wire for a check somebody asked for. "body_wire_bytes"
inline constexpr std::uint64_t kBodyWireBytesMax = 256 * 1024;
// The same for a scheduled round: a core check with one redirect stays below 40 kB. "body_wire_bytes"
inline constexpr std::uint64_t kRoundBodyWireBytesMax = 24 * 1024;
// Decoded bytes for one compressed byte; honest HTML stays below 30, deflate's ceiling is 1032.
// "compression_ratio"
inline constexpr std::uint64_t kCompressionRatioMax = 100;
// Bytes of a response's status line and headers together. "header_bytes"
inline constexpr std::uint32_t kHeaderBytesMax = 32 * 1024;
// Header fields and bytes of one value that are kept in a record. "header_fields", "header_value_bytes"
inline constexpr std::size_t kHeaderFieldsKept = 40;
inline constexpr std::size_t kHeaderValueBytesKept = 512;
// Decoded bytes searched for <title>, bytes of it kept, and body bytes kept where a fingerprint needs them.
inline constexpr std::size_t kTitleSearchBytes = 16 * 1024;
inline constexpr std::size_t kTitleBytesKept = 256;
inline constexpr std::size_t kBodySampleBytes = 4 * 1024;
// Redirects followed; DESIGN §4.1. "redirects"
inline constexpr std::uint32_t kRedirectsMax = 10;
// Addresses tried a family and hop; DESIGN §4.1. "addresses"
inline constexpr std::size_t kAddressesPerFamilyMax = 4;
// Certificates of a presented chain that are kept, and bytes of them. "certificates"
inline constexpr std::size_t kCertificatesMax = 10;
inline constexpr std::size_t kChainBytesMax = 24 * 1024;
inline constexpr std::size_t kCertificateNameBytesMax = 512;
// Further answers kept for one query. "late_replies"
inline constexpr std::size_t kLateRepliesMax = 4;
// Bytes of a URL that is followed, as browsers and servers in use bound it. "url_bytes"
inline constexpr std::size_t kUrlBytesMax = 2048;
// Endpoints of a service that are tried. "endpoints"
inline constexpr std::size_t kServiceEndpointsMax = 16;
// Bytes of a DoH answer's body; a DNS message has 16 bits of length. "doh_bytes"
inline constexpr std::size_t kDohBodyBytesMax = 65535;

}  // namespace kua::probe
