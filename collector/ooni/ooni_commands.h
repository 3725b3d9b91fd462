// What `kua-collector import ooni` and `export ooni` were asked for, and doing it: files in, files
// out.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "collector/ooni/importer.h"
#include "collector/rejudge/judge_command.h"
#include "measurement/error.h"

namespace kua::collector {

struct ImportOoniCommand {
  std::vector<std::string> files{};
  std::string out{};  // records; empty: standard output, or nowhere when they are judged
  bool judge = false;
  bool json = false;
  bool summary = false;
  std::vector<std::string> lists{};
  bool inside_resolver = false;  // ooni::InsideResolver::network
};

struct ExportOoniCommand {
  std::vector<std::string> files{};
  std::string out{};  // empty: standard output
  std::vector<std::string> lists{};
  std::vector<std::string> controls{};
};

// Records, or verdicts, to `out`; counts by reason to `err`. ReadThrough::in_part: a line that
// should have been a measurement could not be read; other tests and versions are passed over and do
// not count as that.
[[nodiscard]] Expected<ReadThrough> import_ooni(const ImportOoniCommand& command, std::FILE* out,
                                                std::FILE* err);
[[nodiscard]] Expected<ReadThrough> export_ooni(const ExportOoniCommand& command, std::FILE* out,
                                                std::FILE* err);

}  // namespace kua::collector
