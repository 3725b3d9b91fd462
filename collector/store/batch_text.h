// A batch of the record log, decompressed: the line about it, then a line a record.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>

#include "collector/store/archive.h"
#include "measurement/error.h"

namespace kua::collector {

struct BatchParts {
  std::string_view line;     // about the batch, without its newline
  std::string_view records;  // the rest
};
[[nodiscard]] BatchParts parts_of(std::string_view text);

// Calls `to(offset, line)` for each line, newline excluded.
template <typename To>
void for_each_line(std::string_view lines, To to) {
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    to(at, lines.substr(at, end - at));
    at = end + 1;
  }
}

// Every record of a batch with what was established about it; returns the bytes that cannot be read.
std::uint64_t for_each_record(std::string_view text, const std::function<void(StoredRecord)>& to);

}  // namespace kua::collector
