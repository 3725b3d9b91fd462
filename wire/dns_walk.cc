#include "wire/dns_walk.h"

#include "measurement/check.h"
#include "wire/limits.h"

namespace kua::wire::internal {

DnsWalk::DnsWalk(BytesView message) : message_(message) {
  KUA_CHECK(message.size() >= kDnsHeaderBytes);
  ByteReader reader(message);
  reader.skip(4);
  questions_left_ = reader.u16();
  for (auto& count : records_left_) count = reader.u16();
}

std::expected<std::optional<RawDnsQuestion>, DnsFault> DnsWalk::question() {
  if (questions_left_ == 0) return std::nullopt;
  if (questions_left_ > kDnsQuestionsMax) return std::unexpected(DnsFault::too_many_questions);
  auto name = decode_dns_name(message_, at_);
  if (!name) return std::unexpected(name.error());
  ByteReader reader(message_.subspan(name->end));
  RawDnsQuestion out;
  out.type = reader.u16();
  out.dns_class = reader.u16();
  if (reader.failed()) return std::unexpected(DnsFault::truncated);
  out.name = std::move(name->name);
  at_ = name->end + reader.position();
  --questions_left_;
  return out;
}

std::expected<std::optional<RawDnsRecord>, DnsFault> DnsWalk::record() {
  while (section_ < records_left_.size() && records_left_[section_] == 0) ++section_;
  if (section_ == records_left_.size()) return std::nullopt;
  if (records_seen_ == kDnsRecordsMax) return std::unexpected(DnsFault::too_many_records);
  auto name = decode_dns_name(message_, at_);
  if (!name) return std::unexpected(name.error());
  ByteReader reader(message_.subspan(name->end));
  RawDnsRecord out;
  out.section = static_cast<DnsSection>(section_);
  out.type = reader.u16();
  out.dns_class = reader.u16();
  out.ttl = reader.u32();
  out.data_bytes = reader.u16();
  out.data_at = name->end + reader.position();
  reader.skip(out.data_bytes);
  if (reader.failed()) return std::unexpected(DnsFault::truncated);
  out.name = std::move(name->name);
  at_ = name->end + reader.position();
  --records_left_[section_];
  ++records_seen_;
  return out;
}

}  // namespace kua::wire::internal
