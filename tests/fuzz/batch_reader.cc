// A batch as ingest takes it: bytes that claim to be zstd, bounded on the way out, then lines. The
// first byte says whether the rest is compressed already or is lines that this target compresses.
// Every line is stored, refused or counted, and what may be stored lies inside the batch.
#include "collector/ingest/batch_reader.h"

#include <algorithm>
#include <string>

#include "collector/limits.h"
#include "measurement/check.h"
#include "platform/compress/compress.h"

using namespace kua;

namespace {

constexpr std::size_t kDecompressedBytesMax = 1 << 20;  // of one input: a bomb is cut, not exploded

void lines_are_accounted_for(std::string_view lines) {
  static collector::BatchReader reader;
  const ProbeId signer = *ProbeId::parse("00112233445566778899aabbccddeeff");
  const WallTime now{std::chrono::seconds(1'780'000'000)};
  const collector::ReadBatch batch = reader.read(lines, signer, now);
  std::size_t expected = 0;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    if (end > at) ++expected;
    at = end + 1;
  }
  expected = std::min<std::size_t>(expected, collector::limits::kBatchRecordsMax);
  KUA_CHECK(batch.items.size() + batch.rejected.size() + batch.unreadable == expected);
  for (const auto& item : batch.items) {
    KUA_CHECK(item.line.data() >= lines.data());
    KUA_CHECK(item.line.data() + item.line.size() <= lines.data() + lines.size());
    KUA_CHECK(header_of(item.record).probe == signer);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool compressed = data[0] != 'l';
  const std::string body = compressed ? std::string(rest) : platform::zstd_compress(rest);
  const Expected<std::string> lines = platform::zstd_decompress(body, kDecompressedBytesMax);
  if (!lines) {
    KUA_CHECK(compressed || rest.size() > kDecompressedBytesMax);
    return 0;
  }
  KUA_CHECK(lines->size() <= kDecompressedBytesMax);
  if (!compressed) KUA_CHECK(*lines == rest);
  lines_are_accounted_for(*lines);
  return 0;
}
