// One line of a file of records: the parts that are found lie inside the line, and a member that is found
// is the text of a value.
#include <string_view>

#include "collector/rejudge/record_line.h"
#include "measurement/check.h"

using namespace kua;
using namespace kua::collector;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto inside = [line](std::string_view part) {
    return part.empty() || (part.data() >= line.data() && part.data() + part.size() <= line.data() + line.size());
  };
  if (const auto found = read_record_line(line)) {
    KUA_CHECK(inside(found->record) && inside(found->verdicts));
    KUA_CHECK(found->verdicts.empty() || !found->record.empty());
  }
  for (const char* name : {"id", "verdicts", "record"}) {
    const auto value = member_of(line, name);
    if (value) KUA_CHECK(inside(*value) && !value->empty());
  }
  return 0;
}
