#include "collector/store/stored_line.h"

#include <algorithm>
#include <boost/json.hpp>

#include "collector/ingest/cluster_keys.h"

namespace kua::collector {
namespace {

constexpr std::string_view kReceivedBegin = R"(,"received":)";
constexpr std::string_view kDoing = "reading a line of the record log";

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorKind::invalid_input, std::move(what), std::string(kDoing));
}

std::string_view text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

bool flag_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Ours are hexadecimal digits of one length, or absent: a witness that was no cluster would be counted.
bool is_cluster(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.empty() || (text.size() == kClusterDigits && std::ranges::all_of(text, is_digit));
}

Expected<ReceivedFacts> read_facts(const boost::json::object& object) {
  ReceivedFacts facts;
  const auto received = parse_rfc3339(text_of(object, "time"));
  const auto country = CountryCode::parse(text_of(object, "country"));
  const auto network_type = parse_network_type(text_of(object, "network_type"));
  const auto* asn = object.if_contains("asn");
  if (!received || !country || !network_type || asn == nullptr || !asn->is_int64()) {
    return damaged("a received fact is missing or unreadable");
  }
  facts.received = *received;
  facts.country = *country;
  facts.network_type = *network_type;
  facts.asn = Asn{static_cast<std::uint32_t>(asn->get_int64())};
  facts.cluster = text_of(object, "cluster");
  if (!is_cluster(facts.cluster)) return damaged("the cluster is none of ours");
  facts.network_agrees = flag_of(object, "network_agrees");
  facts.late = flag_of(object, "late");
  if (const auto* skew = object.if_contains("clock_skew_us"); skew != nullptr && skew->is_int64()) {
    facts.clock_skew = Microseconds(skew->get_int64());
  }
  return facts;
}

}  // namespace

void append_received(const ReceivedFacts& facts, std::string& out) {
  out += kReceivedBegin;
  out += R"({"time":")";
  out += to_rfc3339(facts.received);
  out += R"(","country":")";
  out += facts.country.text();
  out += R"(","asn":)";
  out += std::to_string(facts.asn.number);
  out += R"(,"network_type":")";
  out += to_string(facts.network_type);
  out += R"(","cluster":")";
  out += facts.cluster;  // hexadecimal digits or nothing
  out += R"(","network_agrees":)";
  out += facts.network_agrees ? "true" : "false";
  out += R"(,"late":)";
  out += facts.late ? "true" : "false";
  if (facts.clock_skew) {
    out += R"(,"clock_skew_us":)";
    out += std::to_string(facts.clock_skew->count());
  }
  out += "}}\n";
}

Expected<StoredLine> read_stored_line(std::string_view line) {
  const auto received = line.rfind(kReceivedBegin);
  if (!line.starts_with(kStoredLineBegin) || !line.ends_with("}}") || received == std::string_view::npos ||
      received < kStoredLineBegin.size()) {
    return damaged("not a stored line");
  }
  StoredLine out;
  out.record = line.substr(kStoredLineBegin.size(), received - kStoredLineBegin.size());
  const std::string_view json =
      line.substr(received + kReceivedBegin.size(), line.size() - received - kReceivedBegin.size() - 1);
  unsigned char buffer[4096];
  boost::json::monotonic_resource resource(buffer, sizeof buffer);
  boost::json::error_code error;
  const boost::json::value value =
      boost::json::parse(boost::json::string_view(json.data(), json.size()), error, &resource);
  if (error || !value.is_object()) return damaged("the received facts are not readable");
  auto facts = read_facts(value.get_object());
  if (!facts) return std::unexpected(facts.error());
  out.facts = std::move(*facts);
  return out;
}

}  // namespace kua::collector
