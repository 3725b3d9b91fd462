// Every bound of the decoders: what a peer or a box on the path may make us read, keep or follow.
// Passing one is told apart from malformed bytes, so that the caller can count what was cut off.
#pragma once

#include <cstddef>

namespace kua::wire {

// Records kept of one DNS message. The largest honest answers (big TXT sets, glue of a TLD) hold
// about 60; a 64 KiB message of empty records would hold over 5,000.
inline constexpr std::size_t kDnsRecordsMax = 256;
// Questions of one message. Everybody asks one; more than this is no reply to us.
inline constexpr std::size_t kDnsQuestionsMax = 4;
// Octets of a name on the wire, the root's length octet included (RFC 1035 §2.3.4).
inline constexpr std::size_t kDnsNameBytesMax = 255;
// Compression pointers followed in one name. A name has at most 127 labels, and a pointer that
// gains no label is of no use to anybody.
inline constexpr std::size_t kDnsPointersMax = 127;
// Options read of one OPT record; a handful are in use.
inline constexpr std::size_t kDnsOptionsMax = 32;

// Bytes of a TLS record's fragment: 2^14 and the expansion that TLS 1.2 allows (RFC 5246 §6.2.3).
inline constexpr std::size_t kTlsFragmentBytesMax = 16384 + 2048;
// Bytes of a ClientHello message. Post-quantum key shares bring it to about 2 KiB, a PSK with a
// large ticket to about 10; a field of 24 bits would allow 16 MiB.
inline constexpr std::size_t kClientHelloBytesMax = 32 * 1024;
// Records that one ClientHello may be spread over; splitting into single bytes is a known way past
// middleboxes, but a hello of many tiny records is nothing we need to follow to its end.
inline constexpr std::size_t kClientHelloRecordsMax = 4096;

// Bytes of an HTTP head from its first byte to the empty line. Browsers allow 256 KiB; servers that
// people run allow 8 to 32.
inline constexpr std::size_t kHttpHeadBytesMax = 64 * 1024;
// Header fields of one head. Popular pages send 20 to 60.
inline constexpr std::size_t kHttpHeadersMax = 256;

// Bytes of an HTML page searched for its title: it belongs into the head, and pages put it late
// only behind inline scripts.
inline constexpr std::size_t kHtmlTitleSearchBytesMax = 256 * 1024;

// Versions read of a QUIC Version Negotiation packet; servers offer a handful.
inline constexpr std::size_t kQuicVersionsMax = 32;

// IPv6 extension headers walked before the transport header (RFC 8200 §4.1 knows seven).
inline constexpr std::size_t kIpv6ExtensionHeadersMax = 8;

}  // namespace kua::wire
