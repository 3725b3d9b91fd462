#include "wire/ip_builder.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"

namespace kua::wire {
namespace {

IpHeader header(const char* source, const char* destination) {
  IpHeader out;
  out.source = *IpAddress::parse(source);
  out.destination = *IpAddress::parse(destination);
  out.hop_limit = 57;
  out.identification = 0x1234;
  return out;
}

// Decoded and built again, a kernel's packets are the same bytes.
TEST(Encode, RebuildsKernelPacketsByteForByte) {
  for (const char* name :
       {"ip_tcp4_syn", "ip_tcp4_rst", "ip_udp4_query", "ip_icmp4_port_unreachable",
        "ip_icmp4_time_exceeded", "ip_icmp6_port_unreachable"}) {
    Bytes bytes = vector_bytes(name);
    if (bytes[0] >> 4 == 6) bytes[1] &= 0xf0, bytes[2] = bytes[3] = 0;  // the flow label
    const auto ip = decode_ip(bytes);
    ASSERT_TRUE(ip) << name;
    Bytes again;
    if (ip->header.protocol == kProtocolTcp)
      again = encode_tcp(ip->header, *decode_tcp(ip->payload));
    if (ip->header.protocol == kProtocolUdp)
      again = encode_udp(ip->header, *decode_udp(ip->payload));
    if (ip->header.protocol == kProtocolIcmp || ip->header.protocol == kProtocolIcmpV6) {
      again = encode_icmp(ip->header, *decode_icmp(ip->payload));
    }
    EXPECT_EQ(again, bytes) << name;
  }
}

TEST(Encode, ChecksumsHoldForOddAndEmptyPayloadsOfBothFamilies) {
  const std::pair<const char*, const char*> kPairs[] = {{"198.18.0.1", "203.0.113.10"},
                                                        {"2001:db8::1", "2001:db8::10"}};
  for (const auto& [source, destination] : kPairs) {
    for (const std::string_view text : {"", "a", "ab", "abc"}) {
      TcpSegment segment{.source_port = 1,
                         .destination_port = 2,
                         .sequence = 3,
                         .acknowledgement = 4,
                         .flags = kTcpPsh | kTcpAck,
                         .window = 5,
                         .urgent = 0,
                         .options = {},
                         .payload = as_bytes(text)};
      EXPECT_TRUE(checksums_hold(encode_tcp(header(source, destination), segment)))
          << source << text;
      EXPECT_TRUE(checksums_hold(encode_udp(header(source, destination), {1, 2, as_bytes(text)})));
      EXPECT_TRUE(
          checksums_hold(encode_icmp(header(source, destination), {8, 0, 9, as_bytes(text)})));
    }
  }
}

TEST(EncodeUdp, NeverSendsAZeroChecksum) {
  // Two bytes of payload chosen so that the sum comes out as all ones.
  UdpDatagram datagram{1, 2, {}};
  Bytes payload = {0, 0};
  datagram.payload = payload;
  const Bytes plain = encode_udp(header("10.0.0.1", "10.0.0.2"), datagram);
  payload = {plain[26], plain[27]};
  datagram.payload = payload;
  const Bytes packet = encode_udp(header("10.0.0.1", "10.0.0.2"), datagram);
  EXPECT_EQ(packet[26], 0xff);
  EXPECT_EQ(packet[27], 0xff);
  EXPECT_TRUE(checksums_hold(packet));
}

TEST(AnswerTo, MakesAResetThatTheSenderAccepts) {
  const Bytes bytes = vector_bytes("ip_tcp4_syn");
  const auto syn = decode_ip(bytes);
  const auto segment = decode_tcp(syn->payload);
  const TcpSegment refusal = answer_to(*segment, kTcpRst | kTcpAck);
  EXPECT_EQ(refusal.sequence, 0u);
  EXPECT_EQ(refusal.acknowledgement, segment->sequence + 1);
  EXPECT_EQ(refusal.destination_port, segment->source_port);

  TcpSegment data = *segment;
  data.flags = kTcpPsh | kTcpAck;
  data.acknowledgement = 7000;
  data.sequence = 0xfffffffe;
  const std::string_view text = "hello";
  data.payload = as_bytes(text);
  const TcpSegment reset = answer_to(data, kTcpRst | kTcpAck);
  EXPECT_EQ(reset.sequence, 7000u);
  EXPECT_EQ(reset.acknowledgement, 3u);  // the sequence space wraps

  const IpHeader back = answer_to(syn->header, 61);
  EXPECT_EQ(back.source, syn->header.destination);
  EXPECT_EQ(back.destination, syn->header.source);
  EXPECT_EQ(back.hop_limit, 61);
}

TEST(EncodeIcmpError, QuotesAsMuchAsTheStandardAllows) {
  const std::string long_text(1400, 'x');
  const UdpDatagram datagram{53, 53, as_bytes(long_text)};
  const Bytes four = encode_udp(header("198.18.0.1", "203.0.113.10"), datagram);
  const Bytes six = encode_udp(header("2001:db8::1", "2001:db8::10"), datagram);
  const auto router4 = *IpAddress::parse("198.18.0.254");
  const auto router6 = *IpAddress::parse("2001:db8::fe");

  const Bytes error4 = encode_icmp_error(router4, 63, IcmpError::admin_prohibited, four);
  EXPECT_EQ(error4.size(), 576u);
  EXPECT_TRUE(checksums_hold(error4));
  const auto outer = decode_ip(error4);
  EXPECT_EQ(outer->header.source, router4);
  const auto icmp = decode_icmp(outer->payload);
  EXPECT_EQ(icmp->type, kIcmpUnreachable);
  EXPECT_EQ(icmp->code, kIcmpCodeAdminProhibited);
  EXPECT_EQ(decode_ip(icmp->payload, Extent::cut)->header.destination,
            *IpAddress::parse("203.0.113.10"));

  const Bytes error6 = encode_icmp_error(router6, 63, IcmpError::time_exceeded, six);
  EXPECT_EQ(error6.size(), 1280u);
  EXPECT_TRUE(checksums_hold(error6));
  EXPECT_EQ(decode_icmp(decode_ip(error6)->payload)->type, kIcmpV6TimeExceeded);
}

TEST(DecrementHopLimit, KeepsTheChecksumRightDownToTheLastHop) {
  Bytes four = encode_udp(header("198.18.0.1", "203.0.113.10"), {1, 2, {}});
  four[8] = 255;
  set_u16(four, 10, 0);
  set_u16(four, 10, internet_checksum(BytesView(four).first(20)));
  for (int limit = 254; limit >= 1; --limit) {
    ASSERT_TRUE(decrement_hop_limit(four));
    ASSERT_EQ(four[8], limit);
    ASSERT_TRUE(checksums_hold(four)) << limit;
  }
  const Bytes before = four;
  EXPECT_FALSE(decrement_hop_limit(four));
  EXPECT_EQ(four, before);

  Bytes six = encode_udp(header("2001:db8::1", "2001:db8::10"), {1, 2, {}});
  ASSERT_TRUE(decrement_hop_limit(six));
  EXPECT_EQ(six[7], 56);
  EXPECT_TRUE(checksums_hold(six));
  Bytes nothing = from_hex("00");
  EXPECT_FALSE(decrement_hop_limit(nothing));
}

}  // namespace
}  // namespace kua::wire
