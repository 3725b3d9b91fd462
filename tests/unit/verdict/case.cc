#include "tests/unit/verdict/case.h"

#include <algorithm>

namespace kua::verdict::test {

std::string describe(const std::vector<Verdict>& verdicts) {
  std::string out;
  for (const Verdict& v : verdicts) {
    out += "  " + v.host + " hop " + std::to_string(v.hop) + " " + to_string(v.layer) + " " +
           (v.family ? to_string(*v.family) : "") + " " + to_string(v.state) + " [" + v.mechanism + "] " +
           v.rule + " (" + v.detail + ")\n";
  }
  return out;
}

void check(const Case& row) {
  const auto verdicts = judge(row.seen.measurement, row.controls.views(), knowledge());
  const auto found = std::ranges::find_if(verdicts, [&](const Verdict& v) {
    return v.host == row.host && v.layer == row.layer && v.family == row.family;
  });
  ASSERT_NE(found, verdicts.end()) << row.claim << "\n" << describe(verdicts);
  EXPECT_EQ(found->state, row.state) << row.claim << "\n" << describe(verdicts);
  EXPECT_EQ(found->rule, row.rule) << row.claim << "\n" << describe(verdicts);
  EXPECT_EQ(found->mechanism, row.mechanism) << row.claim << "\n" << describe(verdicts);
}

}  // namespace kua::verdict::test
