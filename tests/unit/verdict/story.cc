#include "tests/unit/verdict/story.h"

namespace kua::verdict::test {
namespace {

std::string hex_of(const char* word) {  // a stand-in for a digest: the word, padded to 64 digits
  std::string out;
  for (const char* c = word; *c != 0; ++c) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[(*c >> 4) & 15];
    out += kDigits[*c & 15];
  }
  out.resize(64, '0');
  return out;
}

std::vector<Certificate> chain(const char* key, const char* authority) {
  Certificate leaf;
  leaf.spki_sha256 = hex_of(key);
  leaf.sha256 = hex_of(key);
  leaf.subject = "CN=www.example.com";
  leaf.issuer = std::string("CN=") + authority;
  Certificate signer;
  signer.spki_sha256 = hex_of(authority);
  signer.sha256 = hex_of(authority);
  signer.subject = signer.issuer = leaf.issuer;
  return {leaf, signer};
}

}  // namespace

Story::Story() {
  measurement.experiment = "web_reachability";
  measurement.input = "https://www.example.com/";
  measurement.link_state = LinkState::online;
  measurement.header.vantage.resolver_class = ResolverClass::network;
  measurement.header.vantage.country = CountryCode::parse("KZ").value();
}

template <typename Step>
Step& Story::add(Step step) {
  step.host = host_;
  step.hop = hop_;
  step.role = role_;
  step.offset = clock_;
  step.duration = Microseconds(20'000);
  clock_ += role_ == StepRole::residual ? Microseconds(130'000'000) : Microseconds(50'000);
  if (role_ == StepRole::residual) {
    step.offset = clock_;
    clock_ += Microseconds(50'000);
  }
  measurement.observations.emplace_back(std::move(step));
  return std::get<Step>(measurement.observations.back());
}

Story& Story::host(const char* name, std::uint32_t hop) {
  host_ = name;
  hop_ = hop;
  return *this;
}

Story& Story::answers(ResolverEngine engine, std::vector<const char*> addresses, QueryType type) {
  rcode(engine, 0, type);
  auto& step = std::get<Lookup>(measurement.observations.back());
  for (const char* address : addresses) step.reply->addresses.push_back(ip(address));
  if (addresses.empty()) step.failure = failure(FailureCode::dns_no_answer, Operation::resolve);
  else step.failure.reset();
  return *this;
}

Story& Story::through(const char* cname) {
  std::get<Lookup>(measurement.observations.back()).reply->cnames.emplace_back(cname);
  return *this;
}

Story& Story::rcode(ResolverEngine engine, std::uint16_t rcode, QueryType type) {
  Lookup step;
  step.engine = engine;
  step.type = type;
  step.resolver = engine == ResolverEngine::doh ? "https://dns.example/dns-query" : "198.18.5.53:53";
  step.name = DomainName::parse(role_ == StepRole::same_address ? kHarmless : host_.c_str()).value();
  step.reply.emplace().rcode = rcode;
  if (rcode == 3) step.failure = failure(FailureCode::dns_nxdomain_error, Operation::resolve);
  if (rcode == 2) step.failure = failure(FailureCode::dns_servfail_error, Operation::resolve);
  if (rcode == 5) step.failure = failure(FailureCode::dns_refused_error, Operation::resolve);
  add(std::move(step));
  return *this;
}

Story& Story::no_answer(ResolverEngine engine, QueryType type) {
  rcode(engine, 0, type);
  auto& step = std::get<Lookup>(measurement.observations.back());
  step.reply.reset();
  step.failure = failure(kSilence, Operation::resolve);
  return *this;
}

Story& Story::then_came(std::vector<const char*> addresses) {
  DnsReply reply;
  for (const char* address : addresses) reply.addresses.push_back(ip(address));
  std::get<Lookup>(measurement.observations.back()).late.push_back(std::move(reply));
  return *this;
}

Story& Story::connects(const char* address, std::uint16_t port) {
  Connect step;
  step.endpoint = {ip(address), port, Transport::tcp};
  add(std::move(step));
  return *this;
}

Story& Story::no_connect(const char* address, FailureCode code, std::uint16_t port) {
  connects(address, port);
  std::get<Connect>(measurement.observations.back()).failure = failure(code, Operation::connect);
  return *this;
}

Story& Story::prohibited(const char* address, IcmpOrigin origin, std::uint16_t port) {
  no_connect(address, FailureCode::host_unreachable, port);
  const bool six = ip(address).family() == Family::ip6;
  std::get<Connect>(measurement.observations.back()).icmp =
      six ? IcmpError{1, 1, origin} : IcmpError{3, 13, origin};
  return *this;
}

Story& Story::shakes(const char* address, const char* key, const char* authority) {
  return presents(address, ChainTrust::trusted, key, authority);
}

Story& Story::presents(const char* address, ChainTrust trust, const char* key, const char* authority) {
  connects(address);
  TlsHandshake step;
  step.endpoint = {ip(address), 443, Transport::tcp};
  step.server_name = role_ == StepRole::same_address || role_ == StepRole::residual ? kHarmless : host_;
  step.version = "TLSv1.3";
  step.client_hello_sent = true;
  step.bytes_received = 3000;
  step.trust = trust;
  step.chain = chain(key, authority);
  add(std::move(step));
  return *this;
}

Story& Story::cut(const char* address, FailureCode code, std::uint64_t bytes) {
  presents(address, ChainTrust::not_presented, "", "");
  auto& step = std::get<TlsHandshake>(measurement.observations.back());
  step.version.clear();
  step.chain.clear();
  step.bytes_received = bytes;
  step.failure = failure(code, Operation::tls_handshake);
  return *this;
}

Story& Story::alerted(const char* address, std::uint8_t alert) {
  cut(address, kTlsFailed, 7);
  std::get<TlsHandshake>(measurement.observations.back()).alert = alert;
  return *this;
}

Story& Story::page(const char* address, std::uint16_t status, const char* title, std::uint64_t bytes,
                   const char* server) {
  HttpRoundTrip step;
  step.endpoint = {ip(address), 443, Transport::tcp};
  step.url = "https://" + (role_ == StepRole::same_address ? std::string(kHarmless) : host_) + "/";
  step.over_tls = true;
  step.request_sent = true;
  step.status = status;
  step.title = title;
  step.body_bytes = bytes;
  step.bytes_received = bytes + 200;
  step.body_sha256 = hex_of((std::string(title) + std::to_string(bytes)).c_str());
  if (*server != 0) step.headers.emplace_back("Server", server);
  add(std::move(step));
  return *this;
}

Story& Story::plain_page(const char* address, std::uint16_t status, const char* title, std::uint64_t bytes,
                         const char* server) {
  page(address, status, title, bytes, server);
  auto& step = std::get<HttpRoundTrip>(measurement.observations.back());
  step.endpoint.port = 80;
  step.over_tls = false;
  step.url.erase(4, 1);
  return *this;
}

Story& Story::redirects(const char* address, const char* location, std::uint16_t port) {
  port == 443 ? page(address, 302, "", 0) : plain_page(address, 302, "", 0);
  std::get<HttpRoundTrip>(measurement.observations.back()).headers.emplace_back("Location", location);
  return *this;
}

Story& Story::page_cut(const char* address, FailureCode code, std::uint64_t bytes, std::uint16_t port) {
  port == 443 ? page(address, 0, "", 0) : plain_page(address, 0, "", 0);
  auto& step = std::get<HttpRoundTrip>(measurement.observations.back());
  step.status.reset();
  step.bytes_received = bytes;
  step.failure = failure(code, Operation::http_round_trip);
  return *this;
}

Story& Story::with_body(const char* sample) {
  std::get<HttpRoundTrip>(measurement.observations.back()).body_sample = sample;
  return *this;
}

Story& Story::last_byte_after(int milliseconds, int of_milliseconds) {
  auto& step = std::get<HttpRoundTrip>(measurement.observations.back());
  step.last_byte = std::chrono::milliseconds(milliseconds);
  step.duration = std::chrono::milliseconds(of_milliseconds == 0 ? milliseconds : of_milliseconds);
  return *this;
}

Story& Story::ended_early() {
  std::get<HttpRoundTrip>(measurement.observations.back()).failure = failure(kClosed, Operation::read);
  return *this;
}

Story& Story::limit(const char* name) {
  ++measurement.limits[name];
  return *this;
}

Story& Story::speaks_quic(const char* address, ChainTrust trust) {
  QuicHandshake step;
  step.endpoint = {ip(address), 443, Transport::udp};
  step.server_name = role_ == StepRole::same_address ? kHarmless : host_;
  step.version = "QUICv1";
  step.alpn = "h3";
  step.initial_sent = true;
  step.replies = 4;
  step.bytes_received = 4000;
  step.trust = trust;
  step.chain = chain("site", "ca");
  add(std::move(step));
  return *this;
}

Story& Story::no_quic(const char* address, FailureCode code, std::uint32_t replies) {
  speaks_quic(address, ChainTrust::not_presented);
  auto& step = std::get<QuicHandshake>(measurement.observations.back());
  step.version.clear();
  step.alpn.clear();
  step.chain.clear();
  step.replies = replies;
  step.bytes_received = replies * 1200;
  step.failure = failure(code, Operation::quic_handshake);
  return *this;
}

Story& Story::quic_closed(const char* address, std::uint64_t bytes) {
  no_quic(address, kTlsFailed, 1);
  auto& step = std::get<QuicHandshake>(measurement.observations.back());
  step.version = "QUICv1";
  step.close_code = 0x128;
  step.bytes_received = bytes;
  return *this;
}

Story& Story::pongs(const char* address) {
  QuicPing step;
  step.endpoint = {ip(address), 443, Transport::udp};
  step.versions = {1};
  step.bytes_received = 27;
  add(std::move(step));
  return *this;
}

Story& Story::no_pong(const char* address, FailureCode code) {
  pongs(address);
  auto& step = std::get<QuicPing>(measurement.observations.back());
  step.versions.clear();
  step.bytes_received = 0;
  step.failure = failure(code, Operation::quic_handshake);
  return *this;
}

Story& Story::resolver(ResolverClass resolver_class) {
  measurement.header.vantage.resolver_class = resolver_class;
  return *this;
}

Story& Story::link(LinkState state) {
  measurement.link_state = state;
  return *this;
}

Story resolved() {
  return Story().answers(ResolverEngine::system, {kTrue}).answers(ResolverEngine::doh, {kTrue});
}

Story well() { return resolved().shakes(kTrue).page(kTrue, 200, "Example Domain", 4000, "lab"); }

Story plain_well() {
  return resolved().connects(kTrue, 80).plain_page(kTrue, 200, "Example Domain", 4000, "lab");
}

Controls::Controls(std::initializer_list<Story> newest) {
  for (const Story& story : newest) {
    facts_.push_back(std::make_shared<ControlFacts>(story.measurement));
    views_.push_back({facts_.back().get(), nullptr});
  }
}

Controls Controls::failed_twice(const Story& story) {
  Controls out{story};
  out.facts_.push_back(std::make_shared<ControlFacts>(story.measurement));
  out.views_[0].before = out.facts_.back().get();
  return out;
}

const Knowledge& knowledge() {
  static const std::vector<CountryCode> kz{CountryCode::parse("KZ").value()};
  static const std::vector<Fingerprint> fingerprints = {
      {"lab.body", Fingerprint::Where::body, Fingerprint::Match::contains, "", "blocked by order", kz},
      {"lab.title", Fingerprint::Where::title, Fingerprint::Match::full, "", "Access denied by law", {}},
      {"lab.location", Fingerprint::Where::location, Fingerprint::Match::prefix, "",
       "http://blocked.isp.example/", {}},
      {"lab.name", Fingerprint::Where::dns_answer, Fingerprint::Match::full, "", "blocked.isp.example", {}},
      {"lab.name_kz", Fingerprint::Where::dns_answer, Fingerprint::Match::full, "", "stop.isp.example", kz},
      {"lab.address", Fingerprint::Where::dns_answer, Fingerprint::Match::full, "", "203.0.113.66", {}},
  };
  static const std::vector<InterceptionRoot> roots = {{"Qaznet", "", "CN=Qaznet Trust Network"}};
  static const std::vector<Prefix> routable = {Prefix::parse("203.0.113.0/24").value(),
                                               Prefix::parse("198.18.0.0/15").value(),
                                               Prefix::parse("2001:db8::/32").value()};
  static const Knowledge out{fingerprints, roots, routable};
  return out;
}

}  // namespace kua::verdict::test
