#include "tests/lab/forwarder/plan_reader.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>

namespace kua::lab {

namespace json = boost::json;

void PlanReader::complain(std::string_view key, std::string_view what) {
  if (problem_.empty()) problem_ = where_ + "." + std::string(key) + ": " + std::string(what);
}

void PlanReader::finish() {
  for (const auto& member : object_) {
    if (std::ranges::find(asked_, std::string_view(member.key())) == asked_.end()) {
      complain(member.key(), "unknown member");
    }
  }
}

const json::value* PlanReader::value(std::string_view key) {
  asked_.emplace_back(key);
  const json::value* found = object_.if_contains(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string PlanReader::text_or_empty(std::string_view key) {
  const json::value* found = value(key);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    complain(key, "not a text");
    return {};
  }
  return std::string(found->get_string());
}

std::string PlanReader::text(std::string_view key) {
  std::string out = text_or_empty(key);
  if (out.empty()) complain(key, "missing");
  return out;
}

bool PlanReader::flag(std::string_view key) {
  const json::value* found = value(key);
  if (found == nullptr) return false;
  if (!found->is_bool()) complain(key, "neither true nor false");
  return found->is_bool() && found->get_bool();
}

double PlanReader::number(std::string_view key, double fallback) {
  const json::value* found = value(key);
  if (found == nullptr) return fallback;
  if (!found->is_number()) {
    complain(key, "not a number");
    return fallback;
  }
  return found->to_number<double>();
}

std::optional<Microseconds> PlanReader::maybe_seconds(std::string_view key) {
  const json::value* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number() || !std::isfinite(found->to_number<double>())) {
    complain(key, "not a number of seconds");
    return std::nullopt;
  }
  return Microseconds(static_cast<std::int64_t>(found->to_number<double>() * 1e6));
}

Microseconds PlanReader::seconds(std::string_view key) {
  return maybe_seconds(key).value_or(Microseconds{0});
}

std::optional<IpAddress> PlanReader::maybe_address(std::string_view key) {
  const std::string text = text_or_empty(key);
  if (text.empty()) return std::nullopt;
  const auto parsed = IpAddress::parse(text);
  if (!parsed) complain(key, "not an address");
  return parsed;
}

IpAddress PlanReader::address(std::string_view key) {
  const auto parsed = maybe_address(key);
  if (!parsed) complain(key, "missing");
  return parsed.value_or(*IpAddress::parse("0.0.0.0"));
}

std::vector<std::string> PlanReader::texts(std::string_view key) {
  const json::value* found = value(key);
  std::vector<std::string> out;
  if (found == nullptr) return out;
  if (!found->is_array()) {
    complain(key, "not a list");
    return out;
  }
  for (const json::value& entry : found->get_array()) {
    if (!entry.is_string()) {
      complain(key, "holds something that is no text");
      return out;
    }
    out.emplace_back(entry.get_string());
  }
  return out;
}

std::vector<IpAddress> PlanReader::addresses(std::string_view key) {
  std::vector<IpAddress> out;
  for (const std::string& text : texts(key)) {
    const auto parsed = IpAddress::parse(text);
    if (parsed) {
      out.push_back(*parsed);
    } else {
      complain(key, "holds something that is no address");
    }
  }
  return out;
}

const json::object* PlanReader::object(std::string_view key) {
  const json::value* found = value(key);
  if (found == nullptr) return nullptr;
  if (!found->is_object()) complain(key, "not an object");
  return found->if_object();
}

std::vector<const json::object*> PlanReader::objects(std::string_view key) {
  const json::value* found = value(key);
  std::vector<const json::object*> out;
  if (found == nullptr) return out;
  if (!found->is_array()) {
    complain(key, "not a list");
    return out;
  }
  for (const json::value& entry : found->get_array()) {
    if (!entry.is_object()) {
      complain(key, "holds something that is no object");
      return out;
    }
    out.push_back(&entry.get_object());
  }
  return out;
}

}  // namespace kua::lab
