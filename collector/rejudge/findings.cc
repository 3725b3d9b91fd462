#include "collector/rejudge/findings.h"

#include <algorithm>
#include <iterator>

#include "collector/rejudge/record_line.h"
#include "measurement/check.h"
#include "protocol/record_peek.h"
#include "protocol/verdict_json.h"

namespace kua::collector {
namespace {

std::string finding_of(const Verdict& verdict) {
  std::string out = verdict.host;
  if (!out.empty()) out += ' ';
  if (verdict.hop > 0) out += "hop " + std::to_string(verdict.hop) + ' ';
  out += to_string(verdict.layer);
  if (verdict.family) out += std::string(" ") + to_string(*verdict.family);
  out += std::string(": ") + to_string(verdict.state);
  if (!verdict.mechanism.empty()) out += ' ' + verdict.mechanism;
  out += " (" + verdict.rule + ')';
  return out;
}

std::optional<RecordId> id_of(std::string_view line) {
  if (const auto record = member_of(line, "record")) return protocol::peek_record(*record).id;
  const auto quoted = member_of(line, "id");
  if (!quoted || quoted->size() < 2) return std::nullopt;
  return RecordId::parse(quoted->substr(1, quoted->size() - 2));
}

// About what a node of the map costs beside the text.
constexpr std::size_t kNodeBytes = 96;

}  // namespace

std::vector<std::string> findings_of(const std::vector<Verdict>& verdicts) {
  std::vector<std::string> out;
  for (const Verdict& verdict : verdicts) out.push_back(finding_of(verdict));
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Change compare(const std::vector<Verdict>& before, const std::vector<Verdict>& after) {
  const std::vector<std::string> old = findings_of(before);
  const std::vector<std::string> now = findings_of(after);
  Change change{summarize(before), summarize(after), {}, {}};
  std::ranges::set_difference(old, now, std::back_inserter(change.gone));
  std::ranges::set_difference(now, old, std::back_inserter(change.come));
  return change;
}

Expected<void> EarlierVerdicts::add(std::string_view line) {
  constexpr const char* kDoing = "reading earlier verdicts";
  const auto id = id_of(line);
  const auto verdicts = member_of(line, "verdicts");
  if (!id || !verdicts) {
    return fail(ErrorKind::invalid_input, "no id of a record, or no verdicts", kDoing);
  }
  if (const auto read = protocol::read_verdicts(*verdicts); !read) {
    return std::unexpected(read.error());
  }
  std::string& text = by_record_[*id];
  bytes_ -= text.empty() ? 0 : text.size() + kNodeBytes;
  text = *verdicts;
  bytes_ += text.size() + kNodeBytes;
  if (bytes_ > bytes_max_) {
    return fail(ErrorKind::limit, "more earlier verdicts than fit into memory: compare fewer days",
                kDoing);
  }
  return {};
}

bool EarlierVerdicts::find(const RecordId& id, std::vector<Verdict>& out) const {
  const auto found = by_record_.find(id);
  if (found == by_record_.end()) return false;
  auto verdicts = protocol::read_verdicts(found->second);
  KUA_CHECK(verdicts.has_value());  // add() read the same text
  out = std::move(*verdicts);
  return true;
}

}  // namespace kua::collector
