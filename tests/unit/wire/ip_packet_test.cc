#include "wire/ip_packet.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/vector.h"

namespace kua::wire {
namespace {

IpAddress address(const char* text) { return *IpAddress::parse(text); }

struct SynCase {
  const char* vector;
  const char* source;
  const char* destination;
};

TEST(DecodeIp, ReadsAKernelsSynOverBothFamilies) {
  const SynCase kCases[] = {{"ip_tcp4_syn", "198.18.0.1", "198.18.0.2"},
                            {"ip_tcp6_syn", "2001:db8::1", "2001:db8::2"}};
  for (const auto& c : kCases) {
    const Bytes bytes = vector_bytes(c.vector);
    const auto ip = decode_ip(bytes);
    ASSERT_TRUE(ip) << c.vector;
    EXPECT_EQ(ip->header.source, address(c.source));
    EXPECT_EQ(ip->header.destination, address(c.destination));
    EXPECT_EQ(ip->header.protocol, kProtocolTcp);
    EXPECT_EQ(ip->header.hop_limit, 64);
    EXPECT_TRUE(ip->header.dont_fragment);
    const auto tcp = decode_tcp(ip->payload);
    ASSERT_TRUE(tcp);
    EXPECT_EQ(tcp->destination_port, 443);
    EXPECT_EQ(tcp->flags, kTcpSyn);
    EXPECT_EQ(tcp->options.size(), 20u);
    EXPECT_TRUE(tcp->payload.empty());
    EXPECT_EQ(tcp->sequence_length(), 1u);
    EXPECT_TRUE(checksums_hold(bytes));
  }
}

TEST(DecodeIp, ReadsDatagramsAndWhatIcmpQuotes) {
  const Bytes query = vector_bytes("ip_udp4_query");
  const auto ip = decode_ip(query);
  ASSERT_TRUE(ip);
  const auto udp = decode_udp(ip->payload);
  ASSERT_TRUE(udp);
  EXPECT_EQ(udp->destination_port, 53);
  EXPECT_EQ(udp->payload.size(), 44u);

  for (const char* name : {"ip_icmp4_port_unreachable", "ip_icmp6_port_unreachable"}) {
    const Bytes error = vector_bytes(name);
    const auto outer = decode_ip(error);
    ASSERT_TRUE(outer) << name;
    const auto icmp = decode_icmp(outer->payload);
    ASSERT_TRUE(icmp) << name;
    const Family family = outer->header.source.family();
    EXPECT_EQ(icmp->type, family == Family::ip4 ? kIcmpUnreachable : kIcmpV6Unreachable);
    EXPECT_EQ(icmp->code,
              family == Family::ip4 ? kIcmpCodePortUnreachable : kIcmpV6CodePortUnreachable);
    EXPECT_TRUE(icmp_quotes_a_packet(family, icmp->type));
    const auto quoted = decode_ip(icmp->payload, Extent::cut);
    ASSERT_TRUE(quoted) << name;
    EXPECT_EQ(quoted->header.source, outer->header.destination);
    const auto datagram = decode_udp(quoted->payload, Extent::cut);
    ASSERT_TRUE(datagram) << name;
    EXPECT_EQ(datagram->source_port, 53);
    EXPECT_EQ(as_text(datagram->payload), "abc");
  }
}

TEST(DecodeIp, KnowsFragments) {
  const Bytes last_bytes = vector_bytes("ip_udp4_last_fragment");
  const auto last = decode_ip(last_bytes);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->header.fragment_offset, 1480);
  EXPECT_FALSE(last->header.more_fragments);
  const Bytes first_bytes = vector_bytes("ip_udp6_first_fragment");
  const auto first = decode_ip(first_bytes);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->header.fragment_offset, 0);
  EXPECT_TRUE(first->header.more_fragments);
  EXPECT_EQ(first->header.protocol, kProtocolUdp);
}

TEST(ChecksumsHold, OnKernelPacketsAndOnNoneOfTheirCorruptions) {
  for (const char* name :
       {"ip_tcp4_rst", "ip_tcp6_syn", "ip_udp4_query", "ip_udp6_odd", "ip_icmp4_port_unreachable",
        "ip_icmp4_time_exceeded", "ip_icmp6_port_unreachable"}) {
    Bytes bytes = vector_bytes(name);
    ASSERT_TRUE(checksums_hold(bytes)) << name;
    bytes.back() ^= 0x01;
    EXPECT_FALSE(checksums_hold(bytes)) << name;
    bytes.back() ^= 0x01;
    bytes[15] ^= 0x80;  // an address
    EXPECT_FALSE(checksums_hold(bytes)) << name;
  }
}

struct FaultCase {
  const char* says;
  const char* hex;
  PacketFault fault;
};

TEST(DecodeIp, NamesWhatIsWrong) {
  const FaultCase kCases[] = {
      {"nothing at all", "", PacketFault::truncated},
      {"version 5", "55000014", PacketFault::not_ip},
      {"an IPv4 header of 16 bytes", "4400001400000000400600000a0000010a000002",
       PacketFault::bad_length},
      {"a total length below the header's", "4500001300000000400600000a0000010a000002",
       PacketFault::bad_length},
      {"a total length beyond the bytes", "4500001500000000400600000a0000010a000002",
       PacketFault::truncated},
      {"options that are not there", "4600001800000000400600000a0000010a000002",
       PacketFault::truncated},
      {"an IPv6 header cut short", "600000000000", PacketFault::truncated},
  };
  for (const auto& c : kCases) {
    const Bytes bytes = from_hex(c.hex);
    const auto ip = decode_ip(bytes);
    ASSERT_FALSE(ip) << c.says;
    EXPECT_EQ(ip.error(), c.fault) << c.says;
  }
}

TEST(DecodeIp, WalksAFewExtensionHeadersAndNoMore) {
  // Hop-by-hop headers of eight bytes, one behind the other, then UDP.
  const auto packet = [](int count) {
    Bytes out = from_hex(
        "60000000 0000 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002");
    for (int i = 0; i < count; ++i) {
      const std::uint8_t next = i + 1 == count ? kProtocolUdp : 0;
      put_bytes(out, Bytes{next, 0, 1, 4, 0, 0, 0, 0});
    }
    put_bytes(out, from_hex("0035 1234 0009 0000 61"));
    set_u16(out, 4, static_cast<std::uint16_t>(out.size() - 40));
    return out;
  };
  const Bytes few = packet(8);
  const auto ip = decode_ip(few);
  ASSERT_TRUE(ip);
  EXPECT_EQ(ip->header.protocol, kProtocolUdp);
  EXPECT_EQ(as_text(decode_udp(ip->payload)->payload), "a");
  const Bytes many = packet(9);
  EXPECT_EQ(decode_ip(many).error(), PacketFault::too_many_extensions);
}

TEST(DecodeIp, LeavesLinkPaddingOut) {
  Bytes bytes = vector_bytes("ip_tcp4_rst");
  bytes.resize(bytes.size() + 6);  // Ethernet's minimum
  const auto ip = decode_ip(bytes);
  ASSERT_TRUE(ip);
  EXPECT_EQ(ip->payload.size(), 20u);
  EXPECT_EQ(decode_tcp(ip->payload)->flags, kTcpRst | kTcpAck);
}

TEST(DecodeTcp, NeedsEightBytesOfAQuoteAndAWholeHeaderElsewhere) {
  const Bytes header = from_hex("01bb c000 00000001 00000002 5014 0000 0000 0000");
  EXPECT_EQ(decode_tcp(BytesView(header).first(8), Extent::cut)->sequence, 1u);
  EXPECT_EQ(decode_tcp(BytesView(header).first(7), Extent::cut).error(), PacketFault::truncated);
  EXPECT_EQ(decode_tcp(BytesView(header).first(19)).error(), PacketFault::truncated);
  EXPECT_EQ(decode_tcp(header)->flags, kTcpRst | kTcpAck);
  Bytes longer = header;
  longer[12] = 0x60;  // four bytes of options that are not there
  EXPECT_EQ(decode_tcp(longer).error(), PacketFault::truncated);
  longer[12] = 0x40;
  EXPECT_EQ(decode_tcp(longer).error(), PacketFault::bad_length);
}

TEST(DecodeUdp, RefusesLengthsThatCannotBe) {
  const Bytes too_short = from_hex("0035 0035 0007 0000");
  EXPECT_EQ(decode_udp(too_short).error(), PacketFault::bad_length);
  const Bytes cut = from_hex("0035 0035 0009 0000");
  EXPECT_EQ(decode_udp(cut).error(), PacketFault::truncated);
  EXPECT_TRUE(decode_udp(cut, Extent::cut)->payload.empty());
}

}  // namespace
}  // namespace kua::wire
