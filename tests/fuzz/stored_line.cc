// A line of the record log, perhaps from a torn frame: the record's bytes lie inside the line, and
// facts that are read are written again to the same. As a record, the input comes back byte for
// byte.
#include "collector/store/stored_line.h"

#include <string>

#include "measurement/check.h"

using namespace kua;
using namespace kua::collector;

namespace {

std::string line_of(std::string_view record, const ReceivedFacts& facts) {
  std::string out(kStoredLineBegin);
  out += record;
  append_received(facts, out);
  KUA_CHECK(out.ends_with('\n'));
  out.pop_back();
  return out;
}

void reads_back(std::string_view record, const ReceivedFacts& facts) {
  const std::string line = line_of(record, facts);
  const auto again = read_stored_line(line);
  KUA_CHECK(again.has_value() && again->record == record);
  KUA_CHECK(line_of(again->record, again->facts) == line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto stored = read_stored_line(line);
  if (!stored) return 0;
  KUA_CHECK(stored->record.data() >= line.data());
  KUA_CHECK(stored->record.data() + stored->record.size() <= line.data() + line.size());
  reads_back(stored->record, stored->facts);
  return 0;
}
