// The first kQuicFirstDatagramBytes become a ping, the rest is what came back: an answer that is read has
// the ping's connection ids exchanged, and is read the same when more versions follow it.
#include "wire/quic_packet.h"

#include <algorithm>

#include "measurement/check.h"
#include "wire/limits.h"

using namespace kua::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes ping(kQuicFirstDatagramBytes, 0x5a);
  make_version_ping(ping);
  const BytesView answer(data, size);
  const auto read = [&ping](BytesView datagram) { return read_version_negotiation(datagram, ping); };
  if (const auto versions = read(answer)) {
    KUA_CHECK(!versions->empty() && versions->size() <= kQuicVersionsMax);
    KUA_CHECK(size >= 23 + 4 * versions->size() && (data[0] & 0x80) != 0);
    Bytes longer(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(23 + 4 * versions->size()));
    KUA_CHECK(read(longer) == versions);
    put_u32(longer, 1);
    KUA_CHECK(read(longer)->size() == std::min(versions->size() + 1, kQuicVersionsMax));
  }
  (void)read_version_negotiation(ping, answer);
  return 0;
}
