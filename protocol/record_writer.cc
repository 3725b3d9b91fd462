// The order of members here is the format's canonical order (docs/record-format.md).
#include <algorithm>
#include <string>

#include "measurement/check.h"
#include "protocol/json_writer.h"
#include "protocol/record_codec.h"

namespace kua::protocol {
namespace {

void optional_text(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.text(name, value);
}

void optional_flag(JsonWriter& json, std::string_view name, bool value) {
  if (value) json.flag(name, value);
}

void optional_base64(JsonWriter& json, std::string_view name, std::string_view bytes) {
  if (!bytes.empty()) json.base64(name, bytes);
}

void write_unknown(JsonWriter& json, const UnknownMembers& members) {
  for (const auto& [name, value] : members) json.raw(name, value);
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.array(name);
  for (const auto& text : texts) json.text(text);
  json.end_array();
}

void write_vantage(JsonWriter& json, const Vantage& vantage) {
  json.object("vantage");
  json.text("country", vantage.country.text());
  json.number("asn", vantage.asn.number);
  if (vantage.region) json.text("region", vantage.region->text());
  json.text("network_type", to_string(vantage.network_type));
  json.text("resolver_class", to_string(vantage.resolver_class));
  json.number("resolver_asn", vantage.resolver_asn.number);
  const auto& faults = vantage.faults;
  if (faults != Vantage::Faults{}) {
    json.array("faults");
    if (faults.vpn) json.text("vpn");
    if (faults.ipv6_broken) json.text("ipv6_broken");
    if (faults.clock_wrong) json.text("clock_wrong");
    if (faults.tls_inspected) json.text("tls_inspected");
    if (faults.nat64) json.text("nat64");
    json.end_array();
  }
  json.end_object();
}

void write_header(JsonWriter& json, std::string_view kind, const RecordHeader& header) {
  json.text("format", kRecordFormat);
  json.text("kind", kind);
  json.text("id", header.id.text());
  json.text("probe", header.probe.text());
  json.text("role", to_string(header.role));
  json.text("software", header.software);
  json.text("time", to_rfc3339(header.time));
  json.number("monotonic_us", header.monotonic.time_since_epoch().count());
  json.text("boot", header.boot);
  write_vantage(json, header.vantage);
  if (header.origin) {
    json.object("origin");
    json.text("source", header.origin->source);
    json.text("licence", header.origin->licence);
    optional_text(json, "id", header.origin->id);
    json.end_object();
  }
}

void write_context(JsonWriter& json, std::string_view kind, const StepContext& context) {
  json.text("kind", kind);
  optional_text(json, "host", context.host);
  if (context.hop != 0) json.number("hop", context.hop);
  if (context.role != StepRole::main) json.text("role", to_string(context.role));
  json.number("offset_us", context.offset.count());
  json.number("duration_us", context.duration.count());
  if (context.failure) {
    json.object("failure");
    json.text("code", to_string(context.failure->code));
    json.text("operation", to_string(context.failure->operation));
    json.end_object();
  }
}

// Port 0 stands for a step that came to no endpoint.
void write_endpoint(JsonWriter& json, const Endpoint& endpoint) {
  if (endpoint.port != 0) json.text("endpoint", endpoint.text());
  if (endpoint.transport != Transport::tcp) json.text("transport", to_string(endpoint.transport));
}

void write_reply(JsonWriter& json, const DnsReply& reply) {
  json.begin_object();
  json.number("offset_us", reply.offset.count());
  json.number("rcode", reply.rcode);
  if (!reply.addresses.empty()) {
    json.array("addresses");
    for (const auto& address : reply.addresses) json.text(address.text());
    json.end_array();
  }
  write_texts(json, "cnames", reply.cnames);
  if (reply.ttl_seconds) json.number("ttl_s", *reply.ttl_seconds);
  optional_base64(json, "raw", reply.raw);
  json.end_object();
}

void write_certificate(JsonWriter& json, const Certificate& certificate) {
  json.begin_object();
  json.text("sha256", certificate.sha256);
  json.text("spki_sha256", certificate.spki_sha256);
  optional_text(json, "subject", certificate.subject);
  optional_text(json, "issuer", certificate.issuer);
  optional_base64(json, "der", certificate.der);
  json.end_object();
}

void write_chain(JsonWriter& json, const std::vector<Certificate>& chain) {
  if (chain.empty()) return;
  json.array("chain");
  for (const auto& certificate : chain) write_certificate(json, certificate);
  json.end_array();
}

void write_step(JsonWriter& json, const Lookup& step) {
  json.text("engine", to_string(step.engine));
  optional_text(json, "resolver", step.resolver);
  json.text("name", step.name.text());
  json.text("type", to_string(step.type));
  if (step.reply) {
    json.name("reply");
    write_reply(json, *step.reply);
  }
  if (!step.late.empty()) {
    json.array("late");
    for (const auto& reply : step.late) write_reply(json, reply);
    json.end_array();
  }
}

void write_step(JsonWriter& json, const Connect& step) {
  write_endpoint(json, step.endpoint);
  if (step.icmp) {
    json.object("icmp");
    json.number("type", step.icmp->type);
    json.number("code", step.icmp->code);
    json.text("origin", to_string(step.icmp->origin));
    json.end_object();
  }
}

void write_step(JsonWriter& json, const TlsHandshake& step) {
  write_endpoint(json, step.endpoint);
  if (step.server_name) json.text("server_name", *step.server_name);
  optional_text(json, "version", step.version);
  optional_text(json, "cipher", step.cipher);
  optional_text(json, "alpn", step.alpn);
  if (step.alert) json.number("alert", *step.alert);
  optional_flag(json, "client_hello_sent", step.client_hello_sent);
  json.number("bytes_received", step.bytes_received);
  json.text("trust", to_string(step.trust));
  write_chain(json, step.chain);
}

void write_step(JsonWriter& json, const HttpRoundTrip& step) {
  write_endpoint(json, step.endpoint);
  json.text("url", step.url);
  json.text("method", step.method);
  optional_flag(json, "over_tls", step.over_tls);
  optional_flag(json, "request_sent", step.request_sent);
  if (step.status) json.number("status", *step.status);
  if (!step.headers.empty()) {
    json.array("headers");
    for (const auto& [name, value] : step.headers) {
      json.begin_array();
      json.text(name);
      json.text(value);
      json.end_array();
    }
    json.end_array();
  }
  optional_text(json, "title", step.title);
  json.number("bytes_received", step.bytes_received);
  if (step.last_byte) json.number("last_byte_us", step.last_byte->count());
  json.number("body_bytes", step.body_bytes);
  optional_flag(json, "body_truncated", step.body_truncated);
  optional_text(json, "body_sha256", step.body_sha256);
  optional_base64(json, "body_sample", step.body_sample);
}

void write_step(JsonWriter& json, const QuicHandshake& step) {
  write_endpoint(json, step.endpoint);
  if (step.server_name) json.text("server_name", *step.server_name);
  optional_text(json, "version", step.version);
  optional_text(json, "cipher", step.cipher);
  optional_text(json, "alpn", step.alpn);
  if (step.close_code) json.number("close_code", *step.close_code);
  optional_flag(json, "initial_sent", step.initial_sent);
  json.number("replies", step.replies);
  json.number("bytes_received", step.bytes_received);
  json.text("trust", to_string(step.trust));
  write_chain(json, step.chain);
}

void write_step(JsonWriter& json, const QuicPing& step) {
  write_endpoint(json, step.endpoint);
  if (!step.versions.empty()) {
    json.array("versions");
    for (const std::uint32_t version : step.versions) json.number(version);
    json.end_array();
  }
  json.number("bytes_received", step.bytes_received);
}

void write_step(JsonWriter& json, const LinkCheck& step) {
  json.text("subject", to_string(step.subject));
  optional_text(json, "target", step.target);
  optional_flag(json, "reached", step.reached);
  if (step.server_date) json.text("server_date", to_rfc3339(*step.server_date));
}

struct KindName {
  std::string_view operator()(const Lookup&) const { return "lookup"; }
  std::string_view operator()(const Connect&) const { return "connect"; }
  std::string_view operator()(const TlsHandshake&) const { return "tls_handshake"; }
  std::string_view operator()(const HttpRoundTrip&) const { return "http_round_trip"; }
  std::string_view operator()(const LinkCheck&) const { return "link_check"; }
  std::string_view operator()(const QuicHandshake&) const { return "quic_handshake"; }
  std::string_view operator()(const QuicPing&) const { return "quic_ping"; }
};

struct ObservationWriter {
  JsonWriter& json;
  template <typename Step>
  void operator()(const Step& step) const {
    json.begin_object();
    write_context(json, KindName()(step), step);
    write_step(json, step);
    write_unknown(json, step.unknown);
    json.end_object();
  }
  void operator()(const UnknownObservation& observation) const { json.raw(observation.json); }
};

void write_body(JsonWriter& json, const Measurement& measurement) {
  write_header(json, "measurement", measurement.header);
  json.text("experiment", measurement.experiment);
  json.number("experiment_version", measurement.experiment_version);
  json.text("target", measurement.target.text());
  json.text("input", measurement.input);
  optional_text(json, "category", measurement.category);
  json.text("tier", to_string(measurement.tier));
  json.text("link_state", to_string(measurement.link_state));
  json.text("validity", to_string(measurement.validity));
  optional_text(json, "validity_reason", measurement.validity_reason);
  json.number("runtime_us", measurement.runtime.count());
  json.number("bytes_sent", measurement.bytes_sent);
  json.number("bytes_received", measurement.bytes_received);
  if (!measurement.limits.empty()) {
    json.object("limits");
    for (const auto& [name, count] : measurement.limits) json.number(name, count);
    json.end_object();
  }
  write_texts(json, "missing", measurement.missing);
  json.array("observations");
  for (const auto& observation : measurement.observations)
    std::visit(ObservationWriter{json}, observation);
  json.end_array();
  write_unknown(json, measurement.header.unknown);
}

// Minute i is bit i mod 8, counted from the least significant, of byte i / 8.
void write_bitmap(JsonWriter& json, std::string_view name, const MinuteBitmap& minutes) {
  constexpr std::size_t kWordBits = 64;
  const MinuteBitmap low_word(~std::uint64_t{0});
  std::string bytes;
  auto rest = minutes;
  for (std::size_t at = 0; at < kMinutesPerDay; at += kWordBits) {
    const std::uint64_t word = (rest & low_word).to_ullong();
    for (std::size_t bit = 0; bit < std::min(kWordBits, kMinutesPerDay - at); bit += 8) {
      bytes.push_back(static_cast<char>(word >> bit));
    }
    rest >>= kWordBits;
  }
  json.base64(name, bytes);
}

void write_body(JsonWriter& json, const MinuteSummary& summary) {
  write_header(json, "minute_summary", summary.header);
  json.number("revision", summary.revision);
  json.object("minutes");
  write_bitmap(json, "watched", summary.watched);
  write_bitmap(json, "link_up", summary.link_up);
  write_bitmap(json, "gateway", summary.gateway);
  write_bitmap(json, "resolver", summary.resolver);
  write_bitmap(json, "national", summary.national);
  write_bitmap(json, "international", summary.international);
  json.end_object();
  write_unknown(json, summary.header.unknown);
}

void append_line(const Record& record, std::string& out) {
  JsonWriter json(out);
  json.begin_object();
  std::visit([&json](const auto& body) { write_body(json, body); }, record);
  json.end_object();
}

}  // namespace

std::string write_record(const Record& record) {
  std::string out;
  out.reserve(4096);
  append_line(record, out);
  return out;
}

void append_record(const Record& record, std::string& out) {
  append_line(record, out);
  out.push_back('\n');
}

}  // namespace kua::protocol
