// A response's body as it streams by: however it is cut into pieces, the same bytes come out, never
// more than asked for. The first two bytes choose the coding and the size of the pieces.
#include "probe/step/http_body.h"

#include <algorithm>

#include "measurement/check.h"

using namespace kua;
using namespace kua::probe;

namespace {

constexpr std::uint64_t kDecodedBytesMax = 200'000;

struct Taken {
  std::uint64_t decoded_bytes;
  std::string prefix;
  std::string sha256;
  BodyEnd end;
  friend bool operator==(const Taken&, const Taken&) = default;
};

Taken taken(std::string_view wire, ContentCoding coding, std::size_t piece_bytes) {
  HttpBody body(BodyLimits{.wire_bytes_max = 100'000, .decoded_bytes_max = kDecodedBytesMax});
  body.begin(coding);
  for (std::size_t at = 0; at < wire.size(); at += piece_bytes) {
    body.take(wire.substr(at, piece_bytes));
  }
  return {body.decoded_bytes(), body.prefix(), body.sha256(), body.end()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr ContentCoding kCodings[] = {ContentCoding::identity, ContentCoding::gzip,
                                        ContentCoding::deflate, ContentCoding::unknown};
  const ContentCoding coding = kCodings[data[0] % 4];
  const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Taken whole = taken(wire, coding, std::max<std::size_t>(1, wire.size()));
  const Taken pieces = taken(wire, coding, 1u + data[1] % 64);
  KUA_CHECK(whole.decoded_bytes <= kDecodedBytesMax && whole.prefix.size() <= whole.decoded_bytes);
  KUA_CHECK(whole.sha256.empty() == (whole.decoded_bytes == 0));
  // A bomb may be noticed a piece earlier or later; what is not one comes out the same.
  const bool bomb =
      whole.end == BodyEnd::compression_ratio || pieces.end == BodyEnd::compression_ratio;
  KUA_CHECK(bomb || whole == pieces);
  return 0;
}
