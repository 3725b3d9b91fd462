#include "wire/dns_message.h"

#include <algorithm>
#include <utility>

#include "wire/dns_walk.h"
#include "wire/limits.h"

namespace kua::wire {
namespace {

using namespace internal;  // the walk and the header's bits

DnsHeader read_header(BytesView message) {
  ByteReader reader(message);
  DnsHeader out;
  out.id = reader.u16();
  const std::uint16_t bits = reader.u16();
  out.is_reply = (bits & kReplyBit) != 0;
  out.opcode = static_cast<std::uint8_t>(bits >> 11 & 0x0f);
  out.authoritative = (bits & kAuthoritativeBit) != 0;
  out.truncated = (bits & kTruncatedBit) != 0;
  out.recursion_desired = (bits & kRecursionDesiredBit) != 0;
  out.recursion_available = (bits & kRecursionAvailableBit) != 0;
  out.reserved = (bits & kReservedBit) != 0;
  out.authentic_data = (bits & kAuthenticDataBit) != 0;
  out.checking_disabled = (bits & kCheckingDisabledBit) != 0;
  out.rcode = bits & 0x0f;
  return out;
}

std::optional<DnsData> read_address(BytesView data, std::size_t bytes) {
  if (data.size() != bytes) return std::nullopt;
  return DnsData(*IpAddress::from_bytes(data));
}

// A name that has to fill the record to its end.
std::optional<DnsData> read_target(BytesView message, const RawDnsRecord& raw) {
  auto name = decode_dns_name(message, raw.data_at);
  if (!name || name->end != raw.data_at + raw.data_bytes) return std::nullopt;
  return DnsData(DnsTargetName{std::move(name->name)});
}

std::optional<DnsData> read_soa(BytesView message, const RawDnsRecord& raw) {
  DnsSoa soa;
  auto primary = decode_dns_name(message, raw.data_at);
  if (!primary) return std::nullopt;
  auto mailbox = decode_dns_name(message, primary->end);
  if (!mailbox || mailbox->end + 20 != raw.data_at + raw.data_bytes) return std::nullopt;
  soa.primary = std::move(primary->name);
  soa.mailbox = std::move(mailbox->name);
  ByteReader reader(message.subspan(mailbox->end));
  soa.serial = reader.u32();
  soa.refresh_seconds = reader.u32();
  soa.retry_seconds = reader.u32();
  soa.expire_seconds = reader.u32();
  soa.minimum_seconds = reader.u32();
  return DnsData(std::move(soa));
}

std::optional<DnsData> read_text(BytesView data) {
  DnsText text;
  ByteReader reader(data);
  while (reader.remaining() > 0) {
    const BytesView string = reader.take(reader.u8());
    if (reader.failed()) return std::nullopt;
    text.strings.emplace_back(as_text(string));
  }
  if (text.strings.empty()) return std::nullopt;  // RFC 1035 §3.3.14: one or more
  return DnsData(std::move(text));
}

// nullopt where the data contradict the type. `message` is cut at the record's end, so that no name
// in it reaches into what follows.
std::optional<DnsData> read_data(BytesView message, const RawDnsRecord& raw) {
  const BytesView data = message.subspan(raw.data_at, raw.data_bytes);
  if (raw.dns_class == kDnsClassIn) {
    switch (raw.type) {
      case kDnsTypeA:
        return read_address(data, 4);
      case kDnsTypeAaaa:
        return read_address(data, 16);
      case kDnsTypeCname:
      case kDnsTypeNs:
      case kDnsTypePtr:
        return read_target(message, raw);
      case kDnsTypeSoa:
        return read_soa(message, raw);
      case kDnsTypeTxt:
        return read_text(data);
      default:
        break;
    }
  }
  return DnsData(DnsOpaque{Bytes(data.begin(), data.end())});
}

void note_fault(DnsMessage& message, DnsFault fault) {
  if (!message.fault) message.fault = fault;
}

// RFC 6891 §6.1.2: class is the UDP size, TTL is extended rcode, version and flags.
void read_edns(BytesView data, const RawDnsRecord& raw, DnsMessage& out) {
  if (out.edns) return note_fault(out, DnsFault::bad_rdata);
  DnsEdns edns;
  edns.udp_bytes_max = raw.dns_class;
  out.header.rcode = static_cast<std::uint16_t>((raw.ttl >> 24) << 4 | out.header.rcode);
  edns.version = static_cast<std::uint8_t>(raw.ttl >> 16);
  edns.dnssec_ok = (raw.ttl & kDnssecOkBit) != 0;
  ByteReader reader(data);
  while (reader.remaining() > 0) {
    const std::uint16_t code = reader.u16();
    const BytesView option = reader.take(reader.u16());
    if (reader.failed() || edns.options.size() == kDnsOptionsMax) {
      note_fault(out, DnsFault::bad_rdata);
      break;
    }
    edns.options.push_back(DnsOption{code, Bytes(option.begin(), option.end())});
  }
  out.edns = std::move(edns);
}

std::vector<DnsRecord>& section_of(DnsMessage& message, DnsSection section) {
  switch (section) {
    case DnsSection::answer:
      return message.answers;
    case DnsSection::authority:
      return message.authority;
    case DnsSection::additional:
      return message.additional;
  }
  return message.additional;
}

void keep_record(BytesView message, RawDnsRecord raw, DnsMessage& out) {
  const BytesView data = message.subspan(raw.data_at, raw.data_bytes);
  if (raw.type == kDnsTypeOpt && raw.section == DnsSection::additional) {
    return read_edns(data, raw, out);
  }
  auto value = read_data(message.first(raw.data_at + raw.data_bytes), raw);
  if (!value) {
    note_fault(out, DnsFault::bad_rdata);
    value = DnsData(DnsOpaque{Bytes(data.begin(), data.end())});
  }
  section_of(out, raw.section)
      .push_back(
          DnsRecord{std::move(raw.name), raw.type, raw.dns_class, raw.ttl, std::move(*value)});
}

// Moves along CNAME records from `name`; each record is used once, so that a loop ends.
std::vector<std::string> chain_from(std::string_view name, std::vector<const DnsRecord*> records) {
  std::vector<std::string> out;
  std::string current(name);
  while (!records.empty()) {
    auto next = std::ranges::find_if(
        records, [&](const DnsRecord* record) { return same_dns_name(record->name, current); });
    if (next == records.end()) next = records.begin();  // owned by nobody we asked for: in order
    current = std::get<DnsTargetName>((*next)->data).name;
    out.push_back(current);
    records.erase(next);
  }
  return out;
}

}  // namespace

std::uint16_t dns_type_of(QueryType type) noexcept {
  switch (type) {
    case QueryType::a:
      return kDnsTypeA;
    case QueryType::aaaa:
      return kDnsTypeAaaa;
  }
  return kDnsTypeA;
}

std::expected<DnsMessage, DnsFault> decode_dns(BytesView message) {
  if (message.size() < kDnsHeaderBytes) return std::unexpected(DnsFault::truncated);
  DnsMessage out;
  out.header = read_header(message);
  DnsWalk walk(message);
  auto question = walk.question();
  for (; question && *question; question = walk.question()) {
    auto& raw = **question;
    out.questions.push_back(DnsQuestion{std::move(raw.name), raw.type, raw.dns_class});
  }
  if (!question) return std::unexpected(question.error());
  auto record = walk.record();
  for (; record && *record; record = walk.record()) keep_record(message, std::move(**record), out);
  if (!record) note_fault(out, record.error());
  return out;
}

bool answers_query(const DnsMessage& reply, const DnsQuery& query) noexcept {
  if (!reply.header.is_reply || reply.header.id != query.id) return false;
  if (reply.questions.empty()) return reply.header.rcode != kDnsNoError && reply.answers.empty();
  return reply.questions.size() == 1 && reply.questions[0].type == query.type &&
         reply.questions[0].dns_class == kDnsClassIn &&
         same_dns_name(reply.questions[0].name, query.name.text());
}

DnsMessage reply_to(const DnsMessage& query, std::uint16_t rcode) {
  DnsMessage out;
  out.header.id = query.header.id;
  out.header.is_reply = true;
  out.header.opcode = query.header.opcode;
  out.header.recursion_desired = query.header.recursion_desired;
  out.header.recursion_available = true;
  out.header.rcode = rcode;
  out.questions = query.questions;
  if (query.edns) out.edns = DnsEdns{};
  return out;
}

DnsAnswers answers_of(const DnsMessage& message) {
  DnsAnswers out;
  std::vector<const DnsRecord*> aliases;
  for (const auto& record : message.answers) {
    if (const auto* address = std::get_if<IpAddress>(&record.data)) {
      out.addresses.push_back(*address);
    } else if (record.type == kDnsTypeCname && std::holds_alternative<DnsTargetName>(record.data)) {
      aliases.push_back(&record);
    } else {
      continue;
    }
    out.ttl_seconds = std::min(out.ttl_seconds.value_or(record.ttl_seconds), record.ttl_seconds);
  }
  out.cnames =
      chain_from(message.questions.empty() ? "" : message.questions[0].name, std::move(aliases));
  return out;
}

}  // namespace kua::wire
