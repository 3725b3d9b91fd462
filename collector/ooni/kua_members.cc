#include "collector/ooni/kua_members.h"

#include <algorithm>
#include <array>
#include <limits>

#include "collector/ooni/flows.h"
#include "protocol/record_limits.h"

namespace kua::collector::ooni {
namespace {

constexpr std::size_t kTagsMax = 16;
constexpr std::size_t kWordBytesMax = 256;

// Scalars that are kept as they are. Addresses of resolvers are not among them: they may be the
// home's.
constexpr std::array<std::string_view, 8> kKept = {
    "engine",  "query_type", "getaddrinfo_error", "no_tls_verify", "outer_server_name", "alpn",
    "network", "rcode"};

const json::object* kua_of(const json::object& event) { return object_of(event, kKuaMember); }

template <typename T>
void read_number(const json::object& object, std::string_view key, T& out) {
  const auto number = integer_of(object, key);
  if (number && *number >= 0 &&
      static_cast<std::uint64_t>(*number) <= std::numeric_limits<T>::max()) {
    out = static_cast<T>(*number);
  }
}

void read_context(const json::object& kua, StepContext& step) {
  if (const auto role = parse_step_role(text_of(kua, "role"))) step.role = *role;
  if (const auto host = host_of(text_of(kua, "host"))) step.host = *host;
  read_number(kua, "hop", step.hop);
  const json::object* failure = object_of(kua, "failure");
  if (failure == nullptr) return;
  const auto operation = parse_operation(text_of(*failure, "operation"));
  if (!operation || text_of(*failure, "code").empty()) return;
  step.failure = Failure{parse_failure_code(text_of(*failure, "code")), *operation};
}

json::object context_members(const StepContext& step) {
  json::object out;
  out["role"] = to_string(step.role);
  out["host"] = step.host;
  out["hop"] = step.hop;
  if (step.failure) {
    out["failure"] = {{"code", to_string(step.failure->code)},
                      {"operation", to_string(step.failure->operation)}};
  }
  return out;
}

std::optional<std::string> hex_of(std::string_view text) {
  const bool good = text.size() == 64 && std::ranges::all_of(text, [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                    });
  return good ? std::optional(std::string(text)) : std::nullopt;
}

// Certificates whose bytes a record does not hold: their facts alone.
void read_chain(const json::object& kua, std::vector<Certificate>& known) {
  const json::array* chain = list_of(kua, "chain");
  if (chain == nullptr) return;
  std::vector<Certificate> out;
  for (const json::value& item : *chain) {
    const json::object* one = item.if_object();
    if (one == nullptr || out.size() >= protocol::kCertificatesMax) return;
    const auto sha256 = hex_of(text_of(*one, "sha256"));
    const auto spki = hex_of(text_of(*one, "spki_sha256"));
    if (!sha256 || !spki) return;
    Certificate certificate;
    certificate.sha256 = *sha256;
    certificate.spki_sha256 = *spki;
    certificate.subject = text_of(*one, "subject").substr(0, protocol::kDistinguishedNameBytesMax);
    certificate.issuer = text_of(*one, "issuer").substr(0, protocol::kDistinguishedNameBytesMax);
    const auto same = std::ranges::find(known, *sha256, &Certificate::sha256);
    if (same != known.end()) certificate.der = same->der;
    out.push_back(std::move(certificate));
  }
  known = std::move(out);
}

json::array chain_members(const std::vector<Certificate>& known) {
  json::array chain;
  for (const Certificate& certificate : known) {
    chain.push_back({{"sha256", certificate.sha256},
                     {"spki_sha256", certificate.spki_sha256},
                     {"subject", certificate.subject},
                     {"issuer", certificate.issuer}});
  }
  return chain;
}

}  // namespace

void keep_ooni_members(const json::object& event, UnknownMembers& out) {
  json::object kept;
  if (const auto id = transaction_of(event)) kept["transaction_id"] = *id;
  if (const json::array* tags = list_of(event, "tags")) {
    json::array words;
    for (const json::value& tag : *tags) {
      const std::string_view word = view_of(tag);
      if (!word.empty() && word.size() <= kWordBytesMax && words.size() < kTagsMax)
        words.push_back(tag);
    }
    if (!words.empty()) kept["tags"] = std::move(words);
  }
  for (const std::string_view key : kKept) {
    const json::value* value = find(event, key);
    const bool small = value != nullptr && (value->is_int64() || value->is_bool() ||
                                            (value->is_string() && !view_of(*value).empty() &&
                                             view_of(*value).size() <= kWordBytesMax));
    if (small) kept[key_text(key)] = *value;
  }
  if (!kept.empty()) out.emplace_back(kOoniMember, json::serialize(kept));
}

json::object kept_ooni_members(const UnknownMembers& unknown) {
  for (const auto& [name, text] : unknown) {
    if (name != kOoniMember) continue;
    json::error_code error;
    const json::value value = json::parse(text, error);
    if (!error && value.is_object()) return value.get_object();
  }
  return {};
}

std::optional<std::int64_t> ooni_transaction(const UnknownMembers& unknown) {
  return transaction_of(kept_ooni_members(unknown));
}

void read_kua_members(const json::object& event, Lookup& step) {
  if (const json::object* kua = kua_of(event)) {
    read_context(*kua, step);
    if (text_of(*kua, "resolver") == "private") step.resolver = "private";
    if (step.engine == ResolverEngine::system) {
      const auto resolver = Endpoint::parse(text_of(*kua, "resolver"), Transport::udp);
      if (resolver) step.resolver = resolver->text();
    }
  }
}

void read_kua_members(const json::object& event, Connect& step) {
  const json::object* kua = kua_of(event);
  if (kua == nullptr) return;
  read_context(*kua, step);
  const json::object* icmp = object_of(*kua, "icmp");
  if (icmp == nullptr) return;
  const auto origin = parse_icmp_origin(text_of(*icmp, "origin"));
  if (!origin) return;
  IcmpError error;
  error.origin = *origin;
  read_number(*icmp, "type", error.type);
  read_number(*icmp, "code", error.code);
  step.icmp = error;
}

void read_kua_members(const json::object& event, TlsHandshake& step) {
  const json::object* kua = kua_of(event);
  if (kua == nullptr) return;
  read_context(*kua, step);
  if (const auto trust = parse_chain_trust(text_of(*kua, "trust"))) step.trust = *trust;
  if (find(*kua, "alert") != nullptr) read_number(*kua, "alert", step.alert.emplace());
  step.client_hello_sent = flag_of(*kua, "client_hello_sent");
  read_number(*kua, "bytes_received", step.bytes_received);
  read_chain(*kua, step.chain);
}

void read_kua_members(const json::object& event, HttpRoundTrip& step) {
  const json::object* kua = kua_of(event);
  if (kua == nullptr) return;
  read_context(*kua, step);
  step.request_sent = flag_of(*kua, "request_sent");
  step.title = text_of(*kua, "title").substr(0, protocol::kTitleBytesMax);
  step.body_truncated = flag_of(*kua, "body_truncated");
  step.body_sha256 = hex_of(text_of(*kua, "body_sha256")).value_or("");
  read_number(*kua, "body_bytes", step.body_bytes);
  read_number(*kua, "bytes_received", step.bytes_received);
}

json::object kua_members(const Lookup& step) {
  json::object out = context_members(step);
  if (!step.resolver.empty()) out["resolver"] = step.resolver;
  return out;
}

json::object kua_members(const Connect& step) {
  json::object out = context_members(step);
  if (step.icmp) {
    out["icmp"] = {{"type", step.icmp->type},
                   {"code", step.icmp->code},
                   {"origin", to_string(step.icmp->origin)}};
  }
  return out;
}

json::object kua_members(const TlsHandshake& step) {
  json::object out = context_members(step);
  out["trust"] = to_string(step.trust);
  if (step.alert) out["alert"] = *step.alert;
  out["client_hello_sent"] = step.client_hello_sent;
  out["bytes_received"] = step.bytes_received;
  if (!step.chain.empty()) out["chain"] = chain_members(step.chain);
  return out;
}

json::object kua_members(const HttpRoundTrip& step) {
  json::object out = context_members(step);
  out["request_sent"] = step.request_sent;
  if (!step.title.empty()) out["title"] = step.title;
  if (!step.body_sha256.empty()) out["body_sha256"] = step.body_sha256;
  out["body_truncated"] = step.body_truncated;
  out["body_bytes"] = step.body_bytes;
  out["bytes_received"] = step.bytes_received;
  return out;
}

void read_kua_members(const json::object& event, QuicHandshake& step) {
  const json::object* kua = kua_of(event);
  if (kua == nullptr) return;
  read_context(*kua, step);
  if (const auto trust = parse_chain_trust(text_of(*kua, "trust"))) step.trust = *trust;
  step.version = text_of(*kua, "version").substr(0, protocol::kNameBytesMax);
  const auto close = integer_of(*kua, "close_code");
  if (close && *close >= 0) step.close_code = static_cast<std::uint64_t>(*close);
  step.initial_sent = flag_of(*kua, "initial_sent");
  read_number(*kua, "replies", step.replies);
  read_number(*kua, "bytes_received", step.bytes_received);
  read_chain(*kua, step.chain);
}

json::object kua_members(const QuicHandshake& step) {
  json::object out = context_members(step);
  out["trust"] = to_string(step.trust);
  out["version"] = step.version;
  if (step.close_code) out["close_code"] = *step.close_code;
  out["initial_sent"] = step.initial_sent;
  out["replies"] = step.replies;
  out["bytes_received"] = step.bytes_received;
  if (!step.chain.empty()) out["chain"] = chain_members(step.chain);
  return out;
}

}  // namespace kua::collector::ooni
