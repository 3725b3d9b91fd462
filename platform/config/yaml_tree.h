// A YAML document as a plain tree with positions; private to this folder. yaml-cpp's own nodes hide
// repeated keys and unfold aliases, so the tree is built from its events. What a person's
// configuration never needs is refused here: aliases, tags, several documents, repeated keys, deep
// nesting.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/error.h"

namespace kua::platform::internal {

struct YamlNode {
  enum class Kind { empty, scalar, list, mapping } kind = Kind::empty;
  struct Position {
    int line = 0;  // from 1
    int column = 0;
  } position;
  std::string scalar;
  bool quoted = false;
  std::vector<YamlNode> items;    // of a list
  std::vector<std::string> keys;  // of a mapping, beside `values`
  std::vector<YamlNode> values;
  std::vector<Position> key_positions;

  // nullptr where a mapping has no such key.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  [[nodiscard]] Position position_of(std::string_view key) const;
};

inline constexpr std::size_t kYamlBytesMax = 1024 * 1024;  // a file a person wrote
inline constexpr std::size_t kYamlDepthMax = 16;           // the deepest of ours is 4
inline constexpr std::size_t kYamlNodesMax = 100'000;
inline constexpr std::size_t kYamlKeysMax = 4'000;  // of one mapping; they are searched one by one

// Errors: invalid_input with "name:line:column", limit. An empty text is an empty mapping.
[[nodiscard]] Expected<std::unique_ptr<const YamlNode>> parse_yaml(std::string_view text,
                                                                   const std::string& name);

}  // namespace kua::platform::internal
