// What `kua-collector judge` was asked for, and doing it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/judge/knowledge_set.h"
#include "measurement/error.h"
#include "measurement/names.h"

namespace kua::collector {

struct JudgeCommand {
  std::vector<std::string> files{};     // "-": standard input
  std::vector<std::string> lists{};     // signed lists: fingerprints, roots, routable blocks
  std::vector<std::string> controls{};  // ids of probes; empty: any that calls itself a control
  std::string against{};                // earlier verdicts; empty: those beside a record, if any
  bool json = false;
  bool changed = false;
  bool summary = false;
};

// How much of the input there was to read was read.
enum class ReadThrough : std::uint8_t { whole, in_part };

// Verdicts to `out`, counts and bad lines to `err`. Errors: of files, lists and limits.
[[nodiscard]] Expected<ReadThrough> judge_files(const JudgeCommand& command, std::FILE* out,
                                                std::FILE* err);

// What signed lists say beforehand, whoever signed them: the operator chose the files.
[[nodiscard]] Expected<KnowledgeSet> read_knowledge(const std::vector<std::string>& lists);
// Ids of probes; nullopt where none is given.
[[nodiscard]] Expected<std::optional<std::set<ProbeId>>> read_controls(
    const std::vector<std::string>& ids);

}  // namespace kua::collector
