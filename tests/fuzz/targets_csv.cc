// CSV files that people edit: targets are written and read again the same, and every refusal names
// the file, the line and the column. The first byte chooses the kind of file.
#include <string>
#include <string_view>

#include "measurement/check.h"
#include "protocol/target_list.h"

using namespace kua;
using namespace kua::protocol;

namespace {

template <typename Rows>
bool is_read(const Expected<Rows>& rows) {
  if (!rows) KUA_CHECK(rows.error().text().find("fuzz.csv:") != std::string::npos);
  return rows.has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'f') {
    SkippedSigns skipped;
    static_cast<void>(is_read(read_fingerprints_csv(text, "fuzz.csv", skipped)));
    return 0;
  }
  if (data[0] == 'r') {
    static_cast<void>(is_read(read_interception_roots_csv(text, "fuzz.csv")));
    return 0;
  }
  const auto targets = read_targets_csv(text, "fuzz.csv");
  if (!is_read(targets)) return 0;
  const std::string written = write_targets_csv(*targets);
  const auto again = read_targets_csv(written, "fuzz.csv");
  KUA_CHECK(again.has_value() && *again == *targets);
  KUA_CHECK(write_targets_csv(*again) == written);
  return 0;
}
