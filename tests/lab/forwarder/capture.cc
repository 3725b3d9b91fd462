#include "tests/lab/forwarder/capture.h"

#include <bit>
#include <cstdint>

namespace kua::lab {
namespace {

// The file's numbers are in the writer's byte order, which the magic number tells.
template <typename Number>
void put(std::ofstream& file, Number number) {
  file.write(reinterpret_cast<const char*>(&number), sizeof number);
}

constexpr std::uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kLinkTypeRaw = 101;
constexpr std::uint32_t kSnapLength = 65535;

}  // namespace

Expected<Capture> Capture::create(const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  put<std::uint32_t>(file, kMagicMicroseconds);
  put<std::uint16_t>(file, 2);
  put<std::uint16_t>(file, 4);
  put<std::uint32_t>(file, 0);
  put<std::uint32_t>(file, 0);
  put<std::uint32_t>(file, kSnapLength);
  put<std::uint32_t>(file, kLinkTypeRaw);
  if (!file.flush()) return fail(ErrorKind::io, "cannot write", "creating " + path);
  return Capture(std::move(file));
}

void Capture::add(WallTime time, wire::BytesView packet) {
  if (written_ > kBytesMax) return;
  written_ += packet.size();
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch);
  put<std::uint32_t>(file_, static_cast<std::uint32_t>(seconds.count()));
  put<std::uint32_t>(file_, static_cast<std::uint32_t>((since_epoch - seconds).count()));
  put<std::uint32_t>(file_, static_cast<std::uint32_t>(packet.size()));
  put<std::uint32_t>(file_, static_cast<std::uint32_t>(packet.size()));
  file_.write(reinterpret_cast<const char*>(packet.data()), static_cast<std::streamsize>(packet.size()));
  file_.flush();
}

}  // namespace kua::lab
