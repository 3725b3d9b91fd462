#include "collector/ingest/batch_reader.h"

#include <algorithm>
#include <optional>

#include "collector/limits.h"

namespace kua::collector {
namespace {

using protocol::Rejection;

// The value of the first member called `name`, for lines that are no readable record: enough to tell
// the sender which of its records it was.
std::string_view text_member(std::string_view line, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\"";
  auto at = line.find(key);
  if (at == std::string_view::npos) return {};
  at = line.find_first_not_of(" \t:", at + key.size());
  if (at == std::string_view::npos || line[at] != '"') return {};
  const auto end = line.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view() : line.substr(at + 1, end - at - 1);
}

Rejection reason_of(const Error& error, std::string_view line) {
  if (error.kind == ErrorKind::limit) return Rejection::too_large;
  const std::string_view format = text_member(line, "format");
  if (!format.empty() && format != protocol::kRecordFormat) return Rejection::unknown_format;
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

}  // namespace

ReadBatch BatchReader::read(std::string_view lines, const ProbeId& signer, WallTime now) {
  ReadBatch out;
  out.items.reserve(std::min<std::size_t>(std::count(lines.begin(), lines.end(), '\n') + 1, limits::kBatchRecordsMax));
  std::size_t seen = 0;
  for (std::size_t at = 0; at < lines.size() && seen < limits::kBatchRecordsMax;) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string_view line = lines.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    ++seen;
    auto record = reader_.read(line);
    if (!record) {
      const auto id = RecordId::parse(text_member(line, "id"));
      if (id) {
        out.rejected.push_back({id->text(), reason_of(record.error(), line)});
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
  }
  return out;
}

}  // namespace kua::collector
