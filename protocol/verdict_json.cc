#include "protocol/verdict_json.h"

#include <array>

#include "protocol/json_fields.h"
#include "protocol/json_writer.h"

namespace kua::protocol {
namespace {

using json::Field;
using json::In;
using json::Value;

constexpr auto kRequired = json::Presence::required;
constexpr auto kOptional = json::Presence::optional;
constexpr std::size_t kDocumentBytesMax = 1024 * 1024;
constexpr std::size_t kVerdictsMax = 1024;
constexpr std::size_t kEvidenceMax = 1024;
constexpr std::size_t kTextBytesMax = 1024;

std::optional<Family> parse_family(std::string_view text) noexcept {
  for (const auto family : {Family::ip4, Family::ip6}) {
    if (text == to_string(family)) return family;
  }
  return std::nullopt;
}

constexpr std::array<Field<Verdict>, 9> kFields{{
    {"host", kOptional,
     [](In& in, Value value, Verdict& out) { return in.text(value, out.host, kTextBytesMax); }},
    {"hop", kRequired, [](In& in, Value value, Verdict& out) { return in.number(value, out.hop); }},
    {"layer", kRequired,
     [](In& in, Value value, Verdict& out) { return in.word(value, out.layer, &parse_layer); }},
    {"family", kOptional,
     [](In& in, Value value, Verdict& out) {
       return in.word(value, out.family.emplace(), &parse_family);
     }},
    {"state", kRequired,
     [](In& in, Value value, Verdict& out) { return in.word(value, out.state, &parse_state); }},
    {"mechanism", kOptional,
     [](In& in, Value value, Verdict& out) {
       return in.text(value, out.mechanism, kTextBytesMax);
     }},
    {"rule", kRequired,
     [](In& in, Value value, Verdict& out) { return in.text(value, out.rule, kTextBytesMax); }},
    {"detail", kOptional,
     [](In& in, Value value, Verdict& out) { return in.text(value, out.detail, kTextBytesMax); }},
    {"evidence", kOptional,
     [](In& in, Value value, Verdict& out) {
       return in.list(
           value, out.evidence, kEvidenceMax, std::uint32_t{0},
           [](In& i, Value item, std::uint32_t& index) { return i.number(item, index); });
     }},
}};

void write_verdict(JsonWriter& json, const Verdict& verdict) {
  json.begin_object();
  if (!verdict.host.empty()) json.text("host", verdict.host);
  json.number("hop", verdict.hop);
  json.text("layer", to_string(verdict.layer));
  if (verdict.family) json.text("family", to_string(*verdict.family));
  json.text("state", to_string(verdict.state));
  if (!verdict.mechanism.empty()) json.text("mechanism", verdict.mechanism);
  json.text("rule", verdict.rule);
  if (!verdict.detail.empty()) json.text("detail", verdict.detail);
  json.array("evidence");
  for (const auto index : verdict.evidence) json.number(index);
  json.end_array();
  json.end_object();
}

}  // namespace

void append_verdicts(const std::vector<Verdict>& verdicts, std::string& out) {
  JsonWriter json(out);
  json.begin_array();
  for (const auto& verdict : verdicts) write_verdict(json, verdict);
  json.end_array();
}

std::string write_verdicts(const std::vector<Verdict>& verdicts) {
  std::string out;
  append_verdicts(verdicts, out);
  return out;
}

Expected<std::vector<Verdict>> read_verdicts(std::string_view text) {
  constexpr std::string_view kDoing = "reading verdicts";
  In in;
  Value root;
  simdjson::dom::parser parser(kDocumentBytesMax);
  if (const auto code = parser.parse(text.data(), text.size()).get(root);
      code != simdjson::SUCCESS) {
    in.refuse(simdjson::error_message(code));
    return in.error(kDoing);
  }
  std::vector<Verdict> verdicts;
  const bool read = in.list(
      root, verdicts, kVerdictsMax, Verdict{},
      [](In& i, Value item, Verdict& verdict) { return read_object(i, item, kFields, verdict); });
  if (!read) return in.error(kDoing);
  return verdicts;
}

}  // namespace kua::protocol
