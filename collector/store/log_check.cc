#include "collector/store/log_check.h"

#include <string_view>

#include "collector/store/batch_line.h"
#include "collector/store/batch_text.h"
#include "collector/store/day_log.h"
#include "platform/compress/compress.h"
#include "protocol/api.h"
#include "protocol/record_codec.h"

namespace kua::collector {
namespace {

// Whether the frame of the records is what the key signed.
bool is_signed_by(const Seal& seal, std::string_view frames) {
  const auto line = platform::zstd_frame_bytes(frames);
  if (!line) return false;
  const std::string signed_bytes = protocol::request_signing_input("POST", protocol::kRecordsPath, frames.substr(*line));
  return platform::verify_signature(seal.key, signed_bytes, seal.signature);
}

void check_batch(const StoredBatch& batch, std::string_view frames, LogCheck& out) {
  const BatchParts parts = parts_of(batch.text);
  const auto about = read_batch_line(parts.line);
  if (!about) {
    out.damaged_bytes += frames.size();
    return;
  }
  bool is_true = !about->seal || is_signed_by(*about->seal, frames);
  protocol::RecordReader reader;
  for_each_line(parts.records, [&](std::size_t, std::string_view line) {
    const auto record = reader.read(line);
    ++(record ? out.records : out.unreadable_lines);
    if (record && about->seal) is_true = is_true && header_of(*record).probe == platform::probe_id_of(about->seal->key);
  });
  if (!about->seal) {
    ++out.unsigned_batches;
  } else {
    ++(is_true ? out.signed_batches : out.forged_batches);
  }
}

}  // namespace

Expected<LogCheck> check_log(StoreFiles& files, const std::string& path,
                             const std::function<void(std::uint64_t done, std::uint64_t all)>& progress) {
  const auto size = files.size(path);
  if (!size) return std::unexpected(size.error());
  LogCheck out;
  DayScan scan(files, path, {}, 0);
  std::uint64_t end = 0;
  while (true) {
    const auto batch = scan.next();
    if (!batch) return std::unexpected(batch.error());
    const std::uint64_t begin = *batch ? (*batch)->position.offset : *size;
    out.damaged_bytes += begin - end;
    if (!*batch) return out;
    end = begin + (*batch)->position.bytes;
    const auto frames = files.read(path, begin, static_cast<std::size_t>((*batch)->position.bytes));
    if (!frames) return std::unexpected(frames.error());
    check_batch(**batch, *frames, out);
    progress(end, *size);
  }
}

}  // namespace kua::collector
