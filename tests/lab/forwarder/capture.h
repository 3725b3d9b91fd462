// Writes a pcap file (classic format, raw IP link type) that tcpdump and wireshark read. Flushed after
// every packet: the forwarder may be killed at any time.
#pragma once

#include <fstream>
#include <string>

#include "measurement/error.h"
#include "measurement/time.h"
#include "wire/bytes.h"

namespace kua::lab {

class Capture {
 public:
  [[nodiscard]] static Expected<Capture> create(const std::string& path);
  void add(WallTime time, wire::BytesView packet);

 private:
  explicit Capture(std::ofstream file) : file_(std::move(file)) {}
  static constexpr std::uint64_t kBytesMax = 64 * 1024 * 1024;  // a failure is near the beginning
  std::ofstream file_;
  std::uint64_t written_ = 0;
};

}  // namespace kua::lab
