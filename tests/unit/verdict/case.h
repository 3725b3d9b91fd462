// One row of a table test, and how it is checked.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/unit/verdict/story.h"

namespace kua::verdict::test {

struct Case {
  const char* claim;
  Story seen;
  Controls controls;
  Layer layer;
  State state;
  const char* rule;
  const char* mechanism = "";
  const char* host = kHost;
  std::optional<Family> family = {};
};

std::string describe(const std::vector<Verdict>& verdicts);
void check(const Case& row);

}  // namespace kua::verdict::test
