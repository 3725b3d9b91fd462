#include "collector/store/batch_text.h"

#include <utility>

#include "collector/store/batch_line.h"
#include "protocol/record_codec.h"

namespace kua::collector {

BatchParts parts_of(std::string_view text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

std::uint64_t for_each_record(std::string_view text, const std::function<void(StoredRecord)>& to) {
  const BatchParts parts = parts_of(text);
  const auto about = read_batch_line(parts.line);
  if (!about) return text.size();
  protocol::RecordReader reader;
  std::uint64_t unreadable = 0;
  for_each_line(parts.records, [&](std::size_t, std::string_view line) {
    auto record = reader.read(line);
    if (!record) {
      unreadable += line.size();
      return;
    }
    ReceivedFacts facts = facts_of(about->reception, header_of(*record));
    to(StoredRecord{std::string(line), std::move(*record), std::move(facts)});
  });
  return unreadable;
}

}  // namespace kua::collector
