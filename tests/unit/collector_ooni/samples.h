// The lines of tests/vectors, and judging what was imported as `import ooni --judge` does.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "collector/ooni/importer.h"
#include "collector/rejudge/control_shelf.h"
#include "protocol/record_codec.h"
#include "tests/unit/verdict/story.h"

namespace kua::collector::ooni::test {

inline std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file(std::string(KUA_SOURCE_DIR) + "/tests/vectors/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}

inline Imported import(const std::string& line, InsideResolver inside = InsideResolver::network) {
  Importer importer(inside);
  auto imported = importer.read(line);
  EXPECT_TRUE(imported.has_value()) << (imported ? "" : imported.error().message);
  return imported ? std::move(*imported) : Imported{};
}

// With the documentation ranges routable, as verdict tests have them.
inline std::vector<Verdict> judged(const Imported& imported) {
  ControlShelf shelf({});
  for (std::size_t i = 1; i < imported.size(); ++i) {
    EXPECT_EQ(shelf.add(imported[i]), ControlShelf::Added::taken);
  }
  shelf.close();
  const auto views = shelf.views(imported.front());
  return verdict::judge(imported.front(), views, verdict::test::knowledge());
}

template <typename Step>
std::vector<Step> steps_of(const Measurement& measurement) {
  std::vector<Step> out;
  for (const Observation& one : measurement.observations) {
    if (const auto* step = std::get_if<Step>(&one)) out.push_back(*step);
  }
  return out;
}

}  // namespace kua::collector::ooni::test
