#include "wire/quic_packet.h"

#include <algorithm>

#include "measurement/check.h"
#include "wire/limits.h"

namespace kua::wire {
namespace {

constexpr std::uint8_t kLongHeader = 0x80;
constexpr std::uint8_t kFixedBit = 0x40;
constexpr std::uint8_t kPingIdBytes = 8;
// Offsets in a ping: type, version, length and bytes of the destination's id, then of the source's.
constexpr std::size_t kVersionAt = 1;
constexpr std::size_t kDestinationAt = 5;
constexpr std::size_t kSourceAt = kDestinationAt + 1 + kPingIdBytes;

struct LongHeader {
  std::uint32_t version = 0;
  BytesView destination;
  BytesView source;
};

std::optional<LongHeader> read_long_header(ByteReader& reader) {
  const bool is_long = (reader.u8() & kLongHeader) != 0;
  LongHeader out;
  out.version = reader.u32();
  out.destination = reader.take(reader.u8());
  out.source = reader.take(reader.u8());
  if (!is_long || reader.failed()) return std::nullopt;
  return out;
}

}  // namespace

void make_version_ping(std::span<std::uint8_t> random) noexcept {
  KUA_CHECK(random.size() == kQuicFirstDatagramBytes);
  random[0] |= kLongHeader | kFixedBit;
  for (std::uint8_t& byte : random.subspan(kVersionAt, 4)) {
    byte = static_cast<std::uint8_t>((byte & 0xf0) | 0x0a);
  }
  random[kDestinationAt] = kPingIdBytes;
  random[kSourceAt] = kPingIdBytes;
}

std::optional<std::vector<std::uint32_t>> read_version_negotiation(BytesView datagram, BytesView ping) {
  ByteReader asked_reader(ping);
  ByteReader reader(datagram);
  const auto asked = read_long_header(asked_reader);
  const auto header = read_long_header(reader);
  if (!asked || !header || header->version != 0) return std::nullopt;
  if (!std::ranges::equal(header->destination, asked->source) ||
      !std::ranges::equal(header->source, asked->destination)) {
    return std::nullopt;
  }
  std::vector<std::uint32_t> versions;
  while (reader.remaining() >= 4 && versions.size() < kQuicVersionsMax) versions.push_back(reader.u32());
  if (versions.empty()) return std::nullopt;
  return versions;
}

}  // namespace kua::wire
