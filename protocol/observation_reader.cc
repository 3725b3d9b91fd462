#include <algorithm>
#include <array>

#include "protocol/record_fields.h"
#include "protocol/record_limits.h"

namespace kua::protocol::json {
namespace {

constexpr std::size_t kSha256Digits = 64;
constexpr auto kRequired = Presence::required;
constexpr auto kOptional = Presence::optional;

// A name or an address literal; it ends up in keys and on pages, so nothing else will do.
bool read_host(In& in, Value value, std::string& out) {
  if (!in.text(value, out, kHostBytesMax)) return false;
  if (out.empty() || DomainNameTraits::valid(out) || IpAddress::parse(out)) return true;
  return in.refuse("neither a DNS name nor an address");
}

constexpr std::array<Field<Failure>, 2> kFailureFields{{
    {"code", kRequired,
     [](In& in, Value value, Failure& out) {
       std::string_view word;
       if (!in.view(value, word, kNameBytesMax)) return false;
       out.code = parse_failure_code(word);  // words of a later version become unknown_failure
       return true;
     }},
    {"operation", kRequired,
     [](In& in, Value value, Failure& out) {
       return in.open_word(value, out.operation, &parse_operation);
     }},
}};

bool read_failure(In& in, Value value, std::optional<Failure>& out) {
  return read_object(in, value, kFailureFields, out.emplace());
}

template <typename Step>
constexpr std::array<Field<Step>, 7> kContextFields{{
    {"kind", kRequired, [](In&, Value, Step&) { return true; }},  // read beforehand
    {"host", kOptional,
     [](In& in, Value value, Step& out) { return read_host(in, value, out.host); }},
    {"hop", kOptional, [](In& in, Value value, Step& out) { return in.number(value, out.hop); }},
    {"role", kOptional,
     [](In& in, Value value, Step& out) {
       return in.open_word(value, out.role, &parse_step_role);
     }},
    {"offset_us", kRequired,
     [](In& in, Value value, Step& out) { return in.microseconds(value, out.offset); }},
    {"duration_us", kRequired,
     [](In& in, Value value, Step& out) { return in.microseconds(value, out.duration); }},
    {"failure", kOptional,
     [](In& in, Value value, Step& out) { return read_failure(in, value, out.failure); }},
}};

template <typename Step>
constexpr std::array<Field<Step>, 2> kEndpointFields{{
    {"endpoint", kOptional,
     [](In& in, Value value, Step& out) {
       std::string_view text;
       if (!in.view(value, text, kNameBytesMax)) return false;
       const auto endpoint = Endpoint::parse(text, out.endpoint.transport);
       if (!endpoint) return in.refuse("not an address with a port");
       out.endpoint = *endpoint;
       return true;
     }},
    {"transport", kOptional,
     [](In& in, Value value, Step& out) {
       std::string_view text;
       if (!in.view(value, text, kNameBytesMax)) return false;
       if (text != "tcp" && text != "udp") return in.refuse("neither tcp nor udp");
       out.endpoint.transport = text == "udp" ? Transport::udp : Transport::tcp;
       return true;
     }},
}};

const IpAddress kNoAddress = *IpAddress::parse("0.0.0.0");

constexpr std::array<Field<DnsReply>, 6> kReplyFields{{
    {"offset_us", kRequired,
     [](In& in, Value value, DnsReply& out) { return in.microseconds(value, out.offset); }},
    {"rcode", kRequired,
     [](In& in, Value value, DnsReply& out) { return in.number(value, out.rcode); }},
    {"addresses", kOptional,
     [](In& in, Value value, DnsReply& out) {
       return in.list(
           value, out.addresses, kReplyAddressesMax, kNoAddress,
           [](In& i, Value item, IpAddress& address) { return i.parsed(item, address); });
     }},
    {"cnames", kOptional,
     [](In& in, Value value, DnsReply& out) {
       // A name in a forged reply may be anything: kept as text.
       return in.list(
           value, out.cnames, kReplyCnamesMax, std::string(),
           [](In& i, Value item, std::string& name) { return i.text(item, name, 1024); });
     }},
    {"ttl_s", kOptional,
     [](In& in, Value value, DnsReply& out) {
       return in.number(value, out.ttl_seconds.emplace());
     }},
    {"raw", kOptional,
     [](In& in, Value value, DnsReply& out) {
       return in.base64(value, out.raw, kDnsMessageBytesMax);
     }},
}};

constexpr std::array<Field<Lookup>, 6> kLookupFields{{
    {"engine", kRequired,
     [](In& in, Value value, Lookup& out) {
       return in.open_word(value, out.engine, &parse_resolver_engine);
     }},
    {"resolver", kOptional,
     [](In& in, Value value, Lookup& out) {
       return in.text(value, out.resolver, kUrlTextBytesMax);
     }},
    {"name", kRequired,
     [](In& in, Value value, Lookup& out) { return in.parsed(value, out.name); }},
    {"type", kRequired,
     [](In& in, Value value, Lookup& out) {
       return in.open_word(value, out.type, &parse_query_type);
     }},
    {"reply", kOptional,
     [](In& in, Value value, Lookup& out) {
       return read_object(in, value, kReplyFields, out.reply.emplace());
     }},
    {"late", kOptional,
     [](In& in, Value value, Lookup& out) {
       return in.list(value, out.late, kLateRepliesMax, DnsReply{},
                      [](In& i, Value item, DnsReply& reply) {
                        return read_object(i, item, kReplyFields, reply);
                      });
     }},
}};

constexpr std::array<Field<IcmpError>, 3> kIcmpFields{{
    {"type", kRequired,
     [](In& in, Value value, IcmpError& out) { return in.number(value, out.type); }},
    {"code", kRequired,
     [](In& in, Value value, IcmpError& out) { return in.number(value, out.code); }},
    {"origin", kRequired,
     [](In& in, Value value, IcmpError& out) {
       return in.open_word(value, out.origin, &parse_icmp_origin);
     }},
}};

constexpr std::array<Field<Connect>, 1> kConnectFields{{
    {"icmp", kOptional,
     [](In& in, Value value, Connect& out) {
       return read_object(in, value, kIcmpFields, out.icmp.emplace());
     }},
}};

constexpr std::array<Field<Certificate>, 5> kCertificateFields{{
    {"sha256", kRequired,
     [](In& in, Value value, Certificate& out) {
       return in.hex(value, out.sha256, kSha256Digits);
     }},
    {"spki_sha256", kRequired,
     [](In& in, Value value, Certificate& out) {
       return in.hex(value, out.spki_sha256, kSha256Digits);
     }},
    {"subject", kOptional,
     [](In& in, Value value, Certificate& out) {
       return in.text(value, out.subject, kDistinguishedNameBytesMax);
     }},
    {"issuer", kOptional,
     [](In& in, Value value, Certificate& out) {
       return in.text(value, out.issuer, kDistinguishedNameBytesMax);
     }},
    {"der", kOptional,
     [](In& in, Value value, Certificate& out) {
       return in.base64(value, out.der, kCertificateBytesMax);
     }},
}};

bool read_chain(In& in, Value value, std::vector<Certificate>& out) {
  return in.list(value, out, kCertificatesMax, Certificate{},
                 [](In& i, Value item, Certificate& certificate) {
                   return read_object(i, item, kCertificateFields, certificate);
                 });
}

constexpr std::array<Field<TlsHandshake>, 9> kHandshakeFields{{
    {"server_name", kOptional,
     [](In& in, Value value, TlsHandshake& out) {
       return in.text(value, out.server_name.emplace(), kHostBytesMax);
     }},
    {"version", kOptional,
     [](In& in, Value value, TlsHandshake& out) {
       return in.text(value, out.version, kNameBytesMax);
     }},
    {"cipher", kOptional,
     [](In& in, Value value, TlsHandshake& out) {
       return in.text(value, out.cipher, kNameBytesMax);
     }},
    {"alpn", kOptional,
     [](In& in, Value value, TlsHandshake& out) {
       return in.text(value, out.alpn, kNameBytesMax);
     }},
    {"alert", kOptional,
     [](In& in, Value value, TlsHandshake& out) { return in.number(value, out.alert.emplace()); }},
    {"client_hello_sent", kOptional,
     [](In& in, Value value, TlsHandshake& out) { return in.flag(value, out.client_hello_sent); }},
    {"bytes_received", kRequired,
     [](In& in, Value value, TlsHandshake& out) { return in.number(value, out.bytes_received); }},
    {"trust", kRequired,
     [](In& in, Value value, TlsHandshake& out) {
       return in.open_word(value, out.trust, &parse_chain_trust);
     }},
    {"chain", kOptional,
     [](In& in, Value value, TlsHandshake& out) { return read_chain(in, value, out.chain); }},
}};

constexpr std::array<Field<QuicHandshake>, 10> kQuicHandshakeFields{{
    {"server_name", kOptional,
     [](In& in, Value value, QuicHandshake& out) {
       return in.text(value, out.server_name.emplace(), kHostBytesMax);
     }},
    {"version", kOptional,
     [](In& in, Value value, QuicHandshake& out) { return in.text(value, out.version, kNameBytesMax); }},
    {"cipher", kOptional,
     [](In& in, Value value, QuicHandshake& out) { return in.text(value, out.cipher, kNameBytesMax); }},
    {"alpn", kOptional,
     [](In& in, Value value, QuicHandshake& out) { return in.text(value, out.alpn, kNameBytesMax); }},
    {"close_code", kOptional,
     [](In& in, Value value, QuicHandshake& out) {
       return in.number(value, out.close_code.emplace(), kQuicIntegerMax);
     }},
    {"initial_sent", kOptional,
     [](In& in, Value value, QuicHandshake& out) { return in.flag(value, out.initial_sent); }},
    {"replies", kRequired,
     [](In& in, Value value, QuicHandshake& out) { return in.number(value, out.replies); }},
    {"bytes_received", kRequired,
     [](In& in, Value value, QuicHandshake& out) { return in.number(value, out.bytes_received); }},
    {"trust", kRequired,
     [](In& in, Value value, QuicHandshake& out) {
       return in.open_word(value, out.trust, &parse_chain_trust);
     }},
    {"chain", kOptional,
     [](In& in, Value value, QuicHandshake& out) { return read_chain(in, value, out.chain); }},
}};

constexpr std::array<Field<QuicPing>, 2> kQuicPingFields{{
    {"versions", kOptional,
     [](In& in, Value value, QuicPing& out) {
       return in.list(value, out.versions, kQuicVersionsMax, std::uint32_t{0},
                      [](In& i, Value item, std::uint32_t& version) { return i.number(item, version); });
     }},
    {"bytes_received", kRequired,
     [](In& in, Value value, QuicPing& out) { return in.number(value, out.bytes_received); }},
}};

using Header = std::pair<std::string, std::string>;

bool read_header_line(In& in, Value value, Header& out) {
  simdjson::dom::array pair;
  if (value.get(pair) != simdjson::SUCCESS || pair.size() != 2)
    return in.refuse("not [name, value]");
  auto item = pair.begin();
  if (!in.text(*item, out.first, kHeaderNameBytesMax)) return false;
  return in.text(*++item, out.second, kHeaderValueBytesMax);
}

constexpr std::array<Field<HttpRoundTrip>, 13> kRoundTripFields{{
    {"url", kRequired,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.text(value, out.url, kUrlTextBytesMax);
     }},
    {"method", kRequired,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.text(value, out.method, kNameBytesMax);
     }},
    {"over_tls", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) { return in.flag(value, out.over_tls); }},
    {"request_sent", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) { return in.flag(value, out.request_sent); }},
    {"status", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.number(value, out.status.emplace(), 999);
     }},
    {"headers", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.list(value, out.headers, kHeadersMax, Header{}, read_header_line);
     }},
    {"title", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.text(value, out.title, kTitleBytesMax);
     }},
    {"bytes_received", kRequired,
     [](In& in, Value value, HttpRoundTrip& out) { return in.number(value, out.bytes_received); }},
    {"last_byte_us", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.microseconds(value, out.last_byte.emplace());
     }},
    {"body_bytes", kRequired,
     [](In& in, Value value, HttpRoundTrip& out) { return in.number(value, out.body_bytes); }},
    {"body_truncated", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) { return in.flag(value, out.body_truncated); }},
    {"body_sha256", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.hex(value, out.body_sha256, kSha256Digits);
     }},
    {"body_sample", kOptional,
     [](In& in, Value value, HttpRoundTrip& out) {
       return in.base64(value, out.body_sample, kBodySampleBytesMax);
     }},
}};

constexpr std::array<Field<LinkCheck>, 4> kLinkCheckFields{{
    {"subject", kRequired,
     [](In& in, Value value, LinkCheck& out) {
       return in.open_word(value, out.subject, &parse_link_subject);
     }},
    {"target", kOptional,
     [](In& in, Value value, LinkCheck& out) { return in.text(value, out.target, kHostBytesMax); }},
    {"reached", kOptional,
     [](In& in, Value value, LinkCheck& out) { return in.flag(value, out.reached); }},
    {"server_date", kOptional,
     [](In& in, Value value, LinkCheck& out) { return in.time(value, out.server_date.emplace()); }},
}};

// One table a kind, in the writer's order.
template <typename Step>
constexpr int kFieldsOf = 0;
template <>
constexpr auto kFieldsOf<Lookup> = joined(kContextFields<Lookup>, kLookupFields);
template <>
constexpr auto kFieldsOf<Connect> =
    joined(kContextFields<Connect>, joined(kEndpointFields<Connect>, kConnectFields));
template <>
constexpr auto kFieldsOf<TlsHandshake> =
    joined(kContextFields<TlsHandshake>, joined(kEndpointFields<TlsHandshake>, kHandshakeFields));
template <>
constexpr auto kFieldsOf<HttpRoundTrip> =
    joined(kContextFields<HttpRoundTrip>, joined(kEndpointFields<HttpRoundTrip>, kRoundTripFields));
template <>
constexpr auto kFieldsOf<LinkCheck> = joined(kContextFields<LinkCheck>, kLinkCheckFields);
template <>
constexpr auto kFieldsOf<QuicHandshake> =
    joined(kContextFields<QuicHandshake>, joined(kEndpointFields<QuicHandshake>, kQuicHandshakeFields));
template <>
constexpr auto kFieldsOf<QuicPing> =
    joined(kContextFields<QuicPing>, joined(kEndpointFields<QuicPing>, kQuicPingFields));

bool keep_raw(std::string_view kind, Value value, Observation& out) {
  out = UnknownObservation{std::string(kind), simdjson::to_string(value)};
  return true;
}

template <typename Step>
bool read_step(In& in, std::string_view kind, Value value, simdjson::dom::object object,
               Observation& out) {
  auto& step = out.emplace<Step>();
  Members members(kFieldsOf<Step>, step);
  for (const auto field : object) {
    if (!members.take(in, field.key, field.value))
      keep_unknown(in, field.key, field.value, step.unknown);
    if (!in.ok()) return false;
  }
  if (!members.complete(in)) return false;
  return in.take_strange() ? keep_raw(kind, value, out) : true;
}

}  // namespace

bool keep_unknown(In& in, std::string_view name, Value value, UnknownMembers& out) {
  if (out.size() >= kUnknownMembersMax) {
    return in.refuse("more than " + std::to_string(kUnknownMembersMax) + " unknown members",
                     ErrorKind::limit);
  }
  if (std::ranges::find(out, name, &UnknownMembers::value_type::first) != out.end()) {
    in.refuse("given twice");
    in.within(name);
    return false;
  }
  out.emplace_back(name, simdjson::to_string(value));
  return true;
}

bool read_observation(In& in, Value value, Observation& out) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return in.refuse("not an object");
  std::string_view kind;
  Value kind_value;
  if (object.at_key("kind").get(kind_value) != simdjson::SUCCESS) return in.refuse("has no kind");
  if (!in.view(kind_value, kind, kNameBytesMax)) return in.within("kind"), false;
  if (kind == "lookup") return read_step<Lookup>(in, kind, value, object, out);
  if (kind == "connect") return read_step<Connect>(in, kind, value, object, out);
  if (kind == "tls_handshake") return read_step<TlsHandshake>(in, kind, value, object, out);
  if (kind == "http_round_trip") return read_step<HttpRoundTrip>(in, kind, value, object, out);
  if (kind == "quic_handshake") return read_step<QuicHandshake>(in, kind, value, object, out);
  if (kind == "quic_ping") return read_step<QuicPing>(in, kind, value, object, out);
  if (kind == "link_check") return read_step<LinkCheck>(in, kind, value, object, out);
  return keep_raw(kind, value, out);
}

}  // namespace kua::protocol::json
