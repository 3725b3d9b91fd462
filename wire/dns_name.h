// Domain names on the wire (RFC 1035 §3.1, §4.1.4) and as text. Any octets are possible in a reply,
// so the text is RFC 1035 §5.1's: '.' and '\' of a label as "\." and "\\", what is not printable
// ASCII as
// "\DDD". Case is kept as it came; the root is ".", every other name is without a trailing dot.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/bytes.h"

namespace kua::wire {

enum class DnsFault : std::uint8_t {
  truncated,           // the message ends inside what its header or a length announced
  bad_name,            // longer than 255 octets, a label longer than 63, or text that is no name
  bad_pointer,         // a compression pointer that does not point backwards, or too many of them
  bad_rdata,           // the data contradict the record's type or length
  too_many_questions,  // kDnsQuestionsMax
  too_many_records,    // kDnsRecordsMax
};
[[nodiscard]] const char* to_string(DnsFault fault) noexcept;

struct DnsNameAt {
  std::string name;
  std::size_t end = 0;  // offset behind the name, or behind its first pointer
};

// The name at offset `at`. A pointer leads to "a prior occurrence" (RFC 1035 §4.1.4): to labels
// that lie wholly before what points to them. So no message can hold a loop, and no name depends on
// bytes that come after it.
[[nodiscard]] std::expected<DnsNameAt, DnsFault> decode_dns_name(BytesView message, std::size_t at);

// Writes names into one message and points back to the suffixes it has written, as servers do.
class DnsNameWriter {
 public:
  [[nodiscard]] std::expected<void, DnsFault> append(std::string_view name, Bytes& out);

 private:
  std::vector<std::pair<Bytes, std::uint16_t>> written_;  // a suffix in wire form, and where it is
};

// Equal but for the case of ASCII letters (RFC 4343).
[[nodiscard]] bool same_dns_name(std::string_view left, std::string_view right) noexcept;

}  // namespace kua::wire
