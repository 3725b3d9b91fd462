#include "collector/store/append_batch.h"

#include <algorithm>

#include "collector/store/day_log.h"
#include "platform/compress/compress.h"

namespace kua::collector {
namespace {

// What is compressed here is written once and read rarely; level 3 saves a tenth of the space for twice the time.
constexpr int kLevel = 1;

LinePlace place_of(std::size_t offset, std::string_view line) {
  return {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(line.size())};
}

std::string frames_of(const AppendBatch& batch, std::optional<Seal> seal, std::string_view records) {
  std::string line;
  append_batch_line({batch.reception, std::move(seal)}, line);
  return DayLog::to_frames(line, records);
}

}  // namespace

PackedBatch pack(const AppendBatch& batch, std::span<const Stored> results) {
  PackedBatch out;
  out.places.reserve(results.size());
  if (batch.sent && std::ranges::count(results, Stored::stored) == std::ssize(results)) {
    for (const AppendBatch::Item& item : batch.items) {
      const std::ptrdiff_t offset = item.line.data() - batch.sent->text.data();
      out.places.push_back(place_of(static_cast<std::size_t>(offset), item.line));
    }
    if (!out.places.empty()) out.frames = frames_of(batch, batch.sent->seal, batch.sent->bytes);
    return out;
  }
  std::string lines;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] == Stored::duplicate) continue;
    out.places.push_back(place_of(lines.size(), batch.items[i].line));
    lines.append(batch.items[i].line).push_back('\n');
  }
  if (!lines.empty()) out.frames = frames_of(batch, std::nullopt, platform::zstd_compress(lines, kLevel));
  return out;
}

}  // namespace kua::collector
