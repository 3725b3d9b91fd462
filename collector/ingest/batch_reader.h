// From the decompressed bytes of a batch to records that may be stored: every line read, every record
// checked against its signer and the clock, every refusal with its reason. Pure but for its buffers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/names.h"
#include "measurement/record.h"
#include "measurement/time.h"
#include "protocol/api.h"
#include "protocol/record_codec.h"

namespace kua::collector {

struct ReadBatch {
  struct Item {
    Record record;
    std::string_view line;  // views into the batch's bytes
  };
  std::vector<Item> items;  // may be stored
  std::vector<protocol::BatchAnswer::Rejected> rejected;
  std::uint32_t unreadable = 0;
  // Whether the items' lines, each with a newline, are all there is.
  bool is_whole = false;
};

class BatchReader {
 public:
  // `lines` must outlive the result. Lines beyond kBatchRecordsMax are left out: they come again.
  [[nodiscard]] ReadBatch read(std::string_view lines, const ProbeId& signer, WallTime now);

 private:
  protocol::RecordReader reader_;
};

}  // namespace kua::collector
