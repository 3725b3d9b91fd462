#include "platform/config/config_reader.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <system_error>

#include "platform/config/quantity.h"
#include "platform/config/yaml_tree.h"

namespace kua::platform {

using internal::YamlNode;

namespace {

std::string joined(const std::set<std::string, std::less<>>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string real_to_text(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace

// What all sections of one file share.
struct FileState {
  std::string name;
  std::unique_ptr<const YamlNode> root;
  std::optional<Error> first_problem;
  std::vector<std::shared_ptr<ConfigSection::Impl>> sections;  // in order of asking

  void note(int line, const std::string& message) {
    if (first_problem) return;
    first_problem =
        Error{ErrorKind::configuration,
              line > 0 ? name + ":" + std::to_string(line) + ": " + message : name + ": " + message,
              "reading configuration"};
  }
};

struct ConfigSection::Impl {
  FileState* file;
  const YamlNode* node;  // a mapping, or nullptr for one that is absent
  std::string path;      // "" or "schedule."
  std::set<std::string, std::less<>> asked{};
  std::map<std::string, std::shared_ptr<Impl>, std::less<>> sections{};
  std::map<std::string, std::vector<std::shared_ptr<Impl>>, std::less<>> lists{};

  const YamlNode* find(std::string_view key) {
    asked.emplace(key);
    const YamlNode* value = node == nullptr ? nullptr : node->find(key);
    return value;
  }

  // A scalar with a value; notes a problem where the key holds anything else.
  const YamlNode* scalar(std::string_view key, std::string_view allowed) {
    const YamlNode* value = find(key);
    if (value == nullptr || value->kind == YamlNode::Kind::scalar) return value;
    refuse(key, value, allowed);
    return nullptr;
  }

  void refuse(std::string_view key, const YamlNode* value, std::string_view allowed) {
    const std::string seen = value == nullptr || value->kind == YamlNode::Kind::empty ? "no value"
                             : value->kind == YamlNode::Kind::scalar ? "'" + value->scalar + "'"
                             : value->kind == YamlNode::Kind::list   ? "a list"
                                                                     : "a mapping";
    const int line = value != nullptr  ? value->position.line
                     : node != nullptr ? node->position.line
                                       : 0;
    file->note(line, path + std::string(key) + ": " + seen +
                         " is not allowed (allowed: " + std::string(allowed) + ")");
  }

  std::shared_ptr<Impl> child(const YamlNode* value, std::string child_path) const {
    auto made = std::make_shared<Impl>(Impl{file, value, std::move(child_path)});
    file->sections.push_back(made);
    return made;
  }

  void note_unasked() const {
    if (node == nullptr) return;
    for (const auto& key : node->keys) {
      if (asked.contains(key)) continue;
      file->note(node->position_of(key).line, "unknown key '" + path + key + "' (allowed here: " +
                                                  (asked.empty() ? "none" : joined(asked)) + ")");
      return;
    }
  }
};

ConfigSection::ConfigSection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::string ConfigSection::text(std::string_view key, std::string_view fallback) {
  const YamlNode* value = impl_->scalar(key, "a text");
  return value == nullptr ? std::string(fallback) : value->scalar;
}

std::string ConfigSection::one_of(std::string_view key, std::string_view fallback,
                                  std::span<const std::string_view> allowed) {
  std::string words;
  for (const auto word : allowed) words += (words.empty() ? "" : ", ") + std::string(word);
  const YamlNode* value = impl_->scalar(key, words);
  if (value == nullptr) return std::string(fallback);
  if (std::ranges::find(allowed, value->scalar) != allowed.end()) return value->scalar;
  impl_->refuse(key, value, words);
  return std::string(fallback);
}

bool ConfigSection::flag(std::string_view key, bool fallback) {
  constexpr std::string_view kAllowed = "true, false";
  const YamlNode* value = impl_->scalar(key, kAllowed);
  if (value == nullptr) return fallback;
  if (!value->quoted && value->scalar == "true") return true;
  if (!value->quoted && value->scalar == "false") return false;
  impl_->refuse(key, value, kAllowed);
  return fallback;
}

std::int64_t ConfigSection::integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                                    std::int64_t max) {
  const std::string allowed =
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  const YamlNode* value = impl_->scalar(key, allowed);
  if (value == nullptr) return fallback;
  std::int64_t number = 0;
  const char* end = value->scalar.data() + value->scalar.size();
  const auto result = std::from_chars(value->scalar.data(), end, number);
  if (result.ec == std::errc() && result.ptr == end && number >= min && number <= max)
    return number;
  impl_->refuse(key, value, allowed);
  return fallback;
}

double ConfigSection::real(std::string_view key, double fallback, double min, double max) {
  const std::string allowed = "a number from " + real_to_text(min) + " to " + real_to_text(max);
  const YamlNode* value = impl_->scalar(key, allowed);
  if (value == nullptr) return fallback;
  double number = 0;
  const char* end = value->scalar.data() + value->scalar.size();
  const auto result = std::from_chars(value->scalar.data(), end, number);
  // The comparisons also refuse what is not a number.
  if (result.ec == std::errc() && result.ptr == end && number >= min && number <= max)
    return number;
  impl_->refuse(key, value, allowed);
  return fallback;
}

Microseconds ConfigSection::duration(std::string_view key, Microseconds fallback, Microseconds min,
                                     Microseconds max) {
  const std::string allowed = "a number and ms, s, min, h or d, from " + internal::to_text(min) +
                              " to " + internal::to_text(max);
  const YamlNode* value = impl_->scalar(key, allowed);
  if (value == nullptr) return fallback;
  const auto duration = internal::parse_duration(value->scalar);
  if (duration && *duration >= min && *duration <= max) return *duration;
  impl_->refuse(key, value, allowed);
  return fallback;
}

std::uint64_t ConfigSection::bytes(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                                   std::uint64_t max) {
  const std::string allowed = "a whole number and B, kB, MB, GB, KiB, MiB or GiB, from " +
                              internal::bytes_to_text(min) + " to " + internal::bytes_to_text(max);
  const YamlNode* value = impl_->scalar(key, allowed);
  if (value == nullptr) return fallback;
  const auto bytes = internal::parse_bytes(value->scalar);
  if (bytes && *bytes >= min && *bytes <= max) return *bytes;
  impl_->refuse(key, value, allowed);
  return fallback;
}

std::vector<std::string> ConfigSection::texts(std::string_view key) {
  constexpr std::string_view kAllowed = "a list of texts";
  const YamlNode* value = impl_->find(key);
  std::vector<std::string> out;
  if (value == nullptr || value->kind == YamlNode::Kind::empty) return out;
  if (value->kind != YamlNode::Kind::list) return impl_->refuse(key, value, kAllowed), out;
  for (const auto& item : value->items) {
    if (item.kind != YamlNode::Kind::scalar) return impl_->refuse(key, &item, kAllowed), out;
    out.push_back(item.scalar);
  }
  return out;
}

ConfigSection ConfigSection::section(std::string_view key) {
  const YamlNode* value = impl_->find(key);
  auto& known = impl_->sections[std::string(key)];
  if (known == nullptr) {
    const bool absent = value == nullptr || value->kind == YamlNode::Kind::empty;
    const bool mapping = !absent && value->kind == YamlNode::Kind::mapping;
    if (!absent && !mapping) impl_->refuse(key, value, "keys of its own");
    known = impl_->child(mapping ? value : nullptr, impl_->path + std::string(key) + ".");
  }
  return ConfigSection(known);
}

std::vector<ConfigSection> ConfigSection::sections(std::string_view key) {
  constexpr std::string_view kAllowed = "a list of entries, each with keys of its own";
  const YamlNode* value = impl_->find(key);
  auto& known = impl_->lists[std::string(key)];
  if (known.empty() && value != nullptr && value->kind != YamlNode::Kind::empty) {
    if (value->kind != YamlNode::Kind::list) impl_->refuse(key, value, kAllowed);
    for (std::size_t i = 0; i < value->items.size(); ++i) {
      const auto& item = value->items[i];
      if (item.kind != YamlNode::Kind::mapping) {
        impl_->refuse(key, &item, kAllowed);
        continue;
      }
      known.push_back(
          impl_->child(&item, impl_->path + std::string(key) + "[" + std::to_string(i) + "]."));
    }
  }
  return {known.begin(), known.end()};
}

std::vector<std::string> ConfigSection::remaining_keys() {
  std::vector<std::string> out;
  if (impl_->node == nullptr) return out;
  std::ranges::copy_if(impl_->node->keys, std::back_inserter(out),
                       [this](const std::string& key) { return !impl_->asked.contains(key); });
  return out;
}

bool ConfigSection::has(std::string_view key) const {
  return impl_->node != nullptr && impl_->node->find(key) != nullptr;
}

void ConfigSection::reject(std::string_view key, std::string_view allowed) {
  impl_->refuse(key, impl_->find(key), allowed);
}

struct ConfigReader::Impl {
  FileState file;
};

ConfigReader::ConfigReader(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {
  auto root = std::make_shared<ConfigSection::Impl>(
      ConfigSection::Impl{&impl_->file, impl_->file.root.get(), ""});
  impl_->file.sections.push_back(root);
  root_ = std::make_shared<ConfigSection>(std::move(root));
}

Expected<ConfigReader> ConfigReader::open(const std::string& path) {
  const std::string doing = "reading configuration " + path;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int number = errno;
    const auto kind = number == ENOENT   ? ErrorKind::not_found
                      : number == EACCES ? ErrorKind::permission
                                         : ErrorKind::io;
    return fail(kind, std::generic_category().message(number), doing);
  }
  std::string text(internal::kYamlBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(ErrorKind::io, "the file cannot be read", doing);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse(text, path);
}

Expected<ConfigReader> ConfigReader::parse(std::string_view text, std::string name) {
  auto root = internal::parse_yaml(text, name);
  if (!root) return std::unexpected(root.error());
  return ConfigReader(
      std::make_shared<Impl>(Impl{FileState{std::move(name), std::move(*root), {}, {}}}));
}

ConfigSection& ConfigReader::root() { return *root_; }

Expected<void> ConfigReader::finish() {
  auto& file = impl_->file;
  for (const auto& section : file.sections) section->note_unasked();
  if (file.first_problem) return std::unexpected(*file.first_problem);
  return {};
}

}  // namespace kua::platform
