#include "collector/ooni/import_steps.h"

#include <algorithm>
#include <array>
#include <span>

#include "collector/limits.h"
#include "collector/ooni/kua_members.h"
#include "collector/ooni/words.h"
#include "platform/crypto/certificate.h"
#include "protocol/record_limits.h"
#include "wire/dns_message.h"
#include "wire/html_title.h"

namespace kua::collector::ooni {
namespace {

wire::BytesView bytes_view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class StepImport {
 public:
  StepImport(const json::object& test_keys, const protocol::TargetUrl& input, WallTime begin,
             Counts& left_out)
      : test_keys_(test_keys), flows_(test_keys, input), begin_(begin), left_out_(left_out) {}

  std::vector<Observation> run() {
    each("queries", &StepImport::take_query);
    if (const json::object* doh = object_of(test_keys_, "x_doh")) {
      if (const json::array* queries = list_of(*doh, "queries"))
        each(*queries, &StepImport::take_query);
    }
    each("x_dns_duplicate_responses", &StepImport::take_late);
    each("tcp_connect", &StepImport::take_connect);
    each("tls_handshakes", &StepImport::take_handshake);
    for (const json::object* request : flows_.requests()) take_request(*request);
    std::ranges::stable_sort(out_, {},
                             [](const Observation& one) { return context_of(one)->offset; });
    if (out_.size() > protocol::kObservationsMax) {
      left_out_["more_steps_than_a_record_holds"] += out_.size() - protocol::kObservationsMax;
      out_.resize(protocol::kObservationsMax);
    }
    return std::move(out_);
  }

 private:
  using Take = void (StepImport::*)(const json::object&);
  void each(std::string_view key, Take take) {
    if (const json::array* list = list_of(test_keys_, key)) each(*list, take);
  }
  void each(const json::array& list, Take take) {
    for (const json::value& item : list) {
      if (const json::object* event = item.if_object()) {
        (this->*take)(*event);
      } else {
        ++left_out_["no_object"];
      }
    }
  }

  void begin_step(StepContext& step, const json::object& event, std::string_view host) {
    const auto end = seconds_of(event, "t").value_or(Microseconds(0));
    step.offset = seconds_of(event, "t0").value_or(end);
    step.duration = std::max(end - step.offset, Microseconds(0));
    step.host = host;
    step.hop = flows_.depth_of(event, host);
    keep_ooni_members(event, step.unknown);
  }

  static void set_failure(StepContext& step, std::string_view failure, Operation operation) {
    if (!failure.empty()) step.failure = Failure{failure_code(failure), operation};
  }

  // `trusted` where only others than the system resolver name the address
  // (measurement/observation.h).
  StepRole role_of(const IpAddress& address, std::string_view host) const {
    if (IpAddress::parse(host) || flows_.is_from_system(address)) return StepRole::main;
    return StepRole::trusted;
  }

  DnsReply read_reply(const json::object& query, Microseconds arrival, Family family,
                      std::uint16_t rcode) {
    DnsReply reply;
    reply.offset = arrival;
    reply.rcode = rcode;
    const json::array* answers = list_of(query, "answers");
    if (answers == nullptr) return reply;
    for (const json::value& item : *answers) {
      const json::object* answer = item.if_object();
      if (answer == nullptr) continue;
      const auto address =
          IpAddress::parse(text_of(*answer, family == Family::ip6 ? "ipv6" : "ipv4"));
      if (address && address->family() == family &&
          reply.addresses.size() < protocol::kReplyAddressesMax) {
        reply.addresses.push_back(*address);
      }
      const std::string_view cname = text_of(*answer, "hostname");
      if (text_of(*answer, "answer_type") == "CNAME" && !cname.empty() && cname.size() <= 1024 &&
          reply.cnames.size() < protocol::kReplyCnamesMax) {
        reply.cnames.emplace_back(cname);
      }
      const auto ttl = integer_of(*answer, "ttl");
      if (ttl && *ttl >= 0 && *ttl <= 0x7fffffff) {
        const auto seconds = static_cast<std::uint32_t>(*ttl);
        reply.ttl_seconds = std::min(reply.ttl_seconds.value_or(seconds), seconds);
      }
    }
    if (const auto raw = platform::from_base64(text_of(query, "raw_response"));
        raw && !raw->empty()) {
      const wire::ScrubbedDns scrubbed = wire::scrub_client_subnet(bytes_view(*raw));
      reply.raw.assign(scrubbed.bytes.begin(), scrubbed.bytes.end());
    }
    return reply;
  }

  // What stands for an rcode where none is given; nullopt: no reply came.
  static std::optional<std::uint16_t> rcode_of(const json::object& query) {
    const std::string_view failure = text_of(query, "failure");
    const FailureCode code = failure_code(failure);
    if (const auto rcode = integer_of(query, "rcode"); rcode && *rcode > 0 && *rcode < 4096) {
      return static_cast<std::uint16_t>(*rcode);
    }
    if (failure.empty() || code == FailureCode::dns_no_answer ||
        code == FailureCode::dns_bogon_error)
      return 0;
    if (code == FailureCode::dns_nxdomain_error) return 3;
    if (code == FailureCode::dns_servfail_error) return 2;
    if (code == FailureCode::dns_refused_error) return 5;
    return std::nullopt;
  }

  void take_query(const json::object& query) {
    const auto engine = engine_of(text_of(query, "engine"));
    if (!engine) return note("engine");
    const auto name = DomainName::parse(host_of(text_of(query, "hostname")).value_or(""));
    if (!name || IpAddress::parse(name->text())) return note("lookup_of_no_name");
    const std::string_view type = text_of(query, "query_type");
    if (type == "ANY") return take_any(query, *engine, *name);
    const auto one = parse_query_type(type);
    if (!one) return note("query_type");
    out_.push_back(lookup(query, *engine, *name, *one));
  }

  // getaddrinfo is asked for everything at once: IPv6 is told only where it came, since nobody
  // knows whether the machine asked for it.
  void take_any(const json::object& query, ResolverEngine engine, const DomainName& name) {
    Lookup four = lookup(query, engine, name, QueryType::a);
    Lookup six = lookup(query, engine, name, QueryType::aaaa);
    const bool has_six = six.reply && !six.reply->addresses.empty();
    const bool only_six = has_six && four.reply && four.reply->addresses.empty();
    if (!only_six) out_.push_back(std::move(four));
    if (has_six) out_.push_back(std::move(six));
  }

  Lookup lookup(const json::object& query, ResolverEngine engine, const DomainName& name,
                QueryType type) {
    Lookup step;
    begin_step(step, query, name.text());
    step.engine = engine;
    step.name = name;
    step.type = type;
    step.role = engine == ResolverEngine::system ? StepRole::main : StepRole::trusted;
    const std::string_view resolver = text_of(query, "resolver_address");
    if (engine == ResolverEngine::doh && resolver.size() <= protocol::kUrlTextBytesMax)
      step.resolver = resolver;
    if (engine == ResolverEngine::udp) {
      const auto endpoint = Endpoint::parse(resolver, Transport::udp);
      if (endpoint)
        step.resolver = is_globally_routable(endpoint->address) ? endpoint->text() : "private";
    }
    const std::string_view failure = text_of(query, "failure");
    set_failure(step, failure, Operation::resolve);
    if (const auto rcode = rcode_of(query)) {
      step.reply = read_reply(query, step.offset + step.duration,
                              type == QueryType::aaaa ? Family::ip6 : Family::ip4, *rcode);
    }
    read_kua_members(query, step);
    return step;
  }

  // A reply that came after the first one belongs to the query with its transaction, name and type.
  void take_late(const json::object& query) {
    const auto id = transaction_of(query);
    const auto name = host_of(text_of(query, "hostname"));
    const auto type = parse_query_type(text_of(query, "query_type"));
    const auto rcode = rcode_of(query);
    if (!name || !type || !rcode) return note("late_reply");
    for (Observation& one : out_) {
      auto* step = std::get_if<Lookup>(&one);
      if (step == nullptr || step->name.text() != *name || step->type != *type || !step->reply)
        continue;
      if (id != ooni_transaction(step->unknown) || step->late.size() >= protocol::kLateRepliesMax)
        continue;
      const auto arrival = seconds_of(query, "t").value_or(step->offset + step->duration);
      DnsReply reply =
          read_reply(query, arrival, *type == QueryType::aaaa ? Family::ip6 : Family::ip4, *rcode);
      if (reply.addresses != step->reply->addresses || reply.rcode != step->reply->rcode) {
        step->late.push_back(std::move(reply));
      }
      return;
    }
    note("late_reply");
  }

  void take_connect(const json::object& event) {
    const auto address = IpAddress::parse(text_of(event, "ip"));
    const auto port = integer_of(event, "port");
    const json::object* status = object_of(event, "status");
    if (!address || !port || *port < 1 || *port > 65'535 || status == nullptr)
      return note("connect");
    Connect step;
    begin_step(step, event, flows_.host_at(event, *address));
    step.endpoint = {*address, static_cast<std::uint16_t>(*port), Transport::tcp};
    step.role = role_of(*address, step.host);
    const std::string_view failure = text_of(*status, "failure");
    // A connection that neither succeeded nor says why has failed in a way nobody knows.
    set_failure(step, failure.empty() && !flag_of(*status, "success") ? "unknown_failure" : failure,
                Operation::connect);
    read_kua_members(event, step);
    out_.push_back(std::move(step));
  }

  void take_handshake(const json::object& event) {
    if (text_of(event, "network") == "udp") return take_quic(event);
    const auto endpoint = endpoint_of(text_of(event, "address"));
    if (!endpoint) return note("handshake_without_address");
    const std::string_view server_name = text_of(event, "server_name");
    const auto host = host_of(server_name);
    TlsHandshake step;
    begin_step(step, event, host.value_or(flows_.host_at(event, endpoint->address)));
    step.endpoint = *endpoint;
    step.role = role_of(endpoint->address, step.host);
    if (!server_name.empty() && server_name.size() <= protocol::kHostBytesMax)
      step.server_name = server_name;
    step.version = text_of(event, "tls_version").substr(0, protocol::kNameBytesMax);
    step.cipher = text_of(event, "cipher_suite").substr(0, protocol::kNameBytesMax);
    step.alpn = text_of(event, "negotiated_protocol").substr(0, protocol::kNameBytesMax);
    if (const Flow* flow = flows_.of(event); flow != nullptr && flow->watched) {
      step.client_hello_sent = flow->written;
      step.bytes_received = flow->handshake_bytes > 0 ? flow->handshake_bytes : flow->bytes;
    } else {
      step.client_hello_sent =
          true;  // nothing else is done first, and nothing was kept that says otherwise
    }
    const std::string_view failure = text_of(event, "failure");
    read_chain(event, step.chain);
    step.trust = trust_of(event, step.chain, failure);
    if (!is_trust_failure(failure)) set_failure(step, failure, Operation::tls_handshake);
    read_kua_members(event, step);
    if (step.trust == ChainTrust::trusted) {
      for (Certificate& certificate : step.chain) certificate.der.clear();
    }
    out_.push_back(std::move(step));
  }

  void take_quic(const json::object& event) {
    const auto endpoint = Endpoint::parse(text_of(event, "address"), Transport::udp);
    if (!endpoint) return note("handshake_without_address");
    const std::string_view server_name = text_of(event, "server_name");
    const std::string_view failure = text_of(event, "failure");
    QuicHandshake step;
    begin_step(step, event,
               host_of(server_name).value_or(flows_.host_at(event, endpoint->address)));
    step.endpoint = *endpoint;
    step.role = role_of(endpoint->address, step.host);
    if (!server_name.empty() && server_name.size() <= protocol::kHostBytesMax) {
      step.server_name = server_name;
    }
    step.cipher = text_of(event, "cipher_suite").substr(0, protocol::kNameBytesMax);
    step.alpn = text_of(event, "negotiated_protocol").substr(0, protocol::kNameBytesMax);
    step.initial_sent = true;  // nothing else is done first
    read_chain(event, step.chain);
    step.trust = trust_of(event, step.chain, failure);
    if (!is_trust_failure(failure)) set_failure(step, failure, Operation::quic_handshake);
    read_kua_members(event, step);
    if (step.trust == ChainTrust::trusted) {
      for (Certificate& certificate : step.chain) certificate.der.clear();
    }
    out_.push_back(std::move(step));
  }

  void read_chain(const json::object& event, std::vector<Certificate>& out) {
    const json::array* chain = list_of(event, "peer_certificates");
    if (chain == nullptr) return;
    std::size_t bytes = 0;
    for (const json::value& item : *chain) {
      const auto der = bytes_of(item);
      const auto facts = der ? platform::describe_certificate(*der) : std::nullopt;
      if (!facts || out.size() >= protocol::kCertificatesMax) {
        note("certificate");
        continue;
      }
      if (out.empty()) leaf_ = *facts;
      bytes += der->size();
      Certificate& certificate = out.emplace_back();
      certificate.sha256 = platform::to_hex(platform::sha256(*der));
      certificate.spki_sha256 = facts->spki_sha256;
      certificate.subject = facts->subject.substr(0, limits::kOoniNameBytesMax);
      certificate.issuer = facts->issuer.substr(0, limits::kOoniNameBytesMax);
      if (bytes <= limits::kOoniChainBytesMax) certificate.der = *der;
    }
  }

  ChainTrust trust_of(const json::object& event, const std::vector<Certificate>& chain,
                      std::string_view failure) const {
    if (failure == "ssl_invalid_hostname") return ChainTrust::wrong_host;
    if (failure == "ssl_unknown_authority") {
      const bool own = chain.size() == 1 && chain[0].subject == chain[0].issuer;
      return own ? ChainTrust::self_signed : ChainTrust::unknown_authority;
    }
    if (failure == "ssl_invalid_certificate") {
      const bool expired = !chain.empty() && leaf_.not_before && leaf_.not_after &&
                           (begin_ < *leaf_.not_before || begin_ > *leaf_.not_after);
      return expired ? ChainTrust::expired : ChainTrust::invalid;
    }
    if (!failure.empty()) return ChainTrust::not_presented;
    // Nobody looked: then it is nobody's proof.
    return flag_of(event, "no_tls_verify") ? ChainTrust::not_presented : ChainTrust::trusted;
  }

  void take_request(const json::object& event) {
    const json::object* request = object_of(event, "request");
    const json::object* response = object_of(event, "response");
    if (request == nullptr) return note("request");
    const auto url = protocol::parse_target_url(text_of(*request, "url"));
    if (!url) return note("request_url");
    const bool over_tls = url->scheme == protocol::UrlScheme::https;
    const Flow* flow = flows_.of(event);
    if (flow == nullptr || !flow->endpoint) flow = flows_.flow_for(url->host, url->port);
    const auto own = endpoint_of(text_of(event, "address"));
    const auto endpoint = own ? own : flow == nullptr ? std::nullopt : flow->endpoint;
    if (!endpoint) return note("request_without_connection");
    const auto status = response == nullptr ? std::nullopt : integer_of(*response, "code");
    const bool answered = status && *status >= 100 && *status <= 999;
    const bool begun = answered || (flow != nullptr && (over_tls ? flow->shaken : flow->connected));
    // What failed before it was sent stands as a failed connection or handshake already.
    if (!begun) return note("request_never_sent");
    HttpRoundTrip step;
    begin_step(step, event, url->host);
    step.endpoint = *endpoint;
    if (text_of(event, "network") == "udp") step.endpoint.transport = Transport::udp;
    step.role = role_of(endpoint->address, url->host);
    step.url = text_of(*request, "url").substr(0, protocol::kUrlTextBytesMax);
    step.method = text_of(*request, "method").substr(0, protocol::kNameBytesMax);
    step.over_tls = over_tls;
    step.request_sent = true;
    set_failure(step, text_of(event, "failure"), Operation::http_round_trip);
    if (answered) read_response(*response, static_cast<std::uint16_t>(*status), step);
    if (flow != nullptr && flow->bytes > flow->handshake_bytes) {
      step.bytes_received = std::max(step.bytes_received, flow->bytes - flow->handshake_bytes);
    }
    read_kua_members(event, step);
    out_.push_back(std::move(step));
  }

  void read_response(const json::object& response, std::uint16_t status, HttpRoundTrip& step) {
    step.status = status;
    read_headers(response, step);
    const json::value* given = find(response, "body");
    const auto body = given == nullptr ? std::nullopt : bytes_of(*given);
    if (!body) return;
    step.body_bytes = body->size();
    step.bytes_received = body->size();
    step.body_truncated = flag_of(response, "body_is_truncated");
    if (body->empty()) return;
    step.body_sha256 = platform::to_hex(platform::sha256(*body));
    step.body_sample = body->substr(0, limits::kOoniBodySampleBytes);
    step.title = wire::html_title(bytes_view(*body), limits::kOoniTitleBytesMax).value_or("");
  }

  void read_headers(const json::object& response, HttpRoundTrip& step) {
    const auto add = [&](std::string_view name, const json::value& value) {
      const auto text = bytes_of(value);
      if (!text || name.empty() || name.size() > protocol::kHeaderNameBytesMax ||
          text->size() > limits::kOoniHeaderValueBytesMax ||
          step.headers.size() >= protocol::kHeadersMax) {
        return note("header");
      }
      step.headers.emplace_back(name, *text);
    };
    if (const json::array* list = list_of(response, "headers_list")) {
      for (const json::value& item : *list) {
        const json::array* pair = item.if_array();
        if (pair != nullptr && pair->size() == 2)
          add(bytes_of((*pair)[0]).value_or(""), (*pair)[1]);
      }
    } else if (const json::object* map = object_of(response, "headers")) {
      for (const auto& [name, value] : *map) add({name.data(), name.size()}, value);
    }
  }

  void note(const char* reason) { ++left_out_[reason]; }

  const json::object& test_keys_;
  Flows flows_;
  WallTime begin_;
  Counts& left_out_;
  platform::CertificateFacts leaf_;  // of the chain that is read
  std::vector<Observation> out_;
};

}  // namespace

std::vector<Observation> import_steps(const json::object& test_keys,
                                      const protocol::TargetUrl& input, WallTime begin,
                                      Counts& left_out) {
  return StepImport(test_keys, input, begin, left_out).run();
}

}  // namespace kua::collector::ooni
