// Reading somebody else's JSON: what is missing or of another type reads as absent, and nothing
// throws. Boost.JSON's types show; private to this folder.
#pragma once

#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "measurement/time.h"
#include "platform/crypto/crypto.h"

namespace kua::collector::ooni {

namespace json = boost::json;

inline json::string_view key_text(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

inline const json::value* find(const json::object& object, std::string_view key) noexcept {
  return object.if_contains(key_text(key));
}

inline std::string_view view_of(const json::value& value) noexcept {
  const json::string* text = value.if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

// Empty where it is absent, null or no text.
inline std::string_view text_of(const json::object& object, std::string_view key) noexcept {
  const json::value* value = find(object, key);
  return value == nullptr ? std::string_view() : view_of(*value);
}

inline std::optional<std::int64_t> integer_of(const json::object& object,
                                              std::string_view key) noexcept {
  const json::value* value = find(object, key);
  if (value == nullptr) return std::nullopt;
  if (const auto* whole = value->if_int64()) return *whole;
  if (const auto* real = value->if_double(); real != nullptr && std::abs(*real) < 9e15) {
    return static_cast<std::int64_t>(*real);
  }
  return std::nullopt;
}

inline bool flag_of(const json::object& object, std::string_view key) noexcept {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Seconds as a number; nothing beyond a day, which no measurement lasts.
inline std::optional<Microseconds> seconds_of(const json::object& object,
                                              std::string_view key) noexcept {
  const json::value* value = find(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double seconds = value->to_number<double>();
  if (!(seconds >= 0 && seconds < 86'400)) return std::nullopt;
  return Microseconds(std::llround(seconds * 1e6));
}

inline const json::object* object_of(const json::object& object, std::string_view key) noexcept {
  const json::value* value = find(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

inline const json::array* list_of(const json::object& object, std::string_view key) noexcept {
  const json::value* value = find(object, key);
  return value == nullptr ? nullptr : value->if_array();
}

// MaybeBinaryData and BinaryData (df-001): a text, or {"format":"base64","data":…}.
inline std::optional<std::string> bytes_of(const json::value& value) {
  if (value.is_string()) return std::string(view_of(value));
  const json::object* object = value.if_object();
  if (object == nullptr || text_of(*object, "format") != "base64") return std::nullopt;
  return platform::from_base64(text_of(*object, "data"));
}

}  // namespace kua::collector::ooni
