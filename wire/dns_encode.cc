#include <algorithm>
#include <utility>

#include "measurement/check.h"
#include "wire/dns_message.h"
#include "wire/dns_walk.h"

namespace kua::wire {
namespace {

using namespace internal;  // the header's bits

std::uint16_t header_bits(const DnsHeader& header) {
  std::uint16_t bits =
      static_cast<std::uint16_t>((header.opcode & 0x0f) << 11 | (header.rcode & 0x0f));
  const std::pair<bool, std::uint16_t> flags[] = {
      {header.is_reply, kReplyBit},
      {header.authoritative, kAuthoritativeBit},
      {header.truncated, kTruncatedBit},
      {header.recursion_desired, kRecursionDesiredBit},
      {header.recursion_available, kRecursionAvailableBit},
      {header.reserved, kReservedBit},
      {header.authentic_data, kAuthenticDataBit},
      {header.checking_disabled, kCheckingDisabledBit}};
  for (const auto& [set, bit] : flags) {
    if (set) bits |= bit;
  }
  return bits;
}

// Writes the data of one record; the visitor's call operator is chosen by what the data are.
class DataWriter {
 public:
  DataWriter(std::uint16_t type, DnsNameWriter& names, Bytes& out)
      : type_(type), names_(names), out_(out) {}

  std::expected<void, DnsFault> operator()(const DnsOpaque& opaque) {
    put_bytes(out_, opaque.data);
    return {};
  }
  std::expected<void, DnsFault> operator()(const IpAddress& address) {
    if (type_ != (address.family() == Family::ip4 ? kDnsTypeA : kDnsTypeAaaa)) return bad();
    put_bytes(out_, address.bytes());
    return {};
  }
  std::expected<void, DnsFault> operator()(const DnsTargetName& target) {
    if (type_ != kDnsTypeCname && type_ != kDnsTypeNs && type_ != kDnsTypePtr) return bad();
    return names_.append(target.name, out_);
  }
  std::expected<void, DnsFault> operator()(const DnsSoa& soa) {
    if (type_ != kDnsTypeSoa) return bad();
    if (auto done = names_.append(soa.primary, out_); !done) return done;
    if (auto done = names_.append(soa.mailbox, out_); !done) return done;
    for (const std::uint32_t number : {soa.serial, soa.refresh_seconds, soa.retry_seconds,
                                       soa.expire_seconds, soa.minimum_seconds}) {
      put_u32(out_, number);
    }
    return {};
  }
  std::expected<void, DnsFault> operator()(const DnsText& text) {
    if (type_ != kDnsTypeTxt || text.strings.empty()) return bad();
    for (const auto& string : text.strings) {
      if (string.size() > 0xff) return bad();
      put_u8(out_, static_cast<std::uint8_t>(string.size()));
      put_bytes(out_, as_bytes(string));
    }
    return {};
  }

 private:
  static std::expected<void, DnsFault> bad() { return std::unexpected(DnsFault::bad_rdata); }

  std::uint16_t type_;
  DnsNameWriter& names_;
  Bytes& out_;
};

std::expected<void, DnsFault> put_record(const DnsRecord& record, DnsNameWriter& names,
                                         Bytes& out) {
  if (auto done = names.append(record.name, out); !done) return done;
  put_u16(out, record.type);
  put_u16(out, record.dns_class);
  put_u32(out, record.ttl_seconds);
  const std::size_t length_at = out.size();
  put_u16(out, 0);
  DataWriter writer(record.type, names, out);
  if (auto done = std::visit(writer, record.data); !done) return done;
  const std::size_t length = out.size() - length_at - 2;
  if (length > 0xffff) return std::unexpected(DnsFault::bad_rdata);
  set_u16(out, length_at, static_cast<std::uint16_t>(length));
  return {};
}

DnsRecord opt_record(const DnsEdns& edns, std::uint16_t rcode) {
  DnsOpaque options;
  for (const auto& option : edns.options) {
    put_u16(options.data, option.code);
    put_u16(options.data, static_cast<std::uint16_t>(option.data.size()));
    put_bytes(options.data, option.data);
  }
  const std::uint32_t ttl = static_cast<std::uint32_t>(rcode >> 4) << 24 |
                            static_cast<std::uint32_t>(edns.version) << 16 |
                            (edns.dnssec_ok ? kDnssecOkBit : 0u);
  return DnsRecord{".", kDnsTypeOpt, edns.udp_bytes_max, ttl, std::move(options)};
}

// The name with the letters that `bits` selects in upper case.
std::string with_case(const std::string& name, std::uint64_t bits) {
  std::string out = name;
  std::size_t letter = 0;
  for (char& c : out) {
    if (c < 'a' || c > 'z') continue;
    if ((bits >> (letter++ % 64) & 1) != 0) c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

std::expected<Bytes, DnsFault> encode_dns(const DnsMessage& message) {
  if (message.header.rcode > 0x0f && !message.edns) return std::unexpected(DnsFault::bad_rdata);
  const std::size_t counts[] = {message.questions.size(), message.answers.size(),
                                message.authority.size(),
                                message.additional.size() + (message.edns ? 1 : 0)};
  if (std::ranges::max(counts) > 0xffff) return std::unexpected(DnsFault::too_many_records);
  Bytes out;
  put_u16(out, message.header.id);
  put_u16(out, header_bits(message.header));
  for (const std::size_t count : counts) put_u16(out, static_cast<std::uint16_t>(count));
  DnsNameWriter names;
  for (const auto& question : message.questions) {
    if (auto done = names.append(question.name, out); !done) return std::unexpected(done.error());
    put_u16(out, question.type);
    put_u16(out, question.dns_class);
  }
  for (const auto* section : {&message.answers, &message.authority, &message.additional}) {
    for (const auto& record : *section) {
      if (auto done = put_record(record, names, out); !done) return std::unexpected(done.error());
    }
  }
  if (message.edns) {
    const DnsRecord opt = opt_record(*message.edns, message.header.rcode);
    if (auto done = put_record(opt, names, out); !done) return std::unexpected(done.error());
  }
  return out;
}

Bytes encode_dns_query(const DnsQuery& query) {
  DnsMessage message;
  message.header.id = query.id;
  message.header.recursion_desired = query.recursion_desired;
  const std::string& name = query.name.text();
  message.questions.push_back(DnsQuestion{
      query.case_bits ? with_case(name, *query.case_bits) : name, query.type, kDnsClassIn});
  if (query.edns_udp_bytes_max != 0)
    message.edns.emplace().udp_bytes_max = query.edns_udp_bytes_max;
  auto bytes = encode_dns(message);
  KUA_CHECK(bytes.has_value());  // a DomainName always fits
  return std::move(*bytes);
}

}  // namespace kua::wire
