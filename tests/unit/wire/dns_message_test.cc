#include "wire/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"
#include "wire/limits.h"

namespace kua::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress address(const char* text) { return *IpAddress::parse(text); }

DnsMessage decoded(const char* vector) {
  const auto message = decode_dns(vector_bytes(vector));
  EXPECT_TRUE(message) << vector;
  return message.value_or(DnsMessage{});
}

TEST(DecodeDns, ReadsAChainAndItsAddresses) {
  const DnsMessage message = decoded("dns_reply_a");
  EXPECT_EQ(message.header.id, 0x4b55);
  EXPECT_TRUE(message.header.is_reply);
  EXPECT_TRUE(message.header.authoritative);
  EXPECT_TRUE(message.header.recursion_desired);
  EXPECT_TRUE(message.header.recursion_available);
  EXPECT_EQ(message.header.rcode, kDnsNoError);
  ASSERT_EQ(message.questions.size(), 1u);
  EXPECT_EQ(message.questions[0], (DnsQuestion{"www.example.com", kDnsTypeA, kDnsClassIn}));
  ASSERT_TRUE(message.edns);
  EXPECT_EQ(message.edns->udp_bytes_max, 1232);
  EXPECT_FALSE(message.fault);

  const DnsAnswers answers = answers_of(message);
  EXPECT_THAT(answers.addresses, ElementsAre(address("203.0.113.11"), address("203.0.113.10")));
  EXPECT_THAT(answers.cnames, ElementsAre("web01.example.com"));
  EXPECT_EQ(answers.ttl_seconds, 60u);
  EXPECT_THAT(answers_of(decoded("dns_reply_aaaa")).addresses,
              ElementsAre(address("2001:db8::10")));
}

TEST(DecodeDns, ReadsEveryTypeItKeeps) {
  const DnsMessage soa = decoded("dns_reply_soa");
  const auto& start = std::get<DnsSoa>(soa.answers.at(0).data);
  EXPECT_EQ(start.primary, "ns1.example.com");
  EXPECT_EQ(start.mailbox, "hostmaster.example.com");
  EXPECT_EQ(start.serial, 2026010101u);
  EXPECT_EQ(start.minimum_seconds, 300u);
  EXPECT_EQ(std::get<DnsTargetName>(decoded("dns_reply_ns").answers.at(0).data).name,
            "ns1.example.com");
  EXPECT_THAT(std::get<DnsText>(decoded("dns_reply_txt").answers.at(0).data).strings,
              ElementsAre("v=spf1 -all", "second string"));
  const DnsMessage missing = decoded("dns_reply_nxdomain");
  EXPECT_EQ(missing.header.rcode, kDnsNxDomain);
  EXPECT_THAT(missing.answers, IsEmpty());
  EXPECT_TRUE(std::holds_alternative<DnsSoa>(missing.authority.at(0).data));
}

TEST(EncodeDns, DecodesToWhatWasEncoded) {
  for (const char* name :
       {"dns_reply_a", "dns_reply_aaaa", "dns_reply_soa", "dns_reply_ns", "dns_reply_txt",
        "dns_reply_nxdomain", "dns_reply_refused", "dns_reply_case"}) {
    const DnsMessage message = decoded(name);
    const auto bytes = encode_dns(message);
    ASSERT_TRUE(bytes) << name;
    EXPECT_EQ(*decode_dns(*bytes), message) << name;
    EXPECT_LE(bytes->size(), vector_bytes(name).size() + 8) << name << ": names are compressed";
  }
}

TEST(EncodeDns, RefusesDataThatDoNotFitTheirType) {
  DnsMessage message;
  message.answers.push_back({"a.example", kDnsTypeAaaa, kDnsClassIn, 60, address("203.0.113.1")});
  EXPECT_EQ(encode_dns(message).error(), DnsFault::bad_rdata);
  message.answers[0].data = DnsText{{std::string(256, 'x')}};
  message.answers[0].type = kDnsTypeTxt;
  EXPECT_EQ(encode_dns(message).error(), DnsFault::bad_rdata);
  message.answers[0].data = DnsOpaque{Bytes(65536)};
  EXPECT_EQ(encode_dns(message).error(), DnsFault::bad_rdata);
  message.answers.clear();
  message.header.rcode = 16;  // BADVERS needs EDNS
  EXPECT_EQ(encode_dns(message).error(), DnsFault::bad_rdata);
  message.edns = DnsEdns{};
  EXPECT_EQ(decode_dns(*encode_dns(message))->header.rcode, 16);
}

TEST(EncodeDnsQuery, AsksOneQuestionAndShowsNoSubnet) {
  DnsQuery query;
  query.id = 0x1234;
  query.name = *DomainName::parse("www.example.com");
  query.type = kDnsTypeAaaa;
  const Bytes bytes = encode_dns_query(query);
  EXPECT_EQ(bytes,
            from_hex("1234 0100 0001 0000 0000 0001 03777777 076578616d706c65 03636f6d 00 001c 0001"
                     "00 0029 04d0 00000000 0000"));
  query.edns_udp_bytes_max = 0;
  query.recursion_desired = false;
  EXPECT_EQ(encode_dns_query(query).size(), 12u + 17u + 4u);
  EXPECT_FALSE(decode_dns(encode_dns_query(query))->header.recursion_desired);
}

TEST(EncodeDnsQuery, MixesCaseByTheBitsItIsGiven) {
  DnsQuery query;
  query.name = *DomainName::parse("a1b.example");
  query.case_bits = 0b101;
  EXPECT_EQ(decode_dns(encode_dns_query(query))->questions.at(0).name, "A1b.Example");
}

struct AnswersCase {
  const char* says;
  const char* vector;
  const char* name;
  std::uint16_t id;
  bool answers;
};

TEST(AnswersQuery, TiesAReplyToItsQuestion) {
  const AnswersCase kCases[] = {
      {"the same name", "dns_reply_a", "www.example.com", 0x4b55, true},
      {"the same name in another case", "dns_reply_case", "www.example.com", 0x4b55, true},
      {"another id", "dns_reply_a", "www.example.com", 0x4b56, false},
      {"another name", "dns_reply_a", "example.com", 0x4b55, false},
      {"another type", "dns_reply_aaaa", "www.example.com", 0x4b55, false},
      {"a refusal that repeats no question", "dns_reply_refused", "www.example.com", 0x4b55, true},
  };
  for (const auto& c : kCases) {
    DnsQuery query;
    query.id = c.id;
    query.name = *DomainName::parse(c.name);
    EXPECT_EQ(answers_query(decoded(c.vector), query), c.answers) << c.says;
  }
}

TEST(AnswersOf, FollowsTheChainInOrderAndKeepsStrayRecords) {
  DnsMessage message;
  message.questions.push_back({"a.example", kDnsTypeA, kDnsClassIn});
  message.answers = {{"b.example", kDnsTypeCname, kDnsClassIn, 30, DnsTargetName{"c.example"}},
                     {"A.example", kDnsTypeCname, kDnsClassIn, 20, DnsTargetName{"b.example"}},
                     {"other.example", kDnsTypeA, kDnsClassIn, 10, address("203.0.113.1")}};
  const DnsAnswers answers = answers_of(message);
  EXPECT_THAT(answers.cnames, ElementsAre("b.example", "c.example"));
  EXPECT_THAT(answers.addresses, ElementsAre(address("203.0.113.1")));
  EXPECT_EQ(answers.ttl_seconds, 10u);
}

TEST(AnswersOf, EndsOnACnameLoop) {
  DnsMessage message;
  message.questions.push_back({"a.example", kDnsTypeA, kDnsClassIn});
  message.answers = {{"a.example", kDnsTypeCname, kDnsClassIn, 30, DnsTargetName{"b.example"}},
                     {"b.example", kDnsTypeCname, kDnsClassIn, 20, DnsTargetName{"a.example"}}};
  EXPECT_THAT(answers_of(message).cnames, ElementsAre("b.example", "a.example"));
}

TEST(ReplyTo, RepeatsIdQuestionAndEdns) {
  DnsQuery query;
  query.id = 77;
  query.name = *DomainName::parse("www.example.com");
  DnsMessage reply = reply_to(*decode_dns(encode_dns_query(query)), kDnsNoError);
  reply.answers.push_back(
      {"www.example.com", kDnsTypeA, kDnsClassIn, 300, address("203.0.113.66")});
  const auto message = decode_dns(*encode_dns(reply));
  ASSERT_TRUE(message);
  EXPECT_TRUE(answers_query(*message, query));
  EXPECT_TRUE(message->edns);
  EXPECT_THAT(answers_of(*message).addresses, ElementsAre(address("203.0.113.66")));
}

TEST(DecodeDns, KeepsWhatCameBeforeAFault) {
  Bytes bytes = vector_bytes("dns_reply_a");
  bytes.resize(bytes.size() - 11 - 8);  // without OPT, and the last address cut
  const auto message = decode_dns(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->fault, DnsFault::truncated);
  EXPECT_THAT(answers_of(*message).addresses, ElementsAre(address("203.0.113.11")));
}

TEST(DecodeDns, KeepsRecordsWhoseDataContradictTheirType) {
  // An A record of five bytes, then a sound one.
  const Bytes bytes = from_hex(
      "0001 8180 0001 0002 0000 0000 0161 00 0001 0001"
      "c00c 0001 0001 0000003c 0005 0102030405"
      "c00c 0001 0001 0000003c 0004 cb00710a");
  const auto message = decode_dns(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->fault, DnsFault::bad_rdata);
  EXPECT_EQ(std::get<DnsOpaque>(message->answers.at(0).data).data, from_hex("0102030405"));
  EXPECT_THAT(answers_of(*message).addresses, ElementsAre(address("203.0.113.10")));
}

struct DnsFaultCase {
  const char* says;
  const char* hex;
  DnsFault fault;
};

TEST(DecodeDns, GivesUpWhereNoQuestionCanBeRead) {
  const DnsFaultCase kCases[] = {
      {"eleven bytes", "0001 8180 0001 0000 0000 00", DnsFault::truncated},
      {"a question that is not there", "0001 8180 0001 0000 0000 0000", DnsFault::truncated},
      {"a question that points to itself", "0001 8180 0001 0000 0000 0000 c00c 0001 0001",
       DnsFault::bad_pointer},
      {"a question that points into the header", "0001 8180 0001 0000 0000 0000 c002 0001 0001",
       DnsFault::bad_name},
      {"five questions", "0001 8180 0005 0000 0000 0000 00 0001 0001",
       DnsFault::too_many_questions},
  };
  for (const auto& c : kCases) {
    const auto message = decode_dns(from_hex(c.hex));
    ASSERT_FALSE(message) << c.says;
    EXPECT_EQ(message.error(), c.fault) << c.says;
  }
}

TEST(DecodeDns, StopsAtTheLimitOfRecords) {
  Bytes bytes = from_hex("0001 8180 0000 0000 0000 0000");
  set_u16(bytes, 6, 1000);
  for (int i = 0; i < 1000; ++i) put_bytes(bytes, from_hex("00 0001 0001 00000000 0004 01020304"));
  const auto message = decode_dns(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->answers.size(), kDnsRecordsMax);
  EXPECT_EQ(message->fault, DnsFault::too_many_records);
}

// A reply with a client-subnet option 198.51.100.0/24 between an unknown option and the end.
Bytes reply_with_subnet() {
  DnsMessage message = decoded("dns_reply_a");
  message.edns->options = {{65001, from_hex("0102")},
                           {kDnsOptionClientSubnet, from_hex("0001 18 00 c63364")}};
  return *encode_dns(message);
}

TEST(ScrubClientSubnet, BlanksTheOptionAndNothingElse) {
  const Bytes before = reply_with_subnet();
  const ScrubbedDns scrubbed = scrub_client_subnet(before);
  EXPECT_EQ(scrubbed.blanked_bytes, 7u);
  EXPECT_EQ(scrubbed.cut_bytes, 0u);
  EXPECT_EQ(scrubbed.bytes.size(), before.size());
  EXPECT_EQ(as_text(scrubbed.bytes).find("\xc6\x33\x64"), std::string_view::npos);
  DnsMessage expected = *decode_dns(before);
  expected.edns->options[1] = {kDnsOptionPadding, Bytes(7)};
  EXPECT_EQ(*decode_dns(scrubbed.bytes), expected);
}

TEST(ScrubClientSubnet, LeavesOtherMessagesAsTheyAre) {
  for (const char* name : {"dns_reply_a", "dns_reply_nxdomain", "dns_reply_refused"}) {
    const Bytes bytes = vector_bytes(name);
    EXPECT_EQ(scrub_client_subnet(bytes).bytes, bytes) << name;
  }
}

TEST(ScrubClientSubnet, CutsWhatItCannotWalk) {
  const Bytes whole = reply_with_subnet();
  // The counts of the header deny the OPT record: its bytes are behind the last one that can be
  // read.
  Bytes bytes = whole;
  set_u16(bytes, 10, 0);
  ScrubbedDns scrubbed = scrub_client_subnet(bytes);
  EXPECT_EQ(as_text(scrubbed.bytes).find("\xc6\x33\x64"), std::string_view::npos);
  EXPECT_EQ(scrubbed.cut_bytes, 28u);
  // A broken record before it.
  bytes = whole;
  bytes[12] = 0xff;
  scrubbed = scrub_client_subnet(bytes);
  EXPECT_EQ(as_text(scrubbed.bytes).find("\xc6\x33\x64"), std::string_view::npos);
  // An option that claims to be longer than its record.
  bytes = whole;
  set_u16(bytes, bytes.size() - 9, 200);
  scrubbed = scrub_client_subnet(bytes);
  EXPECT_EQ(as_text(scrubbed.bytes).find("\xc6\x33\x64"), std::string_view::npos);
  EXPECT_EQ(scrub_client_subnet(from_hex("c63364")).bytes.size(), 0u);
}

}  // namespace
}  // namespace kua::wire
