#include "platform/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace kua::platform::internal {
namespace {

// Ends a parse from inside an event; never leaves this file.
struct Refusal {
  YamlNode::Position position;
  std::string message;
  ErrorKind kind = ErrorKind::invalid_input;
};

YamlNode::Position position_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// yaml-cpp lets a quoted text that is never closed run to the end of the file, and every key behind
// it would silently have its default. `from` begins with the quote.
bool closes_on_its_line(std::string_view from) {
  const char quote = from.front();
  for (std::size_t i = 1; i < from.size() && from[i] != '\n'; ++i) {
    if (from[i] == '\\' && quote == '"') {
      ++i;
    } else if (from[i] == quote) {
      if (quote == '"' || i + 1 >= from.size() || from[i + 1] != quote) return true;
      ++i;  // '' inside single quotes is one of them
    }
  }
  return false;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}
  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::empty, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{internal::position_of(mark), "aliases (*name) are not allowed"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    const auto from = text_.substr(std::min(static_cast<std::size_t>(mark.pos), text_.size()));
    if ((from.starts_with('"') || from.starts_with('\'')) && !closes_on_its_line(from)) {
      throw Refusal{internal::position_of(mark),
                    "a quoted text must end on the line where it begins"};
    }
    auto node = make(YamlNode::Kind::scalar, mark, anchor);
    node.scalar = value;
    node.quoted = tag == "!";  // yaml-cpp's sign of a scalar that is not plain
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(YamlNode::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  // A collection whose end was not seen yet, and in a mapping the key that waits for its value.
  struct Open {
    YamlNode node;
    bool key_waits = false;
  };

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refusal{internal::position_of(mark), "tags (!name) are not allowed"};
    }
  }

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    const auto position = internal::position_of(mark);
    if (anchor != YAML::NullAnchor) throw Refusal{position, "anchors (&name) are not allowed"};
    if (++nodes_ > kYamlNodesMax) {
      throw Refusal{position, "more than " + std::to_string(kYamlNodesMax) + " values",
                    ErrorKind::limit};
    }
    YamlNode node;
    node.kind = kind;
    node.position = position;
    return node;
  }

  void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    if (open_.size() >= kYamlDepthMax) {
      throw Refusal{internal::position_of(mark),
                    "nested deeper than " + std::to_string(kYamlDepthMax) + " levels",
                    ErrorKind::limit};
    }
    open_.push_back(Open{make(kind, mark, anchor), false});
  }

  void end() {
    auto node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& [parent, key_waits] = open_.back();
    if (parent.kind == YamlNode::Kind::list) {
      parent.items.push_back(std::move(node));
    } else if (key_waits) {
      parent.values.push_back(std::move(node));
      key_waits = false;
    } else {
      add_key(parent, node);
      key_waits = true;
    }
  }

  static void add_key(YamlNode& mapping, YamlNode& key) {
    if (key.kind != YamlNode::Kind::scalar)
      throw Refusal{key.position, "a key must be a plain word"};
    if (std::ranges::find(mapping.keys, key.scalar) != mapping.keys.end()) {
      throw Refusal{key.position, "key '" + key.scalar + "' is given twice"};
    }
    if (mapping.keys.size() >= kYamlKeysMax) {
      throw Refusal{key.position, "more than " + std::to_string(kYamlKeysMax) + " keys",
                    ErrorKind::limit};
    }
    mapping.keys.push_back(std::move(key.scalar));
    mapping.key_positions.push_back(key.position);
  }

  std::string_view text_;
  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

std::unexpected<Error> refused(const std::string& name, YamlNode::Position position,
                               const std::string& message, ErrorKind kind) {
  return fail(kind,
              name + ":" + std::to_string(position.line) + ":" + std::to_string(position.column) +
                  ": " + message,
              "reading configuration");
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto at = std::ranges::find(keys, key);
  return at == keys.end() ? nullptr : &values[static_cast<std::size_t>(at - keys.begin())];
}

YamlNode::Position YamlNode::position_of(std::string_view key) const {
  const auto at = std::ranges::find(keys, key);
  return at == keys.end() ? position : key_positions[static_cast<std::size_t>(at - keys.begin())];
}

Expected<std::unique_ptr<const YamlNode>> parse_yaml(std::string_view text,
                                                     const std::string& name) {
  if (text.size() > kYamlBytesMax) {
    return refused(name, {1, 1}, "longer than " + std::to_string(kYamlBytesMax) + " bytes",
                   ErrorKind::limit);
  }
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    const auto line = 1 + static_cast<int>(std::ranges::count(text.substr(0, zero), '\n'));
    return refused(name, {line, 1}, "a zero byte: this is not a text file",
                   ErrorKind::invalid_input);
  }
  if (text.starts_with("\xef\xbb\xbf"))
    text.remove_prefix(3);  // positions count from behind the mark
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(text);
    parser.HandleNextDocument(builder);
    auto root = std::make_unique<YamlNode>(builder.take_root());
    TreeBuilder second(text);
    if (parser.HandleNextDocument(second)) {
      const auto position = second.take_root().position;
      return refused(name, position, "a second document (---) is not allowed",
                     ErrorKind::invalid_input);
    }
    if (root->kind == YamlNode::Kind::empty) root->kind = YamlNode::Kind::mapping;
    if (root->kind != YamlNode::Kind::mapping) {
      return refused(name, root->position, "'key: value' lines are expected",
                     ErrorKind::invalid_input);
    }
    return root;
  } catch (const Refusal& refusal) {
    return refused(name, refusal.position, refusal.message, refusal.kind);
  } catch (const YAML::Exception& exception) {
    return refused(name, position_of(exception.mark), exception.msg, ErrorKind::invalid_input);
  }
}

}  // namespace kua::platform::internal
