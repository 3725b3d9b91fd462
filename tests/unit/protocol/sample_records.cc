#include "tests/unit/protocol/sample_records.h"

namespace kua::test {
namespace {

using std::chrono::microseconds;

WallTime at(const char* text) { return *parse_rfc3339(text); }

RecordHeader header() {
  RecordHeader header;
  header.id = *RecordId::parse("017e2a3b-4c5d-7e6f-8a9b-0c1d2e3f4a5b");
  header.probe = *ProbeId::parse("0f1e2d3c4b5a69788796a5b4c3d2e1f0");
  header.software = "kua-probe/0.1.0";
  header.time = at("2022-01-05T10:55:10Z");
  header.monotonic = MonotonicTime(microseconds(86'400'000'000));
  header.boot = "00112233445566ff";
  header.vantage.country = *CountryCode::parse("KZ");
  header.vantage.asn = Asn{64'500};
  header.vantage.network_type = NetworkType::fixed;
  header.vantage.resolver_class = ResolverClass::network;
  header.vantage.resolver_asn = Asn{64'500};
  return header;
}

template <typename Step>
Step step(const char* host, std::int64_t offset_us, std::int64_t duration_us) {
  Step out;
  out.host = host;
  out.offset = microseconds(offset_us);
  out.duration = microseconds(duration_us);
  return out;
}

DnsReply reply(std::int64_t offset_us, const char* address) {
  DnsReply out;
  out.offset = microseconds(offset_us);
  out.addresses = {*IpAddress::parse(address)};
  out.ttl_seconds = 300;
  out.raw = std::string(
      "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x07"
      "example\x03org\x00\x00\x01\x00\x01",
      29);
  return out;
}

Lookup lookup(ResolverEngine engine, std::int64_t offset_us) {
  auto out = step<Lookup>("example.org", offset_us, 21'400);
  out.engine = engine;
  out.resolver = engine == ResolverEngine::system ? "private" : "https://dns.example/dns-query";
  out.name = *DomainName::parse("example.org");
  out.reply = reply(offset_us + 21'000, "203.0.113.10");
  return out;
}

TlsHandshake handshake() {
  auto out = step<TlsHandshake>("example.org", 61'000, 88'000);
  out.endpoint = *Endpoint::parse("203.0.113.10:443", Transport::tcp);
  out.server_name = "example.org";
  out.version = "TLSv1.3";
  out.cipher = "TLS_AES_128_GCM_SHA256";
  out.alpn = "http/1.1";
  out.client_hello_sent = true;
  out.bytes_received = 4'312;
  out.trust = ChainTrust::trusted;
  Certificate leaf;
  leaf.sha256 = std::string(64, 'a');
  leaf.spki_sha256 = std::string(64, 'b');
  leaf.subject = "CN=example.org";
  leaf.issuer = "CN=Example CA,O=Example";
  out.chain = {leaf};
  return out;
}

HttpRoundTrip round_trip() {
  auto out = step<HttpRoundTrip>("example.org", 149'000, 120'500);
  out.endpoint = *Endpoint::parse("203.0.113.10:443", Transport::tcp);
  out.url = "https://example.org/";
  out.over_tls = true;
  out.request_sent = true;
  out.status = 200;
  out.headers = {{"Content-Type", "text/html; charset=utf-8"},
                 {"Server", "nginx"},
                 {"Date", "Wed, 05 Jan 2022 10:55:10 GMT"},
                 {"Cache-Control", "max-age=60"},
                 {"Strict-Transport-Security", "max-age=31536000; includeSubDomains"}};
  out.title = "Мысал — Example";
  out.bytes_received = 13'370;
  out.body_bytes = 51'200;
  out.body_sha256 = std::string(64, 'c');
  return out;
}

Measurement measurement() {
  Measurement out;
  out.header = header();
  out.experiment = "web_reachability";
  out.target = *TargetId::parse("web:https://example.org/");
  out.input = "https://example.org/";
  out.category = "NEWS";
  out.tier = Tier::core;
  out.link_state = LinkState::online;
  out.runtime = microseconds(270'000);
  out.bytes_sent = 1'892;
  out.bytes_received = 18'224;
  return out;
}

}  // namespace

Measurement usual_measurement() {
  auto out = measurement();
  auto connect = step<Connect>("example.org", 22'000, 38'700);
  connect.endpoint = *Endpoint::parse("203.0.113.10:443", Transport::tcp);
  out.observations = {lookup(ResolverEngine::system, 0), connect, handshake(), round_trip()};
  return out;
}

Measurement full_measurement() {
  auto out = measurement();
  out.header.role = ProbeRole::control;
  out.header.vantage.region = *Region::parse("KZ-75");
  out.header.origin = Origin{"ooni", "CC BY-NC-SA 4.0", "20220105105510.1_KZ_webconnectivity_1"};
  out.header.vantage.faults = {true, true, true, true, true};
  out.header.unknown = {{"battery", R"({"percent":81})"}, {"note", R"("kept")"}};
  out.validity = Validity::instrument;
  out.validity_reason = "no descriptors left";
  out.limits = {{"body_bytes_max", 1}, {"redirects_max", 2}};
  out.missing = {"ipv6", "raw_sockets"};

  auto forged = lookup(ResolverEngine::udp, 500);
  forged.type = QueryType::aaaa;
  forged.role = StepRole::trusted;
  forged.hop = 2;
  forged.reply->cnames = {"edge.example.net"};
  forged.late = {reply(400'000, "2001:db8::10"), reply(410'000, "203.0.113.11")};
  forged.unknown = {{"ip_ttl", "54"}};
  auto refused = step<Connect>("example.org", 23'000, 1'000);
  refused.endpoint = *Endpoint::parse("[2001:db8::10]:443", Transport::udp);
  refused.failure = Failure{FailureCode::host_unreachable, Operation::connect};
  refused.icmp = IcmpError{3, 13, IcmpOrigin::path};
  auto intercepted = handshake();
  intercepted.failure = Failure{FailureCode::ssl_failed_handshake, Operation::tls_handshake};
  intercepted.alert = 40;
  intercepted.trust = ChainTrust::self_signed;
  intercepted.chain.front().der = std::string("\x30\x82\x00\xff", 4);
  auto page = round_trip();
  page.method = "HEAD";
  page.body_truncated = true;
  page.body_sample = std::string("<html>\0\xff", 8);
  auto look = step<LinkCheck>("", 300'000, 9'000);
  look.subject = LinkSubject::national;
  look.target = "control:national-1";
  look.reached = true;
  look.server_date = at("2022-01-05T10:55:11Z");
  auto quic = step<QuicHandshake>("example.org", 310'000, 61'000);
  quic.role = StepRole::same_address;
  quic.endpoint = *Endpoint::parse("203.0.113.10:443", Transport::udp);
  quic.failure = Failure{FailureCode::ssl_failed_handshake, Operation::quic_handshake};
  quic.server_name = "harmless.example";
  quic.version = "QUICv1";
  quic.cipher = "TLS_AES_128_GCM_SHA256";
  quic.alpn = "h3";
  quic.close_code = 0x128;
  quic.initial_sent = true;
  quic.replies = 2;
  quic.bytes_received = 2'400;
  quic.trust = ChainTrust::self_signed;
  quic.chain = intercepted.chain;
  auto ping = step<QuicPing>("example.org", 380'000, 20'000);
  ping.role = StepRole::witness;
  ping.endpoint = *Endpoint::parse("[2001:db8::10]:443", Transport::udp);
  ping.versions = {1, 0x6b3343cf};
  ping.bytes_received = 35;
  const UnknownObservation unknown{"path_trace",
                                   R"({"kind":"path_trace","offset_us":1,"x":[null,1.5]})"};
  out.observations = {forged, refused, intercepted, page, look, quic, ping, unknown};
  return out;
}

MinuteSummary usual_summary() {
  MinuteSummary out;
  out.header = header();
  out.header.time = at("2022-01-05T00:00:00Z");
  out.revision = 7;
  for (std::size_t i = 0; i < kMinutesPerDay; ++i) {
    out.watched[i] = i % 97 != 0;
    out.link_up[i] = true;
    out.gateway[i] = i < 1'380;
    out.resolver[i] = i < 655;
    out.national[i] = i % 5 != 0;
    out.international[i] = i < 654;
  }
  return out;
}

}  // namespace kua::test
