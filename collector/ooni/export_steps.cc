#include "collector/ooni/export_steps.h"

#include <algorithm>

#include "collector/ooni/kua_members.h"
#include "collector/ooni/words.h"

namespace kua::collector::ooni {
namespace {

double seconds(Microseconds duration) { return static_cast<double>(duration.count()) / 1e6; }

json::value failure_value(const StepContext& step) {
  if (!step.failure) return nullptr;
  return json::value(to_string(step.failure->code));
}

json::object binary(std::string_view bytes) {
  return {{"format", "base64"}, {"data", platform::to_base64(bytes)}};
}

bool is_utf8(std::string_view text) {
  // Boost.JSON checks what it reads: a quoted copy is valid exactly if the text is.
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      std::string quoted = "\"";
      for (const char one : text) {
        if (one == '"' || one == '\\' || static_cast<unsigned char>(one) < 0x20) continue;
        quoted += one;
      }
      quoted += '"';
      json::error_code error;
      (void)json::parse(quoted, error);
      return !error;
    }
  }
  return true;
}

class StepExport {
 public:
  explicit StepExport(const Measurement& measurement) : measurement_(measurement) {}

  void run(json::object& test_keys) {
    for (const Observation& one : measurement_.observations) {
      if (const auto* lookup = std::get_if<Lookup>(&one)) add(*lookup);
      const auto* connect = std::get_if<Connect>(&one);
      if (connect != nullptr && connect->endpoint.transport == Transport::tcp) add(*connect);
      if (const auto* handshake = std::get_if<TlsHandshake>(&one)) add(*handshake);
      if (const auto* trip = std::get_if<HttpRoundTrip>(&one)) add(*trip);
      if (const auto* quic = std::get_if<QuicHandshake>(&one)) add(*quic);
    }
    std::ranges::reverse(requests_);  // the last one first: ts-017
    test_keys["queries"] = std::move(queries_);
    test_keys["tcp_connect"] = std::move(connects_);
    test_keys["tls_handshakes"] = std::move(handshakes_);
    test_keys["requests"] = std::move(requests_);
    test_keys["network_events"] = json::array();
    test_keys["x_dns_duplicate_responses"] = std::move(late_);
    json::object doh;
    for (const char* key : {"network_events", "requests", "tcp_connect", "tls_handshakes"})
      doh[key] = json::array();
    doh["queries"] = std::move(doh_);
    test_keys["x_doh"] = std::move(doh);
  }

 private:
  // What an imported step kept comes first, so that its own words win where ours are coarser.
  json::object event_of(const StepContext& step, std::int64_t transaction) const {
    json::object event = kept_ooni_members(step.unknown);
    event["t0"] = seconds(step.offset);
    event["t"] = seconds(step.offset + step.duration);
    if (measurement_.header.origin) return event;  // theirs had none either, or it was kept
    event["transaction_id"] = transaction;
    event["tags"] = {"depth=" + std::to_string(step.hop)};
    return event;
  }

  static json::array answers_of(const DnsReply& reply) {
    json::array out;
    const json::value ttl =
        reply.ttl_seconds ? json::value(*reply.ttl_seconds) : json::value(nullptr);
    for (const std::string& name : reply.cnames) {
      out.push_back({{"answer_type", "CNAME"}, {"hostname", name}, {"ttl", ttl}});
    }
    for (const IpAddress& address : reply.addresses) {
      const bool six = address.family() == Family::ip6;
      out.push_back({{"answer_type", six ? "AAAA" : "A"},
                     {six ? "ipv6" : "ipv4", address.text()},
                     {"ttl", ttl}});
    }
    return out;
  }

  json::object query_of(const Lookup& step, const DnsReply* reply, std::int64_t transaction) const {
    json::object event = event_of(step, transaction);
    const bool from_ooni = find(event, "engine") != nullptr;
    if (!from_ooni) event["engine"] = engine_word(step.engine);
    event["hostname"] = step.name.text();
    if (!from_ooni || text_of(event, "query_type").empty())
      event["query_type"] = to_string(step.type);
    event["resolver_hostname"] = nullptr;
    event["resolver_port"] = nullptr;
    const bool told = !step.resolver.empty() && step.resolver != "private" &&
                      step.engine != ResolverEngine::system;
    event["resolver_address"] = told ? step.resolver : "";
    event["answers"] = reply == nullptr ? json::value(nullptr) : json::value(answers_of(*reply));
    event["failure"] = failure_value(step);
    if (reply != nullptr) {
      event["rcode"] = reply->rcode;
      event["raw_response"] = reply->raw.empty() ? "" : platform::to_base64(reply->raw);
    }
    return event;
  }

  void add(const Lookup& step) {
    const std::int64_t base = step.engine == ResolverEngine::system ? 10'001
                              : step.engine == ResolverEngine::udp  ? 20'001
                                                                    : 30'001;
    const std::int64_t transaction = base + lookups_++;
    json::object event = query_of(step, step.reply ? &*step.reply : nullptr, transaction);
    event[key_text(kKuaMember)] = kua_members(step);
    const json::value* own = find(event, "transaction_id");
    const json::value id = own == nullptr ? json::value(nullptr) : *own;
    if (joins_last(event)) return;
    (step.engine == ResolverEngine::doh ? doh_ : queries_).push_back(std::move(event));
    for (const DnsReply& reply : step.late) {
      json::object late = query_of(step, &reply, transaction);
      late["failure"] = nullptr;
      late["t"] = seconds(reply.offset);
      late["transaction_id"] = id;
      late_.push_back(std::move(late));
    }
  }

  // getaddrinfo's one answer, which stands as two lookups in a record, becomes one again.
  bool joins_last(const json::object& event) {
    if (text_of(event, "query_type") != "ANY" || queries_.empty()) return false;
    json::object& last = queries_.back().get_object();
    for (const char* key : {"query_type", "transaction_id", "hostname", "t0"}) {
      const json::value* a = find(last, key);
      const json::value* b = find(event, key);
      if ((a == nullptr) != (b == nullptr) || (a != nullptr && *a != *b)) return false;
    }
    const json::array* more = list_of(event, "answers");
    if (more == nullptr || !last["answers"].is_array()) return false;
    json::array& answers = last["answers"].get_array();
    for (const json::value& answer : *more) {
      if (text_of(answer.get_object(), "answer_type") != "CNAME") answers.push_back(answer);
    }
    return true;
  }

  // Of one connection's steps: the handshake and the round trip follow the connect to the same
  // endpoint.
  std::int64_t transaction_of_flow(const Endpoint& endpoint, bool over_tls, bool opens) {
    if (opens || flows_.empty() || flows_.back().first != endpoint) {
      flows_.emplace_back(endpoint,
                          (over_tls ? 50'001 : 40'001) + static_cast<std::int64_t>(flows_.size()));
    }
    return flows_.back().second;
  }

  void add(const Connect& step) {
    json::object event =
        event_of(step, transaction_of_flow(step.endpoint, step.endpoint.port == 443, true));
    event["ip"] = step.endpoint.address.text();
    event["port"] = step.endpoint.port;
    event["status"] = {{"success", !step.failure}, {"failure", failure_value(step)}};
    event[key_text(kKuaMember)] = kua_members(step);
    connects_.push_back(std::move(event));
  }

  // What handshakes over TCP and QUIC have in common (df-006).
  template <typename Handshake>
  json::object handshake_of(const Handshake& step) {
    json::object event = event_of(step, transaction_of_flow(step.endpoint, true, false));
    event["network"] = step.endpoint.transport == Transport::udp ? "udp" : "tcp";
    event["address"] = step.endpoint.text();
    event["server_name"] = step.server_name.value_or("");
    event["cipher_suite"] = step.cipher;
    event["negotiated_protocol"] = step.alpn;
    if (find(event, "no_tls_verify") == nullptr) event["no_tls_verify"] = false;
    event["so_error"] = nullptr;
    const char* distrust = trust_failure(step.trust);
    event["failure"] =
        step.failure || distrust == nullptr ? failure_value(step) : json::value(distrust);
    json::array chain;
    for (const Certificate& certificate : step.chain) {
      if (!certificate.der.empty()) chain.push_back(binary(certificate.der));
    }
    event["peer_certificates"] = std::move(chain);
    event[key_text(kKuaMember)] = kua_members(step);
    return event;
  }

  void add(const TlsHandshake& step) {
    json::object event = handshake_of(step);
    event["tls_version"] = step.version;
    handshakes_.push_back(std::move(event));
  }

  void add(const QuicHandshake& step) {
    json::object event = handshake_of(step);
    event["network"] = "udp";
    event["tls_version"] = step.cipher.empty() ? "" : "TLSv1.3";  // RFC 9001 §4.2: no older one
    handshakes_.push_back(std::move(event));
  }

  static json::object headers_of(const HttpRoundTrip& step, json::array& list) {
    json::object map;
    for (const auto& [name, value] : step.headers) {
      list.push_back({maybe_binary(name), maybe_binary(value)});
      map.insert_or_assign(key_text(name), maybe_binary(value));
    }
    return map;
  }

  void add(const HttpRoundTrip& step) {
    json::object event = event_of(step, transaction_of_flow(step.endpoint, step.over_tls, false));
    const char* transport = step.endpoint.transport == Transport::udp ? "udp" : "tcp";
    event["network"] = transport;
    event["address"] = step.endpoint.port == 0 ? "" : step.endpoint.text();
    if (find(event, "alpn") == nullptr) event["alpn"] = "";
    event["failure"] = failure_value(step);
    event["request"] = {{"body", ""},
                        {"body_is_truncated", false},
                        {"headers_list", json::array()},
                        {"headers", json::object()},
                        {"method", step.method},
                        {"tor", {{"exit_ip", nullptr}, {"exit_name", nullptr}, {"is_tor", false}}},
                        {"x_transport", transport},
                        {"url", step.url}};
    json::array list;
    json::object map = headers_of(step, list);
    const bool cut = step.body_truncated || step.body_sample.size() < step.body_bytes;
    event["response"] = {{"body", maybe_binary(step.body_sample)},
                         {"body_is_truncated", cut},
                         {"code", step.status.value_or(0)},
                         {"headers_list", std::move(list)},
                         {"headers", std::move(map)}};
    event[key_text(kKuaMember)] = kua_members(step);
    requests_.push_back(std::move(event));
  }

  const Measurement& measurement_;
  json::array queries_, doh_, late_, connects_, handshakes_, requests_;
  std::int64_t lookups_ = 0;
  std::vector<std::pair<Endpoint, std::int64_t>> flows_;
};

}  // namespace

json::value maybe_binary(std::string_view bytes) {
  if (is_utf8(bytes)) return json::value(key_text(bytes));
  return binary(bytes);
}

void export_steps(const Measurement& measurement, json::object& test_keys) {
  StepExport(measurement).run(test_keys);
}

}  // namespace kua::collector::ooni
