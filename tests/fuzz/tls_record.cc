// Records one behind the other: each lies inside the stream and is the same without what follows
// it.
#include "wire/tls_record.h"

#include <algorithm>

#include "measurement/check.h"

using namespace kua::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView stream(data, size);
  std::size_t at = 0;
  auto record = decode_tls_record(stream);
  for (; record; record = decode_tls_record(stream.subspan(at))) {
    KUA_CHECK(record->bytes() <= size - at);
    const BytesView alone = stream.subspan(at, record->bytes());
    KUA_CHECK(decode_tls_record(alone)->bytes() == record->bytes());
    const auto shorter = decode_tls_record(alone.first(alone.size() - 1));
    KUA_CHECK(!shorter && shorter.error() == TlsPause::need_more);
    if (const auto alert = decode_tls_alert(*record)) {
      const auto again = encode_tls_alert(*alert, record->version);
      KUA_CHECK(std::ranges::equal(again, alone));
    }
    at += record->bytes();
  }
  if (at == size) KUA_CHECK(record.error() == TlsPause::need_more);
  return 0;
}
