// A client's first bytes: a hello is complete exactly where it says, and a verdict other than
// "need more" is never taken back when more arrives.
#include "wire/client_hello.h"

#include "measurement/check.h"

using namespace kua::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView stream(data, size);
  const auto hello = decode_client_hello(stream);
  if (hello) {
    KUA_CHECK(hello->stream_bytes <= size);
    KUA_CHECK(decode_client_hello(stream.first(hello->stream_bytes)) == hello);
    const auto shorter = decode_client_hello(stream.first(hello->stream_bytes - 1));
    KUA_CHECK(!shorter && shorter.error() == HelloPause::need_more);
  }
  const auto half = decode_client_hello(stream.first(size / 2));
  if (half) KUA_CHECK(hello == half);
  if (!half && half.error() != HelloPause::need_more) {
    KUA_CHECK(!hello && hello.error() != HelloPause::need_more);
  }
  return 0;
}
