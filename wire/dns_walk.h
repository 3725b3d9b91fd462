// Walks the records of one DNS message without interpreting them; shared by the decoder and by the
// scrubber, so that both see the same boundaries. Internal to wire/.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "wire/bytes.h"
#include "wire/dns_name.h"

namespace kua::wire::internal {

inline constexpr std::size_t kDnsHeaderBytes = 12;

// Bits of the second header word (RFC 1035 §4.1.1, RFC 4035 §3.2).
inline constexpr std::uint16_t kReplyBit = 0x8000;
inline constexpr std::uint16_t kAuthoritativeBit = 0x0400;
inline constexpr std::uint16_t kTruncatedBit = 0x0200;
inline constexpr std::uint16_t kRecursionDesiredBit = 0x0100;
inline constexpr std::uint16_t kRecursionAvailableBit = 0x0080;
inline constexpr std::uint16_t kReservedBit = 0x0040;
inline constexpr std::uint16_t kAuthenticDataBit = 0x0020;
inline constexpr std::uint16_t kCheckingDisabledBit = 0x0010;
inline constexpr std::uint16_t kDnssecOkBit = 0x8000;  // of the OPT record's flags

enum class DnsSection : std::uint8_t { answer = 0, authority = 1, additional = 2 };

struct RawDnsQuestion {
  std::string name;
  std::uint16_t type = 0;
  std::uint16_t dns_class = 0;
};

struct RawDnsRecord {
  DnsSection section = DnsSection::answer;
  std::string name;
  std::uint16_t type = 0;
  std::uint16_t dns_class = 0;
  std::uint32_t ttl = 0;
  std::size_t data_at = 0;  // offset of the data in the message
  std::size_t data_bytes = 0;
};

// Call question() to the end before record(). Both return nullopt when the counts of the header are
// exhausted, and a fault once; after a fault the walk is over.
class DnsWalk {
 public:
  // `message` holds at least kDnsHeaderBytes and outlives the walk.
  explicit DnsWalk(BytesView message);

  [[nodiscard]] std::expected<std::optional<RawDnsQuestion>, DnsFault> question();
  [[nodiscard]] std::expected<std::optional<RawDnsRecord>, DnsFault> record();
  [[nodiscard]] std::size_t position() const noexcept { return at_; }  // behind what was walked

 private:
  BytesView message_;
  std::size_t at_ = kDnsHeaderBytes;
  std::size_t questions_left_;
  std::array<std::size_t, 3> records_left_;
  std::size_t section_ = 0;
  std::size_t records_seen_ = 0;
};

}  // namespace kua::wire::internal
