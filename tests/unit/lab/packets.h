// Packets of a conversation between a probe and a server, for the tests of the lab's path.
#pragma once

#include <string>
#include <string_view>

#include "tests/lab/forwarder/sight.h"
#include "wire/client_hello.h"
#include "wire/dns_message.h"
#include "wire/ip_builder.h"

namespace kua::lab::test {

inline const IpAddress kProbe = *IpAddress::parse("198.18.1.2");
inline const IpAddress kServer = *IpAddress::parse("203.0.113.10");
inline const IpAddress kProbe6 = *IpAddress::parse("2001:db8:100::2");
inline const IpAddress kServer6 = *IpAddress::parse("2001:db8::10");
inline const IpAddress kResolver = *IpAddress::parse("198.18.0.53");

inline constexpr std::uint32_t kClientIsn = 1000;
inline constexpr std::uint32_t kServerIsn = 50000;

inline MonotonicTime at_seconds(double seconds) {
  return MonotonicTime(Microseconds(static_cast<std::int64_t>(seconds * 1e6)));
}

// One TCP connection. Sequence numbers advance as its packets are made.
class Conversation {
 public:
  explicit Conversation(std::uint16_t client_port = 40000, std::uint16_t server_port = 443,
                        IpAddress client = kProbe, IpAddress server = kServer)
      : client_port_(client_port), server_port_(server_port), client_(client), server_(server) {}

  wire::Bytes syn() { return from_client(wire::kTcpSyn, {}); }
  wire::Bytes syn_ack() { return from_server(wire::kTcpSyn | wire::kTcpAck, {}); }
  wire::Bytes client_says(std::string_view bytes) {
    return from_client(wire::kTcpAck | wire::kTcpPsh, wire::as_bytes(bytes));
  }
  wire::Bytes client_says(wire::BytesView bytes) {
    return from_client(wire::kTcpAck | wire::kTcpPsh, bytes);
  }
  wire::Bytes server_says(std::string_view bytes) {
    return from_server(wire::kTcpAck | wire::kTcpPsh, wire::as_bytes(bytes));
  }
  wire::Bytes from_client(std::uint8_t flags, wire::BytesView payload) {
    wire::TcpSegment segment;
    segment.source_port = client_port_;
    segment.destination_port = server_port_;
    segment.sequence = client_next_;
    segment.acknowledgement = (flags & wire::kTcpAck) != 0 ? server_next_ : 0;
    segment.flags = flags;
    segment.payload = payload;
    client_next_ += segment.sequence_length();
    return wire::encode_tcp(header(client_, server_), segment);
  }
  wire::Bytes from_server(std::uint8_t flags, wire::BytesView payload) {
    wire::TcpSegment segment;
    segment.source_port = server_port_;
    segment.destination_port = client_port_;
    segment.sequence = server_next_;
    segment.acknowledgement = client_next_;
    segment.flags = flags;
    segment.payload = payload;
    server_next_ += segment.sequence_length();
    return wire::encode_tcp(header(server_, client_), segment);
  }
  [[nodiscard]] std::uint32_t client_next() const { return client_next_; }
  [[nodiscard]] std::uint32_t server_next() const { return server_next_; }

  static wire::IpHeader header(const IpAddress& source, const IpAddress& destination) {
    wire::IpHeader out;
    out.source = source;
    out.destination = destination;
    return out;
  }

 private:
  std::uint16_t client_port_;
  std::uint16_t server_port_;
  IpAddress client_;
  IpAddress server_;
  std::uint32_t client_next_ = kClientIsn;
  std::uint32_t server_next_ = kServerIsn;
};

inline wire::Bytes hello_for(std::string_view name) {
  wire::ClientHelloRequest request;
  request.server_name = std::string(name);
  request.alpn = {"http/1.1"};
  return wire::encode_client_hello(request);
}

inline wire::Bytes question(std::string_view name, std::uint16_t type = wire::kDnsTypeA,
                            IpAddress resolver = kResolver) {
  wire::DnsQuery query;
  query.id = 7;
  query.name = *DomainName::parse(name);
  query.type = type;
  const wire::Bytes bytes = wire::encode_dns_query(query);
  return wire::encode_udp(Conversation::header(kProbe, resolver), {5353, 53, bytes});
}

inline wire::Bytes echo(const IpAddress& to, std::uint8_t hop_limit = 64) {
  wire::IpHeader header = Conversation::header(kProbe, to);
  header.hop_limit = hop_limit;
  wire::IcmpMessage message;
  message.type = wire::kIcmpEcho;
  return wire::encode_icmp(header, message);
}

}  // namespace kua::lab::test
