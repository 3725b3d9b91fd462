// kua/1 records as JSON, one object a line (docs/record-format.md). The writer emits what this
// version knows plus the unknown members a record came with; the reader takes any member order,
// keeps unknown members and observation kinds, and refuses what breaks the grammar. simdjson stays
// inside the .cc files.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "measurement/error.h"
#include "measurement/record.h"
#include "protocol/record_limits.h"

namespace kua::protocol {

inline constexpr std::string_view kRecordFormat = "kua/1";

// One line without the newline. Deterministic: equal records give equal bytes.
[[nodiscard]] std::string write_record(const Record& record);
void append_record(const Record& record, std::string& out);  // appends the line and '\n'

// Reuses its buffers from call to call: keep one per thread.
class RecordReader {
 public:
  RecordReader();
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) noexcept;
  ~RecordReader();
  // `line` without its newline. Errors: invalid_input naming the member at fault, limit for what
  // passes record_limits.h. A fault of the vantage that this version does not know turns `validity`
  // ok into `vantage`: it may be one that must silence accusations.
  [[nodiscard]] Expected<Record> read(std::string_view line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kua::protocol
