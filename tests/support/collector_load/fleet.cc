#include "tests/support/collector_load/fleet.h"

#include <array>

#include "protocol/api.h"

namespace kua::load {
namespace {

constexpr std::size_t kSites = 110;
constexpr std::array<std::uint32_t, 20> kNetworks = {9198,  29555, 206026, 21299, 48503, 35104, 50482,
                                                     41798, 15549, 43994,  42,    64500, 64501, 64502,
                                                     64503, 64504, 64505,  64506, 64507, 64508};
constexpr std::array<const char*, 5> kIssuers = {"CN=R11,O=Let's Encrypt,C=US", "CN=E5,O=Let's Encrypt,C=US",
                                                 "CN=DigiCert TLS RSA SHA256 2020 CA1,O=DigiCert Inc,C=US",
                                                 "CN=GlobalSign RSA OV SSL CA 2018,O=GlobalSign nv-sa,C=BE",
                                                 "CN=WE1,O=Google Trust Services,C=US"};
constexpr std::array<const char*, 4> kCategories = {"NEWS", "GRP", "COMT", "HUMR"};

std::string host_of(std::size_t site) { return "www.site-" + std::to_string(site) + ".example"; }

std::int64_t milliseconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Fleet::Fleet(std::size_t probes, std::uint64_t seed) : state_(seed), probes_(probes) {}

// SplitMix64: any seed will do.
std::uint64_t Fleet::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Microseconds Fleet::duration(std::uint32_t around_us) { return Microseconds(around_us / 2 + below(around_us)); }

std::string Fleet::hex(std::size_t digits) {
  std::string out;
  while (out.size() < digits) {
    const std::uint64_t word = next();
    for (int shift = 0; shift < 64 && out.size() < digits; shift += 4) out += "0123456789abcdef"[(word >> shift) & 15];
  }
  return out;
}

std::string Fleet::bytes(std::size_t count) {
  std::string out;
  while (out.size() < count) out += static_cast<char>(next());
  return out;
}

RecordHeader Fleet::header(const FleetProbe& probe, WallTime time, WallTime born) {
  RecordHeader header;
  RecordId::Bytes random{};
  for (auto& byte : random) byte = static_cast<std::uint8_t>(next());
  header.id = RecordId::make(milliseconds_of(born), random);
  header.probe = probe.id;
  header.software = "kua-probe/0.1.0";
  header.time = floor_to(time, std::chrono::seconds(10));
  header.monotonic = floor_to(MonotonicTime(std::chrono::hours(1000) + (time.time_since_epoch() % std::chrono::hours(24))),
                              std::chrono::seconds(10));
  header.boot = probe.id.text().substr(0, 16);
  header.vantage.country = *CountryCode::parse("KZ");
  header.vantage.asn = Asn{kNetworks[static_cast<std::uint8_t>(probe.id.text()[0]) % kNetworks.size()]};
  header.vantage.network_type = NetworkType::fixed;
  header.vantage.resolver_class = ResolverClass::network;
  header.vantage.resolver_asn = header.vantage.asn;
  return header;
}

void Fleet::add_lookup(Measurement& out, const std::string& host) {
  Lookup lookup;
  lookup.host = host;
  lookup.offset = Microseconds(below(2000));
  lookup.duration = duration(25'000);
  lookup.resolver = "private";
  lookup.name = *DomainName::parse(host);
  DnsReply reply;
  reply.offset = lookup.offset + lookup.duration;
  reply.addresses = {*IpAddress::parse("203.0.113." + std::to_string(below(250) + 1))};
  reply.ttl_seconds = static_cast<std::uint32_t>(60 + below(3600));
  reply.raw = bytes(64);
  lookup.reply = reply;
  out.observations.emplace_back(lookup);
}

void Fleet::add_connection(Measurement& out, const std::string& host) {
  const Endpoint endpoint{*IpAddress::parse("203.0.113." + std::to_string(below(250) + 1)), 443, Transport::tcp};
  Connect connect;
  connect.host = host;
  connect.offset = duration(40'000);
  connect.duration = duration(60'000);
  connect.endpoint = endpoint;
  out.observations.emplace_back(connect);
  TlsHandshake handshake;
  handshake.host = host;
  handshake.offset = connect.offset + connect.duration;
  handshake.duration = duration(80'000);
  handshake.endpoint = endpoint;
  handshake.server_name = host;
  handshake.client_hello_sent = true;
  if (below(10) == 0) {
    handshake.failure = Failure{FailureCode::connection_reset, Operation::tls_handshake};
    out.observations.emplace_back(handshake);
    return;
  }
  handshake.version = "TLSv1.3";
  handshake.cipher = "TLS_AES_256_GCM_SHA384";
  handshake.alpn = "http/1.1";
  handshake.bytes_received = 3000 + below(2000);
  handshake.trust = ChainTrust::trusted;
  const char* issuer = kIssuers[below(kIssuers.size())];
  handshake.chain = {{hex(64), hex(64), "CN=" + host, issuer, ""}, {hex(64), hex(64), issuer, "CN=ISRG Root X1", ""}};
  out.observations.emplace_back(handshake);
  HttpRoundTrip trip;
  trip.host = host;
  trip.offset = handshake.offset + handshake.duration;
  trip.duration = duration(120'000);
  trip.endpoint = endpoint;
  trip.url = "https://" + host + "/";
  trip.over_tls = true;
  trip.request_sent = true;
  trip.status = 200;
  trip.headers = {{"Content-Type", "text/html; charset=utf-8"}, {"Server", "nginx"},
                  {"Content-Length", std::to_string(900 + below(90'000))}};
  trip.body_bytes = 900 + below(90'000);
  trip.body_sha256 = hex(64);
  out.observations.emplace_back(trip);
}

Measurement Fleet::measurement(const FleetProbe& probe, WallTime time) {
  Measurement out;
  out.header = header(probe, time, time);
  const std::size_t site = below(kSites);
  const std::string host = host_of(site);
  out.experiment = "web_reachability";
  out.input = "https://" + host + "/";
  out.target = *TargetId::parse("web:" + out.input);
  out.category = kCategories[site % kCategories.size()];
  out.tier = site < 12 ? Tier::key : Tier::core;
  out.link_state = LinkState::online;
  out.runtime = duration(400'000);
  out.bytes_sent = 1500 + below(500);
  out.bytes_received = 6000 + below(20'000);
  add_lookup(out, host);
  add_connection(out, host);
  return out;
}

MinuteSummary Fleet::summary(const FleetProbe& probe, WallTime day, WallTime born) {
  MinuteSummary out;
  out.header = header(probe, day, born);
  out.header.time = day;
  out.revision = 1;
  const std::size_t cut_begin = below(kMinutesPerDay);
  const std::size_t cut_end = cut_begin + 30 + below(300);
  for (std::size_t minute = 0; minute < kMinutesPerDay; ++minute) {
    const bool cut = minute >= cut_begin && minute < cut_end;
    out.watched.set(minute, below(50) != 0);
    out.link_up.set(minute);
    out.gateway.set(minute);
    out.resolver.set(minute, !cut);
    out.national.set(minute, !cut || below(3) == 0);
    out.international.set(minute, !cut);
  }
  return out;
}

std::string signed_post(const FleetProbe& probe, std::string_view path, std::string_view body) {
  const auto signature = probe.key.sign(protocol::request_signing_input("POST", path, body));
  std::string out = "POST " + std::string(path) + " HTTP/1.1\r\nHost: collector\r\n";
  out += std::string(protocol::kProbeHeader) + ": " + probe.id.text() + "\r\n";
  out += std::string(protocol::kSignatureHeader) + ": " +
         platform::to_base64({reinterpret_cast<const char*>(signature.data()), signature.size()}) + "\r\n";
  out += "Content-Type: application/zstd\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  out += body;
  return out;
}

std::string enrolment_of(const FleetProbe& probe) {
  protocol::Enrolment enrolment;
  const platform::PublicKey& key = probe.key.public_key();
  enrolment.public_key = platform::to_base64url({reinterpret_cast<const char*>(key.data()), key.size()});
  enrolment.country = *CountryCode::parse("KZ");
  enrolment.software = "kua-probe/0.1.0";
  return protocol::write_enrolment(enrolment);
}

}  // namespace kua::load
