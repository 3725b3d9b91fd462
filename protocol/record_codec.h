// kua/1 records as JSON, one object a line (docs/record-format.md). The writer emits what this version
// knows plus the unknown members a record came with; the reader takes any member order, keeps unknown
// members and observation kinds, and refuses what breaks the grammar. simdjson and Boost.JSON stay
// inside the .cc files.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "measurement/error.h"
#include "measurement/record.h"

namespace kua::protocol {

inline constexpr std::string_view kRecordFormat = "kua/1";

// One line without the newline. Deterministic: equal records give equal bytes.
[[nodiscard]] std::string write_record(const Record& record);
void append_record(const Record& record, std::string& out);  // appends the line and '\n'

// Reuses its buffers from call to call: keep one per thread.
class RecordReader {
 public:
  RecordReader();
  ~RecordReader();
  // `line` without its newline. Errors: invalid_input naming the member at fault, limit for a line
  // beyond kRecordBytesMax or lists beyond their bound. Never throws.
  [[nodiscard]] Expected<Record> read(std::string_view line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::size_t kRecordBytesMax = 256 * 1024;  // bytes; a full chain, bodies and replies fit

}  // namespace kua::protocol
