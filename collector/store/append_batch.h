// A batch on its way into the record log.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collector/ingest/reception.h"
#include "collector/store/batch_line.h"
#include "collector/store/record_index.h"

namespace kua::collector {

// Records of one batch that passed every check, in the order they are to be stored.
struct AppendBatch {
  struct Item {
    IndexEntry entry;
    std::string_view line;  // the record's bytes as sent
  };
  // The batch as its probe signed it. Where every record of it is new the log keeps it as it is: nothing
  // is compressed again, and the signature stays good for ever.
  struct Sent {
    Seal seal;
    std::string_view bytes;  // one frame with a checksum (platform::is_one_checked_frame) …
    std::string_view text;   // … of the items' lines, each with a newline, and nothing else
  };
  Reception reception;
  std::vector<Item> items;
  std::optional<Sent> sent;  // none: a part of it was refused, or it was compressed in another way
  std::size_t bytes = 0;     // of all lines, for the queue's bound
};

enum class Stored : std::uint8_t { stored, duplicate };

// What is new of a batch, as the log and the index take it.
struct PackedBatch {
  std::string frames;             // empty: nothing of it is new
  std::vector<LinePlace> places;  // of each new record
};
// `results`: one for each item. Where all are new the batch goes on as its probe sent it; of a part the
// lines are compressed anew.
[[nodiscard]] PackedBatch pack(const AppendBatch& batch, std::span<const Stored> results);

}  // namespace kua::collector
