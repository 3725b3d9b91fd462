// The order of members in the writer is the canonical one; the tables of the reader follow it.
#include "protocol/target_list.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "protocol/json_fields.h"
#include "protocol/json_writer.h"
#include "protocol/target_url.h"

namespace kua::protocol {
namespace {

using json::Field;
using json::In;
using json::Value;
using Resolver = TargetList::TrustedResolver;

constexpr auto kRequired = json::Presence::required;
constexpr auto kOptional = json::Presence::optional;
constexpr std::string_view kFormat = "kua/1 targets";

constexpr std::size_t kTargetsMax = 20'000;  // ten times the longest list in use
constexpr std::size_t kFingerprintsMax = 20'000;
constexpr std::size_t kRootsMax = 1'000;
constexpr std::size_t kAddressesMax = 256;
constexpr std::size_t kEndpointsMax = 32;
constexpr std::size_t kCountriesMax = 300;
constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kPatternBytesMax = 4096;

const IpAddress kNoAddress = *IpAddress::parse("0.0.0.0");
const Endpoint kNoEndpoint{kNoAddress, 0, Transport::tcp};
const Prefix kNoPrefix = Prefix::of(kNoAddress, 0);
const Target kNoTarget{*TargetId::parse("none"), {}, {}, ServiceRule::any, {}, Tier::full,
                       ControlScope::none,       {}};

// Fingerprint's words, and those of the transports.
template <typename T>
struct Word {
  std::string_view text;
  T value;
};
constexpr std::array<Word<Fingerprint::Where>, 5> kPlaces{
    {{"body", Fingerprint::Where::body},
     {"title", Fingerprint::Where::title},
     {"header", Fingerprint::Where::header},
     {"location", Fingerprint::Where::location},
     {"dns_answer", Fingerprint::Where::dns_answer}}};
constexpr std::array<Word<Fingerprint::Match>, 3> kMatches{
    {{"full", Fingerprint::Match::full},
     {"prefix", Fingerprint::Match::prefix},
     {"contains", Fingerprint::Match::contains}}};
constexpr std::array<Word<Transport>, 2> kTransports{
    {{"tcp", Transport::tcp}, {"udp", Transport::udp}}};

template <typename T, std::size_t N>
bool read_word(In& in, Value value, const std::array<Word<T>, N>& words, T& out) {
  std::string_view text;
  if (!in.view(value, text, kTextBytesMax)) return false;
  const auto word = std::ranges::find(words, text, &Word<T>::text);
  if (word == words.end()) return in.refuse("not a word of its set");
  out = word->value;
  return true;
}

template <typename T, std::size_t N>
std::string_view word_of(const std::array<Word<T>, N>& words, T value) {
  const auto word = std::ranges::find(words, value, &Word<T>::value);
  return word == words.end() ? "" : word->text;
}

bool read_endpoint(In& in, Value value, Endpoint& out) {
  std::string_view text;
  if (!in.view(value, text, kTextBytesMax)) return false;
  const auto endpoint = Endpoint::parse(text, Transport::tcp);
  if (!endpoint) return in.refuse("not an address with a port");
  out = *endpoint;
  return true;
}

bool read_address(In& in, Value value, IpAddress& out) { return in.parsed(value, out); }
bool read_prefix(In& in, Value value, Prefix& out) { return in.parsed(value, out); }
bool read_country(In& in, Value value, CountryCode& out) { return in.parsed(value, out); }

bool read_optional_country(In& in, Value value, std::optional<CountryCode>& out) {
  return in.parsed(value, out.emplace(*CountryCode::parse("ZZ")));
}

// A URL that is in its normal form already: what is signed is what is contacted.
bool read_url(In& in, Value value, std::string& out) {
  if (!in.text(value, out, kUrlBytesMax)) return false;
  const auto url = parse_target_url(out);
  return url && url->text() == out ? true : in.refuse("not a URL in its normal form");
}

constexpr std::array<Field<ServiceEndpoint>, 4> kServiceEndpointFields{{
    {"host", kRequired,
     [](In& in, Value value, ServiceEndpoint& out) {
       if (!in.text(value, out.host, kTextBytesMax)) return false;
       return DomainName::parse(out.host) || IpAddress::parse(out.host) ? true
                                                                        : in.refuse("not a host");
     }},
    {"port", kRequired,
     [](In& in, Value value, ServiceEndpoint& out) {
       return in.number(value, out.port) && (out.port != 0 || in.refuse("not a port"));
     }},
    {"transport", kRequired,
     [](In& in, Value value, ServiceEndpoint& out) {
       return read_word(in, value, kTransports, out.transport);
     }},
    {"tls", kRequired,
     [](In& in, Value value, ServiceEndpoint& out) { return in.flag(value, out.tls); }},
}};

constexpr std::array<Field<Target>, 8> kTargetFields{{
    {"id", kRequired, [](In& in, Value value, Target& out) { return in.parsed(value, out.id); }},
    {"url", kOptional,
     [](In& in, Value value, Target& out) { return read_url(in, value, out.url); }},
    {"endpoints", kOptional,
     [](In& in, Value value, Target& out) {
       return in.list(value, out.endpoints, kEndpointsMax, ServiceEndpoint{},
                      [](In& i, Value item, ServiceEndpoint& endpoint) {
                        return read_object(i, item, kServiceEndpointFields, endpoint);
                      });
     }},
    {"rule", kOptional,
     [](In& in, Value value, Target& out) {
       return in.word(value, out.rule, &parse_service_rule);
     }},
    {"category", kRequired,
     [](In& in, Value value, Target& out) { return in.text(value, out.category, kTextBytesMax); }},
    {"tier", kRequired,
     [](In& in, Value value, Target& out) { return in.word(value, out.tier, &parse_tier); }},
    {"scope", kOptional,
     [](In& in, Value value, Target& out) {
       return in.word(value, out.scope, &parse_control_scope);
     }},
    {"country", kOptional,
     [](In& in, Value value, Target& out) {
       return read_optional_country(in, value, out.country);
     }},
}};

bool read_target(In& in, Value value, Target& out) {
  if (!read_object(in, value, kTargetFields, out)) return false;
  return out.url.empty() != out.endpoints.empty() ? true
                                                  : in.refuse("needs either a url or endpoints");
}

constexpr std::array<Field<Resolver>, 4> kResolverFields{{
    {"name", kRequired,
     [](In& in, Value value, Resolver& out) { return in.text(value, out.name, kTextBytesMax); }},
    {"doh_url", kOptional,
     [](In& in, Value value, Resolver& out) { return read_url(in, value, out.doh_url); }},
    {"addresses", kRequired,
     [](In& in, Value value, Resolver& out) {
       return in.list(value, out.addresses, kAddressesMax, kNoAddress, read_address);
     }},
    {"udp", kRequired, [](In& in, Value value, Resolver& out) { return in.flag(value, out.udp); }},
}};

constexpr std::array<Field<Fingerprint>, 6> kFingerprintFields{{
    {"name", kRequired,
     [](In& in, Value value, Fingerprint& out) { return in.text(value, out.name, kTextBytesMax); }},
    {"where", kRequired,
     [](In& in, Value value, Fingerprint& out) {
       return read_word(in, value, kPlaces, out.where);
     }},
    {"match", kRequired,
     [](In& in, Value value, Fingerprint& out) {
       return read_word(in, value, kMatches, out.match);
     }},
    {"header", kOptional,
     [](In& in, Value value, Fingerprint& out) {
       return in.text(value, out.header, kTextBytesMax);
     }},
    {"pattern", kRequired,
     [](In& in, Value value, Fingerprint& out) {
       if (!in.text(value, out.pattern, kPatternBytesMax)) return false;
       return !out.pattern.empty() || in.refuse("matches everything");
     }},
    {"countries", kOptional,
     [](In& in, Value value, Fingerprint& out) {
       return in.list(value, out.countries, kCountriesMax, *CountryCode::parse("ZZ"), read_country);
     }},
}};

constexpr std::array<Field<InterceptionRoot>, 3> kRootFields{{
    {"name", kRequired,
     [](In& in, Value value, InterceptionRoot& out) {
       return in.text(value, out.name, kTextBytesMax);
     }},
    {"spki_sha256", kOptional,
     [](In& in, Value value, InterceptionRoot& out) { return in.hex(value, out.spki_sha256, 64); }},
    {"subject", kOptional,
     [](In& in, Value value, InterceptionRoot& out) {
       return in.text(value, out.subject, kPatternBytesMax);
     }},
}};

bool read_root(In& in, Value value, InterceptionRoot& out) {
  if (!read_object(in, value, kRootFields, out)) return false;
  return !out.subject.empty() || !out.spki_sha256.empty() || in.refuse("names no certificate");
}

constexpr std::array<Field<TargetList>, 13> kListFields{{
    {"format", kRequired,
     [](In& in, Value value, TargetList&) {
       std::string_view format;
       if (!in.view(value, format, kTextBytesMax)) return false;
       return format == kFormat ? true : in.refuse("not kua/1 targets");
     }},
    {"serial", kRequired,
     [](In& in, Value value, TargetList& out) { return in.number(value, out.serial); }},
    {"issued", kRequired,
     [](In& in, Value value, TargetList& out) { return in.time(value, out.issued); }},
    {"expires", kRequired,
     [](In& in, Value value, TargetList& out) { return in.time(value, out.expires); }},
    {"country", kOptional,
     [](In& in, Value value, TargetList& out) {
       return read_optional_country(in, value, out.country);
     }},
    {"targets", kRequired,
     [](In& in, Value value, TargetList& out) {
       return in.list(value, out.targets, kTargetsMax, kNoTarget, read_target);
     }},
    {"witnesses", kOptional,
     [](In& in, Value value, TargetList& out) {
       return in.list(value, out.witnesses, kAddressesMax, kNoEndpoint, read_endpoint);
     }},
    {"no_resolvers", kOptional,
     [](In& in, Value value, TargetList& out) {
       return in.list(value, out.no_resolvers, kAddressesMax, kNoAddress, read_address);
     }},
    {"trusted_resolvers", kOptional,
     [](In& in, Value value, TargetList& out) {
       return in.list(value, out.trusted_resolvers, kAddressesMax, Resolver{},
                      [](In& i, Value item, Resolver& resolver) {
                        return read_object(i, item, kResolverFields, resolver);
                      });
     }},
    {"harmless_name", kOptional,
     [](In& in, Value value, TargetList& out) {
       if (!in.text(value, out.harmless_name, kTextBytesMax)) return false;
       return DomainName::parse(out.harmless_name) ? true : in.refuse("not a DNS name");
     }},
    {"fingerprints", kOptional,
     [](In& in, Value value, TargetList& out) {
       return in.list(value, out.fingerprints, kFingerprintsMax, Fingerprint{},
                      [](In& i, Value item, Fingerprint& sign) {
                        return read_object(i, item, kFingerprintFields, sign);
                      });
     }},
    {"interception_roots", kOptional,
     [](In& in, Value value, TargetList& out) {
       return in.list(value, out.interception_roots, kRootsMax, InterceptionRoot{}, read_root);
     }},
    {"routable", kOptional,
     [](In& in, Value value, TargetList& out) {
       return in.list(value, out.routable, kAddressesMax, kNoPrefix, read_prefix);
     }},
}};

Expected<void> check(const TargetList& list) {
  constexpr std::string_view kDoing = "reading a target list";
  if (list.expires <= list.issued || list.expires - list.issued > kTargetListLifeMax) {
    return fail(ErrorKind::invalid_input, "expires: not within 14 days of its issue",
                std::string(kDoing));
  }
  std::unordered_set<TargetId> ids;
  for (const auto& target : list.targets) {
    if (!ids.insert(target.id).second) {
      return fail(ErrorKind::invalid_input, "targets: " + target.id.text() + " stands twice",
                  std::string(kDoing));
    }
  }
  return {};
}

template <typename T, typename Write>
void write_array(JsonWriter& json, std::string_view name, const std::vector<T>& items,
                 Write write) {
  if (items.empty()) return;
  json.array(name);
  for (const auto& item : items) write(item);
  json.end_array();
}

void optional_text(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.text(name, value);
}

void write_target(JsonWriter& json, const Target& target) {
  json.begin_object();
  json.text("id", target.id.text());
  optional_text(json, "url", target.url);
  write_array(json, "endpoints", target.endpoints, [&](const ServiceEndpoint& endpoint) {
    json.begin_object();
    json.text("host", endpoint.host);
    json.number("port", endpoint.port);
    json.text("transport", word_of(kTransports, endpoint.transport));
    json.flag("tls", endpoint.tls);
    json.end_object();
  });
  if (!target.endpoints.empty()) json.text("rule", to_string(target.rule));
  json.text("category", target.category);
  json.text("tier", to_string(target.tier));
  if (target.scope != ControlScope::none) json.text("scope", to_string(target.scope));
  if (target.country) json.text("country", target.country->text());
  json.end_object();
}

void write_resolver(JsonWriter& json, const Resolver& resolver) {
  json.begin_object();
  json.text("name", resolver.name);
  optional_text(json, "doh_url", resolver.doh_url);
  json.array("addresses");
  for (const auto& address : resolver.addresses) json.text(address.text());
  json.end_array();
  json.flag("udp", resolver.udp);
  json.end_object();
}

void write_fingerprint(JsonWriter& json, const Fingerprint& sign) {
  json.begin_object();
  json.text("name", sign.name);
  json.text("where", word_of(kPlaces, sign.where));
  json.text("match", word_of(kMatches, sign.match));
  optional_text(json, "header", sign.header);
  json.text("pattern", sign.pattern);
  write_array(json, "countries", sign.countries,
              [&](const CountryCode& country) { json.text(country.text()); });
  json.end_object();
}

void write_root(JsonWriter& json, const InterceptionRoot& root) {
  json.begin_object();
  json.text("name", root.name);
  optional_text(json, "spki_sha256", root.spki_sha256);
  optional_text(json, "subject", root.subject);
  json.end_object();
}

}  // namespace

std::string write_target_list(const TargetList& list) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.text("format", kFormat);
  json.number("serial", list.serial);
  json.text("issued", to_rfc3339(list.issued));
  json.text("expires", to_rfc3339(list.expires));
  if (list.country) json.text("country", list.country->text());
  json.array("targets");
  for (const auto& target : list.targets) write_target(json, target);
  json.end_array();
  write_array(json, "witnesses", list.witnesses,
              [&](const Endpoint& endpoint) { json.text(endpoint.text()); });
  write_array(json, "no_resolvers", list.no_resolvers,
              [&](const IpAddress& address) { json.text(address.text()); });
  write_array(json, "trusted_resolvers", list.trusted_resolvers,
              [&](const Resolver& resolver) { write_resolver(json, resolver); });
  optional_text(json, "harmless_name", list.harmless_name);
  write_array(json, "fingerprints", list.fingerprints,
              [&](const Fingerprint& sign) { write_fingerprint(json, sign); });
  write_array(json, "interception_roots", list.interception_roots,
              [&](const InterceptionRoot& root) { write_root(json, root); });
  write_array(json, "routable", list.routable,
              [&](const Prefix& prefix) { json.text(prefix.text()); });
  json.end_object();
  return out;
}

Expected<TargetList> read_target_list(std::string_view text) {
  auto list = json::read_document(text, kTargetListBytesMax, kListFields, TargetList{},
                                  "reading a target list");
  if (!list) return list;
  if (const auto checked = check(*list); !checked) return std::unexpected(checked.error());
  return list;
}

}  // namespace kua::protocol
