#include "collector/store/batch_line.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <limits>

namespace kua::collector {
namespace {

constexpr std::size_t kBootDigits = 16;

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorKind::invalid_input, std::move(what), "reading a batch's line in the record log");
}

std::string_view view(const boost::json::string& text) { return {text.data(), text.size()}; }

std::string_view text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? view(value->get_string()) : std::string_view();
}

bool is_hex(std::string_view text, std::size_t digits) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == digits && std::ranges::all_of(text, is_digit);
}

Expected<std::vector<std::pair<Epoch, std::string>>> read_clusters(const boost::json::object& object) {
  std::vector<std::pair<Epoch, std::string>> out;
  const auto* clusters = object.if_contains("clusters");
  if (clusters == nullptr) return out;
  if (!clusters->is_object()) return damaged("clusters: not an object");
  for (const auto& [key, value] : clusters->get_object()) {
    Epoch epoch = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), epoch);
    const bool is_ours = error == std::errc() && end == key.data() + key.size() && value.is_string() &&
                         is_hex(view(value.get_string()), kClusterDigits);
    // A witness that was no cluster would be counted.
    if (!is_ours) return damaged("clusters: one is none of ours");
    out.emplace_back(epoch, view(value.get_string()));
  }
  return out;
}

std::optional<Asn> asn_of(const boost::json::object& object) {
  const auto* value = object.if_contains("asn");
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  const std::int64_t number = value->get_int64();
  if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return Asn{static_cast<std::uint32_t>(number)};
}

Expected<Reception> read_reception(const boost::json::object& object) {
  Reception reception;
  const auto time = parse_rfc3339(text_of(object, "received"));
  const auto country = CountryCode::parse(text_of(object, "country"));
  const auto network_type = parse_network_type(text_of(object, "network_type"));
  const auto asn = asn_of(object);
  if (!time || !country || !network_type || !asn) return damaged("a fact is missing or unreadable");
  reception.time = *time;
  reception.country = *country;
  reception.network_type = *network_type;
  reception.asn = *asn;
  auto clusters = read_clusters(object);
  if (!clusters) return std::unexpected(clusters.error());
  reception.clusters = std::move(*clusters);
  const std::string_view boot = text_of(object, "boot");
  const auto* begin = object.if_contains("boot_begin_us");
  if (is_hex(boot, kBootDigits) && begin != nullptr && begin->is_int64()) {
    reception.anchor = BootAnchor{std::string(boot), Microseconds(begin->get_int64())};
  }
  return reception;
}

Expected<std::optional<Seal>> read_seal(const boost::json::object& object) {
  if (!object.contains("signature")) return std::nullopt;
  const auto key = platform::parse_public_key(text_of(object, "key"));
  const auto signature = platform::parse_signature(text_of(object, "signature"));
  if (!key || !signature) return damaged("the key or the signature is not readable");
  return Seal{*key, *signature};
}

}  // namespace

void append_batch_line(const BatchLine& line, std::string& out) {
  const Reception& reception = line.reception;
  out += kBatchLineBegin;
  out += R"({"received":")";
  out += to_rfc3339(reception.time);
  out += R"(","country":")";
  out += reception.country.text();
  out += R"(","asn":)";
  out += std::to_string(reception.asn.number);
  out += R"(,"network_type":")";
  out += to_string(reception.network_type);
  out += R"(","clusters":{)";
  for (std::size_t i = 0; i < reception.clusters.size(); ++i) {
    const auto& [epoch, cluster] = reception.clusters[i];
    out += (i == 0 ? "\"" : ",\"") + std::to_string(epoch) + R"(":")" + cluster + '"';  // hexadecimal digits
  }
  out += '}';
  if (reception.anchor) {
    out += R"(,"boot":")" + reception.anchor->boot;  // hexadecimal digits, the record reader saw to that
    out += R"(","boot_begin_us":)" + std::to_string(reception.anchor->begin.count());
  }
  if (line.seal) {
    out += R"(,"key":")" + platform::to_text(line.seal->key);
    out += R"(","signature":")" + platform::to_text(line.seal->signature) + '"';
  }
  out += "}}\n";
}

Expected<BatchLine> read_batch_line(std::string_view line) {
  if (!line.starts_with(kBatchLineBegin)) return damaged("it does not begin as one");
  unsigned char buffer[4096];
  boost::json::monotonic_resource resource(buffer, sizeof buffer);
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(boost::json::string_view(line.data(), line.size()), error, &resource);
  const auto* batch = !error && value.is_object() ? value.get_object().if_contains("batch") : nullptr;
  if (batch == nullptr || !batch->is_object()) return damaged("not JSON of its form");
  auto reception = read_reception(batch->get_object());
  if (!reception) return std::unexpected(reception.error());
  auto seal = read_seal(batch->get_object());
  if (!seal) return std::unexpected(seal.error());
  return BatchLine{std::move(*reception), *seal};
}

}  // namespace kua::collector
