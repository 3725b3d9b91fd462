#include "protocol/api.h"

#include <array>

#include "platform/crypto/crypto.h"
#include "protocol/json_fields.h"
#include "protocol/json_writer.h"

namespace kua::protocol {
namespace {

using json::Field;
using json::In;
using json::Value;

constexpr auto kRequired = json::Presence::required;
constexpr auto kOptional = json::Presence::optional;

// Bytes of a document, and of texts in it.
constexpr std::size_t kSmallBytesMax = 4 * 1024;
constexpr std::size_t kAnswerBytesMax = 8 * 1024 * 1024;  // 100,000 records at 40 bytes each, twice
constexpr std::size_t kAnswerItemsMax = 100'000;
constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kMessageBytesMax = 1024;
constexpr std::size_t kPublicKeyBytesMax = 64;
constexpr std::size_t kTargetIdBytesMax = 200;

// A word of a later version says nothing we could use: unknown.
template <typename T>
bool word_or_unknown(In& in, Value value, T& out,
                     std::optional<T> (*parse)(std::string_view) noexcept) {
  std::optional<T> found;
  if (!in.word(value, found, parse)) return false;
  out = found.value_or(T::unknown);
  return true;
}

constexpr std::array<Field<Enrolment>, 7> kEnrolmentFields{{
    {"public_key", kRequired,
     [](In& in, Value value, Enrolment& out) {
       if (!in.text(value, out.public_key, kPublicKeyBytesMax)) return false;
       return platform::parse_public_key(out.public_key) ? true
                                                         : in.refuse("not base64url of 32 bytes");
     }},
    {"country", kRequired,
     [](In& in, Value value, Enrolment& out) { return in.parsed(value, out.country); }},
    {"asn", kRequired,
     [](In& in, Value value, Enrolment& out) { return in.number(value, out.asn.number); }},
    {"network_type", kRequired,
     [](In& in, Value value, Enrolment& out) {
       return word_or_unknown(in, value, out.network_type, &parse_network_type);
     }},
    {"role", kRequired,
     [](In& in, Value value, Enrolment& out) {
       return in.word(value, out.role, &parse_probe_role);
     }},
    {"invitation", kOptional,
     [](In& in, Value value, Enrolment& out) {
       return in.text(value, out.invitation, kTextBytesMax);
     }},
    {"software", kRequired,
     [](In& in, Value value, Enrolment& out) {
       return in.text(value, out.software, kTextBytesMax);
     }},
}};

constexpr std::array<Field<EnrolmentAnswer>, 4> kEnrolmentAnswerFields{{
    {"country", kRequired,
     [](In& in, Value value, EnrolmentAnswer& out) { return in.parsed(value, out.country); }},
    {"asn", kRequired,
     [](In& in, Value value, EnrolmentAnswer& out) { return in.number(value, out.asn.number); }},
    {"network_type", kRequired,
     [](In& in, Value value, EnrolmentAnswer& out) {
       return word_or_unknown(in, value, out.network_type, &parse_network_type);
     }},
    {"server_time", kRequired,
     [](In& in, Value value, EnrolmentAnswer& out) { return in.time(value, out.server_time); }},
}};

constexpr std::array<Field<BatchAnswer::Rejected>, 2> kRejectedFields{{
    {"id", kRequired,
     [](In& in, Value value, BatchAnswer::Rejected& out) {
       return in.text(value, out.id, kTextBytesMax);
     }},
    {"reason", kRequired,
     [](In& in, Value value, BatchAnswer::Rejected& out) {
       // A reason of a later version still means that the record will never be taken.
       std::optional<Rejection> found;
       if (!in.word(value, found, &parse_rejection)) return false;
       out.reason = found.value_or(Rejection::malformed);
       return true;
     }},
}};

constexpr std::array<Field<BatchAnswer>, 5> kBatchAnswerFields{{
    {"accepted", kRequired,
     [](In& in, Value value, BatchAnswer& out) {
       return in.list(
           value, out.accepted, kAnswerItemsMax, std::string(),
           [](In& i, Value item, std::string& id) { return i.text(item, id, kTextBytesMax); });
     }},
    {"rejected", kOptional,
     [](In& in, Value value, BatchAnswer& out) {
       return in.list(value, out.rejected, kAnswerItemsMax, BatchAnswer::Rejected{},
                      [](In& i, Value item, BatchAnswer::Rejected& rejected) {
                        return read_object(i, item, kRejectedFields, rejected);
                      });
     }},
    {"unreadable", kOptional,
     [](In& in, Value value, BatchAnswer& out) { return in.number(value, out.unreadable); }},
    {"server_time", kRequired,
     [](In& in, Value value, BatchAnswer& out) { return in.time(value, out.server_time); }},
    {"advice", kOptional,
     [](In& in, Value value, BatchAnswer& out) {
       return in.list(
           value, out.advice, kAnswerItemsMax, std::string(),
           [](In& i, Value item, std::string& id) { return i.text(item, id, kTargetIdBytesMax); });
     }},
}};

constexpr std::array<Field<Heartbeat>, 3> kHeartbeatFields{{
    {"probe", kRequired,
     [](In& in, Value value, Heartbeat& out) { return in.parsed(value, out.probe); }},
    {"sequence", kRequired,
     [](In& in, Value value, Heartbeat& out) { return in.number(value, out.sequence); }},
    {"link_state", kRequired,
     [](In& in, Value value, Heartbeat& out) {
       return word_or_unknown(in, value, out.link_state, &parse_link_state);
     }},
}};

constexpr std::array<Field<ApiError>, 2> kApiErrorFields{{
    {"error", kRequired,
     [](In& in, Value value, ApiError& out) { return in.text(value, out.error, kTextBytesMax); }},
    {"message", kOptional,
     [](In& in, Value value, ApiError& out) {
       return in.text(value, out.message, kMessageBytesMax);
     }},
}};

// One object built by `fill(json)`.
template <typename Fill>
std::string object(Fill fill) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  fill(json);
  json.end_object();
  return out;
}

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.array(name);
  for (const auto& text : texts) json.text(text);
  json.end_array();
}

constexpr std::array kRejections = {Rejection::malformed,   Rejection::too_large,
                                    Rejection::wrong_probe, Rejection::too_old,
                                    Rejection::from_future, Rejection::unknown_format};

}  // namespace

std::string request_signing_input(std::string_view method, std::string_view path,
                                  std::string_view body) {
  constexpr std::string_view kDomain = "kua/1 request\n";
  std::string out;
  out.reserve(kDomain.size() + method.size() + path.size() + body.size() + 2);
  out.append(kDomain).append(method).append("\n").append(path).append("\n").append(body);
  return out;
}

std::string write_enrolment(const Enrolment& enrolment) {
  return object([&](JsonWriter& json) {
    json.text("public_key", enrolment.public_key);
    json.text("country", enrolment.country.text());
    json.number("asn", enrolment.asn.number);
    json.text("network_type", to_string(enrolment.network_type));
    json.text("role", to_string(enrolment.role));
    if (!enrolment.invitation.empty()) json.text("invitation", enrolment.invitation);
    json.text("software", enrolment.software);
  });
}
Expected<Enrolment> read_enrolment(std::string_view text) {
  return json::read_document(text, kSmallBytesMax, kEnrolmentFields, Enrolment{},
                             "reading an enrolment");
}

std::string write_enrolment_answer(const EnrolmentAnswer& answer) {
  return object([&](JsonWriter& json) {
    json.text("country", answer.country.text());
    json.number("asn", answer.asn.number);
    json.text("network_type", to_string(answer.network_type));
    json.text("server_time", to_rfc3339(answer.server_time));
  });
}
Expected<EnrolmentAnswer> read_enrolment_answer(std::string_view text) {
  return json::read_document(text, kSmallBytesMax, kEnrolmentAnswerFields, EnrolmentAnswer{},
                             "reading the answer to an enrolment");
}

const char* to_string(Rejection reason) noexcept {
  switch (reason) {
    case Rejection::malformed:
      return "malformed";
    case Rejection::too_large:
      return "too_large";
    case Rejection::wrong_probe:
      return "wrong_probe";
    case Rejection::too_old:
      return "too_old";
    case Rejection::from_future:
      return "from_future";
    case Rejection::unknown_format:
      return "unknown_format";
  }
  return "malformed";
}

std::optional<Rejection> parse_rejection(std::string_view text) noexcept {
  for (const auto reason : kRejections) {
    if (text == to_string(reason)) return reason;
  }
  return std::nullopt;
}

std::string write_batch_answer(const BatchAnswer& answer) {
  return object([&](JsonWriter& json) {
    write_list(json, "accepted", answer.accepted);
    json.array("rejected");
    for (const auto& rejected : answer.rejected) {
      json.begin_object();
      json.text("id", rejected.id);
      json.text("reason", to_string(rejected.reason));
      json.end_object();
    }
    json.end_array();
    json.number("unreadable", answer.unreadable);
    json.text("server_time", to_rfc3339(answer.server_time));
    write_list(json, "advice", answer.advice);
  });
}
Expected<BatchAnswer> read_batch_answer(std::string_view text) {
  return json::read_document(text, kAnswerBytesMax, kBatchAnswerFields, BatchAnswer{},
                             "reading the answer to a batch");
}

std::string write_heartbeat(const Heartbeat& heartbeat) {
  return object([&](JsonWriter& json) {
    json.text("probe", heartbeat.probe.text());
    json.number("sequence", heartbeat.sequence);
    json.text("link_state", to_string(heartbeat.link_state));
  });
}
Expected<Heartbeat> read_heartbeat(std::string_view text) {
  return json::read_document(text, kHeartbeatBytesMax, kHeartbeatFields, Heartbeat{},
                             "reading a heartbeat");
}

std::string write_api_error(const ApiError& error) {
  return object([&](JsonWriter& json) {
    json.text("error", error.error);
    json.text("message", error.message);
  });
}
Expected<ApiError> read_api_error(std::string_view text) {
  return json::read_document(text, kSmallBytesMax, kApiErrorFields, ApiError{},
                             "reading an error answer");
}

}  // namespace kua::protocol
