// A TUN device inside a network namespace, its descriptor held outside: packets that the namespace
// routes into the device are read here, and what is written here arrives there. Needs CAP_NET_ADMIN in
// the user namespace that owns the network namespace.
#pragma once

#include <string>

#include "measurement/error.h"
#include "wire/bytes.h"

namespace kua::lab {

class Tun {
 public:
  // `netns` is the path of a namespace file. The device is made there and is still down; the calling
  // thread is back in its own namespace afterwards.
  [[nodiscard]] static Expected<Tun> make(const std::string& netns, const std::string& device);
  Tun(Tun&& other) noexcept;
  Tun& operator=(Tun&&) = delete;
  ~Tun();

  [[nodiscard]] int descriptor() const { return descriptor_; }  // non-blocking; owned
  // One whole packet; empty when none waits.
  [[nodiscard]] wire::Bytes read() const;
  // A packet that the device does not take (down, or its queue full) is lost, as on any line.
  void write(wire::BytesView packet) const;

 private:
  explicit Tun(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace kua::lab
