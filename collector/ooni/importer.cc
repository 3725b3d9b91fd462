#include "collector/ooni/importer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "collector/ooni/flows.h"
#include "collector/ooni/import_control.h"
#include "collector/ooni/import_steps.h"
#include "collector/ooni/json.h"
#include "collector/ooni/kua_members.h"
#include "collector/ooni/words.h"
#include "protocol/record_codec.h"
#include "protocol/record_limits.h"
#include "protocol/target_url.h"

namespace kua::collector::ooni {
namespace {

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kIdBytesMax = 200;

// What an export needs again and we have no place for. `control` is kept whole where it is small.
constexpr std::array<std::string_view, 12> kEnvelope = {
    "data_format_version", "measurement_uid", "probe_network_name",    "report_id",
    "resolver_asn",        "resolver_ip",     "resolver_network_name", "software_name",
    "software_version",    "test_start_time", "test_version",          "test_runtime"};
constexpr std::array<std::string_view, 18> kTestKeys = {"accessible",
                                                        "agent",
                                                        "blocking",
                                                        "body_length_match",
                                                        "body_proportion",
                                                        "client_resolver",
                                                        "control_failure",
                                                        "dns_consistency",
                                                        "dns_experiment_failure",
                                                        "headers_match",
                                                        "http_experiment_failure",
                                                        "retries",
                                                        "status_code_match",
                                                        "title_match",
                                                        "x_blocking_flags",
                                                        "x_dns_flags",
                                                        "x_null_null_flags",
                                                        "x_status"};
constexpr std::size_t kKeptControlBytesMax = 32 * 1024;
constexpr std::size_t kKeptTextBytesMax = 512;

std::unexpected<Error> refuse(const char* reason) {
  return fail(ErrorKind::invalid_input, reason, "reading an OONI measurement");
}

// "2022-01-05 10:55:00"; the archive's older lines have a T and a Z.
std::optional<WallTime> time_of(std::string_view text) {
  std::string rfc(text);
  if (rfc.size() == 19 && rfc[10] == ' ') {
    rfc[10] = 'T';
    rfc += 'Z';
  }
  return parse_rfc3339(rfc);
}

Asn asn_of(std::string_view text) {
  Asn asn;
  if (!text.starts_with("AS")) return asn;
  const auto read = std::from_chars(text.data() + 2, text.data() + text.size(), asn.number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) asn.number = 0;
  return asn;
}

// Only the network's own resolver may accuse the network, and a filter at home that forwards to it
// looks the same from its egress: one inside the probe's network is the network's only for who says
// so.
ResolverClass resolver_class_of(Asn probe, Asn resolver, InsideResolver inside) {
  if (probe.number == 0 || resolver.number == 0) return ResolverClass::unknown;
  if (probe != resolver) return ResolverClass::third_party;
  switch (inside) {
    case InsideResolver::unknown:
      return ResolverClass::unknown;
    case InsideResolver::network:
      return ResolverClass::network;
  }
  return ResolverClass::unknown;
}

bool takes_version(std::string_view version) {
  return version.starts_with("0.4.") || version.starts_with("0.5.");
}

template <std::size_t N>
json::object kept(const json::object& from, const std::array<std::string_view, N>& keys) {
  json::object out;
  for (const std::string_view key : keys) {
    const json::value* value = find(from, key);
    if (value == nullptr || value->is_object() || value->is_array()) continue;
    if (value->is_string() && view_of(*value).size() > kKeptTextBytesMax) continue;
    out[key_text(key)] = *value;
  }
  return out;
}

std::string digest(std::string_view what, std::string_view of, std::size_t digits) {
  const std::string text = std::string(what) + '\n' + std::string(of);
  return platform::to_hex(platform::sha256(text)).substr(0, digits);
}

class MeasurementImport {
 public:
  MeasurementImport(const json::object& root, const json::object& test_keys, std::string_view line,
                    InsideResolver inside, Counts& left_out)
      : root_(root), test_keys_(test_keys), line_(line), inside_(inside), left_out_(left_out) {}

  Expected<Imported> run() {
    const auto input = protocol::parse_target_url(text_of(root_, "input"));
    if (!input) return refuse("bad_input");
    const auto time = time_of(text_of(root_, "measurement_start_time"));
    if (!time) return refuse("bad_time");
    Imported out;
    out.push_back(own(*input, *time));
    const json::object* control = object_of(test_keys_, "control");
    if (control == nullptr || control->empty() || !text_of(test_keys_, "control_failure").empty())
      return out;
    std::vector<Observation> seen = import_control(*control, *input, pages(out.front()));
    if (seen.empty()) return out;
    out.front().link_state = LinkState::online;  // the helper answered, over TLS that was verified
    out.push_back(helper(out.front(), std::move(seen)));
    return out;
  }

 private:
  static std::vector<protocol::TargetUrl> pages(const Measurement& measurement) {
    std::vector<protocol::TargetUrl> out;
    for (const Observation& one : measurement.observations) {
      const auto* trip = std::get_if<HttpRoundTrip>(&one);
      if (trip == nullptr) continue;
      if (auto url = protocol::parse_target_url(trip->url)) out.push_back(std::move(*url));
    }
    return out;
  }

  // Of OONI's own id where it has one; else of the whole line: the same measurement always has the
  // same id.
  std::string identity() const {
    const std::string_view uid = text_of(root_, "measurement_uid");
    return std::string(uid.empty() ? line_ : uid);
  }

  RecordId record_id(WallTime time, std::string_view salt) const {
    const platform::Digest hash = platform::sha256(std::string(salt) + '\n' + identity());
    RecordId::Bytes random{};
    std::copy_n(hash.begin(), random.size(), random.begin());
    const auto since = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch();
    return RecordId::make(since.count(), random);
  }

  std::string origin_id() const {
    const std::string_view uid = text_of(root_, "measurement_uid");
    if (!uid.empty() && uid.size() <= kIdBytesMax) return std::string(uid);
    return "line " + digest("line", line_, 32);
  }

  Vantage vantage() const {
    Vantage out;
    if (const auto country = CountryCode::parse(text_of(root_, "probe_cc"))) out.country = *country;
    out.asn = asn_of(text_of(root_, "probe_asn"));
    out.resolver_asn = asn_of(text_of(root_, "resolver_asn"));
    out.resolver_class = resolver_class_of(out.asn, out.resolver_asn, inside_);
    const json::object* annotations = object_of(root_, "annotations");
    const std::string_view network =
        annotations == nullptr ? "" : text_of(*annotations, "network_type");
    out.network_type = network_type_of(network);
    out.faults.vpn = network == "vpn";
    return out;
  }

  Measurement own(const protocol::TargetUrl& input, WallTime time) {
    Measurement out;
    RecordHeader& header = out.header;
    header.id = record_id(time, "measurement");
    // OONI's probes have no names: each report is one of its own, and nobody holds a key to it.
    header.probe = *ProbeId::parse(digest("report", report(), 32));
    header.boot = digest("boot", report(), 16);
    header.software = software();
    header.time = time;
    header.vantage = vantage();
    header.origin = Origin{kSource, kLicence, origin_id()};
    out.experiment = "web_connectivity";
    out.experiment_version = text_of(root_, "test_version").starts_with("0.5.") ? 5 : 4;
    out.target = protocol::target_id_of(input);
    out.input = input.text();
    out.runtime = seconds_of(root_, "test_runtime").value_or(Microseconds(0));
    out.observations = import_steps(test_keys_, input, time, left_out_);
    keep(header.unknown);
    read_kua(out);
    return out;
  }

  std::string report() const {
    const std::string_view report = text_of(root_, "report_id");
    return report.empty() ? identity() : std::string(report);
  }

  std::string software() const {
    const std::string text = std::string(text_of(root_, "software_name")) + '/' +
                             std::string(text_of(root_, "software_version"));
    return text.substr(0, protocol::kNameBytesMax);
  }

  void keep(UnknownMembers& out) const {
    json::object ooni = kept(root_, kEnvelope);
    json::object keys = kept(test_keys_, kTestKeys);
    if (const json::value* control = find(test_keys_, "control")) {
      if (json::serialize(*control).size() <= kKeptControlBytesMax) {
        keys["control"] = *control;
      } else {
        ++left_out_["control_too_large_to_keep"];
      }
    }
    ooni["test_keys"] = std::move(keys);
    out.emplace_back(kOoniMember, json::serialize(ooni));
  }

  // Of a measurement that we exported: what its envelope has no place for.
  void read_kua(Measurement& out) const {
    const json::object* kua = object_of(test_keys_, kKuaMember);
    if (kua == nullptr) return;
    if (const auto tier = parse_tier(text_of(*kua, "tier"))) out.tier = *tier;
    if (const auto state = parse_link_state(text_of(*kua, "link_state"))) out.link_state = *state;
    if (const auto kind = parse_network_type(text_of(*kua, "network_type")))
      out.header.vantage.network_type = *kind;
    if (const auto kind = parse_resolver_class(text_of(*kua, "resolver_class")))
      out.header.vantage.resolver_class = *kind;
    if (const auto validity = parse_validity(text_of(*kua, "validity"))) out.validity = *validity;
    out.validity_reason = text_of(*kua, "validity_reason").substr(0, protocol::kReasonBytesMax);
    if (!text_of(*kua, "experiment").empty()) {
      out.experiment = text_of(*kua, "experiment").substr(0, protocol::kNameBytesMax);
      out.experiment_version = small_number(*kua, "experiment_version");
    }
    out.bytes_sent = small_number(*kua, "bytes_sent");
    out.bytes_received = small_number(*kua, "bytes_received");
    read_counts(*kua, out);
    out.category = text_of(*kua, "category").substr(0, protocol::kNameBytesMax);
    read_faults(*kua, out.header.vantage.faults);
  }

  static std::uint32_t small_number(const json::object& object, std::string_view key) {
    const auto number = integer_of(object, key).value_or(0);
    return number > 0 && number <= 0xffffffff ? static_cast<std::uint32_t>(number) : 0;
  }

  static void read_counts(const json::object& kua, Measurement& out) {
    if (const json::object* counts = object_of(kua, "limits")) {
      for (const auto& [name, count] : *counts) {
        const std::string key(name.data(), name.size());
        if (key.size() > protocol::kNameBytesMax || out.limits.size() >= protocol::kLimitCountsMax)
          return;
        out.limits[key] = small_number(*counts, key);
      }
    }
    const json::array* missing = list_of(kua, "missing");
    if (missing == nullptr) return;
    for (const json::value& word : *missing) {
      const std::string_view text = view_of(word);
      if (text.size() <= protocol::kNameBytesMax && out.missing.size() < protocol::kMissingMax) {
        out.missing.emplace_back(text);
      }
    }
  }

  static void read_faults(const json::object& kua, Vantage::Faults& out) {
    const json::array* words = list_of(kua, "faults");
    if (words == nullptr) return;
    for (const json::value& word : *words) {
      out.vpn |= view_of(word) == "vpn";
      out.ipv6_broken |= view_of(word) == "ipv6_broken";
      out.clock_wrong |= view_of(word) == "clock_wrong";
      out.tls_inspected |= view_of(word) == "tls_inspected";
      out.nat64 |= view_of(word) == "nat64";
    }
  }

  // Which helper it was tells its address; without it all are one, which makes them weigh less.
  std::string helper_name() const {
    const json::object* helpers = object_of(root_, "test_helpers");
    const json::object* backend = helpers == nullptr ? nullptr : object_of(*helpers, "backend");
    return std::string(backend == nullptr ? "" : text_of(*backend, "address"));
  }

  Measurement helper(const Measurement& probe, std::vector<Observation> seen) const {
    Measurement out;
    out.header.id = record_id(probe.header.time, "control");
    out.header.probe = *ProbeId::parse(digest("test helper", helper_name(), 32));
    out.header.boot = digest("boot of test helper", helper_name(), 16);
    out.header.role = ProbeRole::control;
    out.header.software = "ooni test helper";
    out.header.time = probe.header.time;
    out.header.origin = probe.header.origin;
    out.experiment = probe.experiment;
    out.experiment_version = probe.experiment_version;
    out.target = probe.target;
    out.input = probe.input;
    out.link_state = LinkState::online;
    out.observations = std::move(seen);
    return out;
  }

  const json::object& root_;
  const json::object& test_keys_;
  std::string_view line_;
  InsideResolver inside_;
  Counts& left_out_;
};

// What a record may hold is less than what a measurement of OONI's may: the largest bytes go first,
// and they are counted. Their digests stay.
void fit(Measurement& record, Counts& left_out) {
  const auto fits = [&] {
    return protocol::write_record(record).size() <= protocol::kRecordBytesMax;
  };
  if (fits()) return;
  for (Observation& one : record.observations) {
    if (auto* trip = std::get_if<HttpRoundTrip>(&one)) trip->body_sample.clear();
  }
  ++left_out["body_samples_to_fit"];
  if (fits()) return;
  for (Observation& one : record.observations) {
    if (auto* lookup = std::get_if<Lookup>(&one)) {
      if (lookup->reply) lookup->reply->raw.clear();
      for (DnsReply& late : lookup->late) late.raw.clear();
    }
    if (auto* handshake = std::get_if<TlsHandshake>(&one)) {
      for (Certificate& certificate : handshake->chain) certificate.der.clear();
    }
  }
  ++left_out["replies_and_certificates_to_fit"];
  while (!fits() && !record.observations.empty()) {
    ++left_out["steps_to_fit"];
    record.observations.resize(record.observations.size() / 2);
  }
}

}  // namespace

Expected<Imported> Importer::read(std::string_view line) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::error_code error;
  json::monotonic_resource resource;
  const json::value value = json::parse(key_text(line), error, &resource, options);
  if (error) return refuse("not_json");
  const json::object* root = value.if_object();
  const json::object* test_keys = root == nullptr ? nullptr : object_of(*root, "test_keys");
  if (root == nullptr || text_of(*root, "test_name").empty()) return refuse("not_a_measurement");
  if (text_of(*root, "test_name") != "web_connectivity") return refuse("other_test");
  if (test_keys == nullptr) return refuse("not_a_measurement");
  if (!takes_version(text_of(*root, "test_version"))) return refuse("other_version");
  if (!text_of(*test_keys, "socksproxy").empty()) return refuse("through_proxy");
  Expected<Imported> out = MeasurementImport(*root, *test_keys, line, inside_, left_out_).run();
  if (!out) return out;
  for (Measurement& record : *out) {
    fit(record, left_out_);
    // What goes out is what any reader of records takes, in the form that it gives back.
    auto read = reader_.read(protocol::write_record(record));
    if (!read) return refuse("not_a_record");
    record = std::get<Measurement>(std::move(*read));
  }
  return out;
}

}  // namespace kua::collector::ooni
