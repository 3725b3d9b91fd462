#include "collector/lists/envelope.h"

#include <boost/json.hpp>

namespace kua::collector {

std::optional<platform::PublicKey> claimed_list_key(std::string_view envelope) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse({envelope.data(), envelope.size()}, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* key = object == nullptr ? nullptr : object->if_contains("key");
  const auto* text = key == nullptr ? nullptr : key->if_string();
  if (text == nullptr) return std::nullopt;
  return platform::parse_public_key({text->data(), text->size()});
}

}  // namespace kua::collector
