// The first line of a batch in the record log, perhaps from a torn frame: what is read is written
// again to a line that reads the same.
#include "collector/store/batch_line.h"

#include <string>

#include "measurement/check.h"

using namespace kua;
using namespace kua::collector;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = read_batch_line({reinterpret_cast<const char*>(data), size});
  if (!read) return 0;
  std::string line;
  append_batch_line(*read, line);
  KUA_CHECK(line.ends_with('\n'));
  line.pop_back();
  const auto again = read_batch_line(line);
  KUA_CHECK(again.has_value() && *again == *read);
  return 0;
}
