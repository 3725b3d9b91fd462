#include <algorithm>
#include <array>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"
#include "protocol/record_codec.h"
#include "protocol/record_fields.h"

namespace kua::protocol {
namespace json {
namespace {

constexpr std::size_t kBootDigits = 16;
constexpr auto kRequired = Presence::required;
constexpr auto kOptional = Presence::optional;

// A word of a later version says nothing we could use: unknown.
template <typename T>
bool word_or_unknown(In& in, Value value, T& out,
                     std::optional<T> (*parse)(std::string_view) noexcept) {
  std::optional<T> found;
  if (!in.word(value, found, parse)) return false;
  out = found.value_or(T::unknown);
  return true;
}

bool read_fault(In& in, Value value, Vantage::Faults& out, bool& unknown) {
  std::string_view word;
  if (!in.view(value, word, kNameBytesMax)) return false;
  if (word == "vpn") {
    out.vpn = true;
  } else if (word == "ipv6_broken") {
    out.ipv6_broken = true;
  } else if (word == "clock_wrong") {
    out.clock_wrong = true;
  } else if (word == "tls_inspected") {
    out.tls_inspected = true;
  } else if (word == "nat64") {
    out.nat64 = true;
  } else {
    unknown = true;
  }
  return true;
}

// A vantage while it is read.
struct VantageDraft {
  Vantage vantage;
  bool unknown_fault = false;
};

constexpr std::array<Field<VantageDraft>, 7> kVantageFields{{
    {"country", kRequired,
     [](In& in, Value value, VantageDraft& out) { return in.parsed(value, out.vantage.country); }},
    {"asn", kRequired,
     [](In& in, Value value, VantageDraft& out) {
       return in.number(value, out.vantage.asn.number);
     }},
    {"region", kOptional,
     [](In& in, Value value, VantageDraft& out) {
       Region region = *Region::parse("ZZ-0");
       if (!in.parsed(value, region)) return false;
       out.vantage.region = std::move(region);
       return true;
     }},
    {"network_type", kRequired,
     [](In& in, Value value, VantageDraft& out) {
       return word_or_unknown(in, value, out.vantage.network_type, &parse_network_type);
     }},
    {"resolver_class", kRequired,
     [](In& in, Value value, VantageDraft& out) {
       return word_or_unknown(in, value, out.vantage.resolver_class, &parse_resolver_class);
     }},
    {"resolver_asn", kRequired,
     [](In& in, Value value, VantageDraft& out) {
       return in.number(value, out.vantage.resolver_asn.number);
     }},
    {"faults", kOptional,
     [](In& in, Value value, VantageDraft& out) {
       simdjson::dom::array words;
       if (value.get(words) != simdjson::SUCCESS) return in.refuse("not a list");
       return std::ranges::all_of(words, [&](Value word) {
         return read_fault(in, word, out.vantage.faults, out.unknown_fault);
       });
     }},
}};

// A record while it is read, in the place where it stays.
template <typename Body>
struct Draft {
  Body& body;
  bool unknown_fault = false;
};

constexpr std::array<Field<Origin>, 3> kOriginFields{{
    {"source", kRequired,
     [](In& in, Value value, Origin& out) { return in.text(value, out.source, kNameBytesMax); }},
    {"licence", kRequired,
     [](In& in, Value value, Origin& out) { return in.text(value, out.licence, kNameBytesMax); }},
    {"id", kOptional,
     [](In& in, Value value, Origin& out) { return in.text(value, out.id, kNameBytesMax); }},
}};

template <typename T>
constexpr std::array<Field<T>, 11> kHeaderFields{{
    {"format", kRequired, [](In&, Value, T&) { return true; }},  // read beforehand, as is the kind
    {"kind", kRequired, [](In&, Value, T&) { return true; }},
    {"id", kRequired,
     [](In& in, Value value, T& out) { return in.parsed(value, out.body.header.id); }},
    {"probe", kRequired,
     [](In& in, Value value, T& out) { return in.parsed(value, out.body.header.probe); }},
    {"role", kRequired,
     [](In& in, Value value, T& out) {
       return in.word(value, out.body.header.role, &parse_probe_role);
     }},
    {"software", kRequired,
     [](In& in, Value value, T& out) {
       return in.text(value, out.body.header.software, kNameBytesMax);
     }},
    {"time", kRequired,
     [](In& in, Value value, T& out) { return in.time(value, out.body.header.time); }},
    {"monotonic_us", kRequired,
     [](In& in, Value value, T& out) {
       Microseconds since_boot{0};
       if (!in.microseconds(value, since_boot)) return false;
       out.body.header.monotonic = MonotonicTime(since_boot);
       return true;
     }},
    {"boot", kRequired,
     [](In& in, Value value, T& out) { return in.hex(value, out.body.header.boot, kBootDigits); }},
    {"vantage", kRequired,
     [](In& in, Value value, T& out) {
       VantageDraft draft;
       if (!read_object(in, value, kVantageFields, draft)) return false;
       out.body.header.vantage = std::move(draft.vantage);
       out.unknown_fault = draft.unknown_fault;
       return true;
     }},
    {"origin", kOptional,
     [](In& in, Value value, T& out) {
       return read_object(in, value, kOriginFields, out.body.header.origin.emplace());
     }},
}};

bool read_limits(In& in, Value value, LimitCounts& out) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return in.refuse("not an object");
  for (const auto field : object) {
    if (out.size() >= kLimitCountsMax || field.key.size() > kNameBytesMax) {
      return in.refuse("too many limits, or a name too long", ErrorKind::limit);
    }
    const auto [entry, is_new] = out.emplace(field.key, 0);
    if (!is_new) return in.refuse("a limit given twice");
    if (!in.number(field.value, entry->second)) return in.within(field.key), false;
  }
  return true;
}

using MeasurementDraft = Draft<Measurement>;

constexpr std::array<Field<MeasurementDraft>, 15> kMeasurementFields{{
    {"experiment", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.text(value, out.body.experiment, kNameBytesMax);
     }},
    {"experiment_version", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.number(value, out.body.experiment_version);
     }},
    {"target", kRequired,
     [](In& in, Value value, MeasurementDraft& out) { return in.parsed(value, out.body.target); }},
    {"input", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.text(value, out.body.input, kUrlTextBytesMax);
     }},
    {"category", kOptional,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.text(value, out.body.category, kNameBytesMax);
     }},
    {"tier", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.word(value, out.body.tier, &parse_tier);
     }},
    {"link_state", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return word_or_unknown(in, value, out.body.link_state, &parse_link_state);
     }},
    {"validity", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.word(value, out.body.validity, &parse_validity);
     }},
    {"validity_reason", kOptional,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.text(value, out.body.validity_reason, kReasonBytesMax);
     }},
    {"runtime_us", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.microseconds(value, out.body.runtime);
     }},
    {"bytes_sent", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.number(value, out.body.bytes_sent);
     }},
    {"bytes_received", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.number(value, out.body.bytes_received);
     }},
    {"limits", kOptional,
     [](In& in, Value value, MeasurementDraft& out) {
       return read_limits(in, value, out.body.limits);
     }},
    {"missing", kOptional,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.list(
           value, out.body.missing, kMissingMax, std::string(),
           [](In& i, Value item, std::string& word) { return i.text(item, word, kNameBytesMax); });
     }},
    {"observations", kRequired,
     [](In& in, Value value, MeasurementDraft& out) {
       return in.list(value, out.body.observations, kObservationsMax,
                      Observation(UnknownObservation{}), read_observation);
     }},
}};

bool read_bitmap(In& in, Value value, MinuteBitmap& out) {
  std::string bytes;
  if (!in.base64(value, bytes, kMinutesPerDay / 8)) return false;
  if (bytes.size() != kMinutesPerDay / 8) return in.refuse("not 180 bytes");
  // A word at a time, the last first: a bit at a time costs ten times as much.
  constexpr std::size_t kWordBytes = 8;
  out.reset();
  for (std::size_t end = bytes.size(); end > 0;) {
    const std::size_t begin = (end - 1) / kWordBytes * kWordBytes;
    std::uint64_t word = 0;
    for (std::size_t i = end; i-- > begin;) word = word << 8 | static_cast<unsigned char>(bytes[i]);
    out <<= 8 * kWordBytes;
    out |= MinuteBitmap(word);
    end = begin;
  }
  return true;
}

constexpr std::array<Field<MinuteSummary>, 6> kMinuteFields{{
    {"watched", kRequired,
     [](In& in, Value value, MinuteSummary& out) { return read_bitmap(in, value, out.watched); }},
    {"link_up", kRequired,
     [](In& in, Value value, MinuteSummary& out) { return read_bitmap(in, value, out.link_up); }},
    {"gateway", kRequired,
     [](In& in, Value value, MinuteSummary& out) { return read_bitmap(in, value, out.gateway); }},
    {"resolver", kRequired,
     [](In& in, Value value, MinuteSummary& out) { return read_bitmap(in, value, out.resolver); }},
    {"national", kRequired,
     [](In& in, Value value, MinuteSummary& out) { return read_bitmap(in, value, out.national); }},
    {"international", kRequired,
     [](In& in, Value value, MinuteSummary& out) {
       return read_bitmap(in, value, out.international);
     }},
}};

using SummaryDraft = Draft<MinuteSummary>;

constexpr std::array<Field<SummaryDraft>, 2> kSummaryFields{{
    {"revision", kRequired,
     [](In& in, Value value, SummaryDraft& out) { return in.number(value, out.body.revision); }},
    {"minutes", kRequired,
     [](In& in, Value value, SummaryDraft& out) {
       return read_object(in, value, kMinuteFields, out.body);
     }},
}};

constexpr auto kMeasurementTable = joined(kHeaderFields<MeasurementDraft>, kMeasurementFields);
constexpr auto kSummaryTable = joined(kHeaderFields<SummaryDraft>, kSummaryFields);

template <typename Body, std::size_t N>
bool read_body(In& in, simdjson::dom::object object, const std::array<Field<Draft<Body>>, N>& table,
               Draft<Body>& out) {
  Members members(table, out);
  for (const auto field : object) {
    if (!members.take(in, field.key, field.value)) {
      keep_unknown(in, field.key, field.value, out.body.header.unknown);
    }
    if (!in.ok()) return false;
  }
  return members.complete(in);
}

// The text of a member that says what the rest means.
bool read_tag(In& in, simdjson::dom::object object, std::string_view name, std::string_view& out) {
  Value value;
  const bool there = object.at_key(name).get(value) == simdjson::SUCCESS;
  if (there && in.view(value, out, kNameBytesMax)) return true;
  in.refuse("missing");
  in.within(name);
  return false;
}

bool read_measurement(In& in, simdjson::dom::object object, Record& out) {
  MeasurementDraft draft{out.emplace<Measurement>()};
  if (!read_body(in, object, kMeasurementTable, draft)) return false;
  if (draft.unknown_fault && draft.body.validity == Validity::ok) {
    draft.body.validity = Validity::vantage;
    draft.body.validity_reason = "a fault that this version does not know";
  }
  return true;
}

bool read_summary(In& in, simdjson::dom::object object, Record& out) {
  SummaryDraft draft{out.emplace<MinuteSummary>()};
  if (!read_body(in, object, kSummaryTable, draft)) return false;
  const auto& header = draft.body.header;
  if (header.time != floor_to(header.time, std::chrono::hours(24))) {
    in.refuse("a day begins at 00:00Z");
    in.within("time");
    return false;
  }
  return true;
}

bool read_root(In& in, Value root, Record& out) {
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return in.refuse("a line that is not an object");
  std::string_view format;
  std::string_view kind;
  if (!read_tag(in, object, "format", format) || !read_tag(in, object, "kind", kind)) return false;
  if (format != kRecordFormat) return in.refuse("format: not " + std::string(kRecordFormat));
  if (kind == "measurement") return read_measurement(in, object, out);
  if (kind == "minute_summary") return read_summary(in, object, out);
  return in.refuse("kind: neither measurement nor minute_summary");
}

}  // namespace
}  // namespace json

struct RecordReader::Impl {
  simdjson::dom::parser parser{kRecordBytesMax};
};

RecordReader::RecordReader() : impl_(std::make_unique<Impl>()) {
  constexpr std::size_t kUsualBytes = 4096;
  KUA_CHECK(impl_->parser.allocate(kUsualBytes, kRecordDepthMax) == simdjson::SUCCESS);
}
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;
RecordReader::~RecordReader() = default;

Expected<Record> RecordReader::read(std::string_view line) {
  constexpr std::string_view kDoing = "reading a record";
  json::In in;
  if (line.size() > kRecordBytesMax) {
    in.refuse("longer than " + std::to_string(kRecordBytesMax) + " bytes", ErrorKind::limit);
    return in.error(kDoing);
  }
  json::Value root;
  if (const auto code = impl_->parser.parse(line.data(), line.size()).get(root);
      code != simdjson::SUCCESS) {
    in.refuse(simdjson::error_message(code));
    return in.error(kDoing);
  }
  Expected<Record> record;
  if (!json::read_root(in, root, *record)) return in.error(kDoing);
  return record;
}

}  // namespace kua::protocol
