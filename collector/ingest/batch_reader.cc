#include "collector/ingest/batch_reader.h"

#include <algorithm>
#include <optional>

#include "collector/limits.h"
#include "protocol/record_peek.h"

namespace kua::collector {
namespace {

using protocol::Rejection;

Rejection reason_of(const Error& error, const protocol::RecordPeek& peek) {
  if (error.kind == ErrorKind::limit) return Rejection::too_large;
  if (!peek.format.empty() && peek.format != protocol::kRecordFormat) return Rejection::unknown_format;
  return Rejection::malformed;
}

std::optional<Rejection> refusal_of(const RecordHeader& header, const ProbeId& signer, WallTime now) {
  if (header.probe != signer) return Rejection::wrong_probe;
  if (header.time < now - limits::kRecordAgeMax) return Rejection::too_old;
  // The id as well: it decides where the record stands among the newest.
  const WallTime born{std::chrono::milliseconds(header.id.unix_milliseconds())};
  if (std::max(header.time, born) > now + limits::kRecordFutureMax) return Rejection::from_future;
  return std::nullopt;
}

// Newlines by memchr, which looks at 64 bytes at a time; a record moved by a growing vector is dearer.
std::size_t lines_in(std::string_view text) {
  std::size_t count = 1;
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) ++count;
  return std::min(count, limits::kBatchRecordsMax);
}

}  // namespace

ReadBatch BatchReader::read(std::string_view lines, const ProbeId& signer, WallTime now) {
  ReadBatch out;
  out.items.reserve(lines_in(lines));
  std::size_t seen = 0;
  std::size_t bytes = 0;  // of the items and their newlines
  for (std::size_t at = 0; at < lines.size() && seen < limits::kBatchRecordsMax;) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string_view line = lines.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    ++seen;
    auto record = reader_.read(line);
    if (!record) {
      const protocol::RecordPeek peek = protocol::peek_record(line);
      if (peek.id) {
        out.rejected.push_back({peek.id->text(), reason_of(record.error(), peek)});
      } else {
        ++out.unreadable;
      }
      continue;
    }
    const RecordHeader& header = header_of(*record);
    if (const auto refusal = refusal_of(header, signer, now)) {
      out.rejected.push_back({header.id.text(), *refusal});
      continue;
    }
    out.items.push_back({std::move(*record), line});
    bytes += line.size() + 1;
  }
  out.is_whole = bytes == lines.size() && lines.ends_with('\n');
  return out;
}

}  // namespace kua::collector
