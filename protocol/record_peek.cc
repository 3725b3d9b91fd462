#include "protocol/record_peek.h"

namespace kua::protocol {
namespace {

// Walks the members of the outermost object. Every step returns false where the text stops making
// sense.
class Walk {
 public:
  explicit Walk(std::string_view text) : rest_(text) {}

  bool take(char wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // A string without its quotes, escapes as they are.
  bool take_string(std::string_view& out) {
    if (!take('"')) return false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        out = rest_.substr(0, i);
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (rest_[i] == '\\') ++i;
    }
    return false;
  }

  // A value: its text if it is a string, else nothing.
  bool take_value(std::string_view& out) {
    skip_space();
    if (rest_.starts_with('"')) return take_string(out);
    out = {};
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      std::string_view ignored;
      if (c == '"') {
        if (!take_string(ignored)) return false;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) return true;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && depth > 0) --depth;
      rest_.remove_prefix(1);
    }
    return false;
  }

 private:
  void skip_space() {
    const auto at = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }

  std::string_view rest_;
};

void note(std::string_view name, std::string_view value, RecordPeek& out) {
  if (value.empty() || value.contains('\\')) return;
  if (name == "format" && out.format.empty()) out.format = value;
  if (name == "kind" && out.kind.empty()) out.kind = value;
  if (name == "id" && !out.id) out.id = RecordId::parse(value);
  if (name == "probe" && !out.probe) out.probe = ProbeId::parse(value);
  if (name == "time" && !out.time) out.time = parse_rfc3339(value);
}

bool seen_all(const RecordPeek& peek) {
  return peek.id && peek.probe && peek.time && !peek.format.empty() && !peek.kind.empty();
}

}  // namespace

RecordPeek peek_record(std::string_view line) {
  RecordPeek out;
  Walk walk(line);
  if (!walk.take('{')) return out;
  std::string_view name;
  std::string_view value;
  do {
    if (!walk.take_string(name) || !walk.take(':')) return out;
    if (!walk.take_value(value)) return out;
    note(name, value, out);
  } while (!seen_all(out) && walk.take(','));
  return out;
}

}  // namespace kua::protocol
