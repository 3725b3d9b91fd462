#include "collector/rejudge/judge_command.h"

#include <utility>

#include "collector/lists/own_lists.h"
#include "collector/rejudge/rejudge.h"

namespace kua::collector {
namespace {

Expected<EarlierVerdicts> read_earlier(const std::string& path) {
  EarlierVerdicts earlier;
  if (path.empty()) return earlier;
  auto file = LineFile::open(path, limits::kRecordLineBytesMax, Reading::once);
  if (!file) return std::unexpected(file.error());
  while (true) {
    const auto line = file->next();
    if (!line) return std::unexpected(line.error());
    if (!*line) return earlier;
    if ((*line)->text.empty() && !(*line)->too_long) continue;
    // A comparison with half of what was meant would hide changes: the first bad line ends it.
    if (auto added = earlier.add((*line)->text); !added) {
      added.error().doing += ", " + file->name() + ":" + std::to_string((*line)->number);
      return std::unexpected(added.error());
    }
  }
}

}  // namespace

Expected<std::optional<std::set<ProbeId>>> read_controls(const std::vector<std::string>& ids) {
  if (ids.empty()) return std::nullopt;
  std::set<ProbeId> out;
  for (const std::string& text : ids) {
    const auto id = ProbeId::parse(text);
    if (!id)
      return fail(ErrorKind::configuration, "'" + text + "' is no probe id", "reading --control");
    out.insert(*id);
  }
  return out;
}

Expected<KnowledgeSet> read_knowledge(const std::vector<std::string>& lists) {
  KnowledgeSet knowledge;
  for (const std::string& path : lists) {
    const auto list = read_own_list(path);
    if (!list) return std::unexpected(list.error());
    knowledge.merge(*list);
  }
  return knowledge;
}

Expected<ReadThrough> judge_files(const JudgeCommand& command, std::FILE* out, std::FILE* err) {
  RejudgeOptions options;
  options.output = command.json ? JudgeOutput::json : JudgeOutput::lines;
  if (command.summary) options.output = JudgeOutput::summary;
  options.only_changed = command.changed;
  options.compare = command.changed || !command.against.empty();
  auto knowledge = read_knowledge(command.lists);
  if (!knowledge) return std::unexpected(knowledge.error());
  options.knowledge = std::move(*knowledge);
  auto controls = read_controls(command.controls);
  if (!controls) return std::unexpected(controls.error());
  options.controls = std::move(*controls);
  const auto earlier = read_earlier(command.against);
  if (!earlier) return std::unexpected(earlier.error());
  std::vector<LineFile> files;
  for (const std::string& path : command.files) {
    auto file = LineFile::open(path, limits::kRecordLineBytesMax, Reading::twice);
    if (!file) return std::unexpected(file.error());
    files.push_back(std::move(*file));
  }
  if (command.lists.empty()) {
    std::fputs("no --list: known block pages and interception roots are not recognised\n", err);
  }
  Rejudge rejudge(std::move(options), *earlier, out, err);
  const auto done = rejudge.run(files);
  if (!done) return std::unexpected(done.error());
  rejudge.print_counts(command.summary ? out : err);
  return rejudge.counts().bad() == 0 ? ReadThrough::whole : ReadThrough::in_part;
}

}  // namespace kua::collector
