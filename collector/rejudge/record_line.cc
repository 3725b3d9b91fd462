#include "collector/rejudge/record_line.h"

namespace kua::collector {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

// Walks the members of one object. Decodes nothing: names with escapes are names of nobody.
class Walk {
 public:
  explicit Walk(std::string_view line) : rest_(line) { open_ = take('{'); }

  // The next member; false at the end and where the text is no object.
  bool next(std::string_view& name, std::string_view& value) {
    if (!open_) return false;
    if (!first_ && !take(',')) return false;
    first_ = false;
    skip_spaces();
    const auto quoted = string();
    if (!quoted || !take(':')) return false;
    const auto found = any();
    if (!found) return false;
    name = quoted->substr(1, quoted->size() - 2);
    value = *found;
    return true;
  }
  // Whether the object is over and nothing follows it.
  bool is_over() {
    const bool closed = open_ && take('}');
    skip_spaces();
    return closed && rest_.empty();
  }

 private:
  void skip_spaces() {
    const auto first = rest_.find_first_not_of(kSpaces);
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }
  bool take(char c) {
    skip_spaces();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view cut(std::size_t size) {
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::optional<std::string_view> string() {
    if (!rest_.starts_with('"')) return std::nullopt;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        return cut(i + 1);
      }
    }
    return std::nullopt;
  }
  std::optional<std::string_view> nested() {
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quoted) {
        if (c == '\\') {
          ++i;
        } else if (c == '"') {
          quoted = false;
        }
        continue;
      }
      if (c == '"') quoted = true;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return cut(i + 1);
    }
    return std::nullopt;
  }
  std::optional<std::string_view> any() {
    skip_spaces();
    if (rest_.starts_with('"')) return string();
    if (rest_.starts_with('{') || rest_.starts_with('[')) return nested();
    const auto end = rest_.find_first_of(",}] \t\r\n");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    return cut(end);
  }

  std::string_view rest_;
  bool open_ = false;
  bool first_ = true;
};

}  // namespace

std::optional<std::string_view> member_of(std::string_view line, std::string_view wanted) {
  Walk walk(line);
  std::string_view name;
  std::string_view value;
  while (walk.next(name, value)) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

Expected<RecordLine> read_record_line(std::string_view line) {
  if (line.find_first_not_of(kSpaces) == std::string_view::npos) return RecordLine{};
  Walk walk(line);
  std::string_view name;
  std::string_view value;
  if (!walk.next(name, value)) {
    return fail(ErrorKind::invalid_input, "no JSON object", "reading a line");
  }
  if (name == "batch") return RecordLine{};
  if (name != "record") return RecordLine{line, {}};
  RecordLine out{value, {}};
  while (walk.next(name, value)) {
    if (name == "verdicts") out.verdicts = value;
  }
  if (!walk.is_over()) {
    return fail(ErrorKind::invalid_input, "the object has no end", "reading a line");
  }
  return out;
}

}  // namespace kua::collector
