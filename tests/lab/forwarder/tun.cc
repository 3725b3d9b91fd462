#include "tests/lab/forwarder/tun.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kua::lab {
namespace {

// A descriptor with one owner.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

std::unexpected<Error> system_error(const std::string& doing) {
  return fail(ErrorKind::io, std::strerror(errno), doing);
}

}  // namespace

Expected<Tun> Tun::make(const std::string& netns, const std::string& device) {
  const Descriptor here(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  const Descriptor there(::open(netns.c_str(), O_RDONLY | O_CLOEXEC));
  if (here.get() < 0 || there.get() < 0) return system_error("opening network namespace " + netns);
  if (::setns(there.get(), CLONE_NEWNET) != 0) return system_error("entering " + netns);
  Descriptor tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  const int open_error = errno;
  int made = -1;
  if (tun.get() >= 0) {
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::copy_n(device.begin(), std::min<std::size_t>(device.size(), IFNAMSIZ - 1), request.ifr_name);
    made = ::ioctl(tun.get(), TUNSETIFF, &request);
  }
  const int make_error = errno;
  if (::setns(here.get(), CLONE_NEWNET) != 0) return system_error("leaving " + netns);
  if (tun.get() < 0) {
    errno = open_error;
    return system_error("opening /dev/net/tun");
  }
  if (made != 0) {
    errno = make_error;
    return system_error("making device " + device);
  }
  return Tun(tun.release());
}

Tun::Tun(Tun&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Tun::~Tun() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

wire::Bytes Tun::read() const {
  std::array<std::uint8_t, 65536> buffer;
  const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
  if (got <= 0) return {};
  return {buffer.begin(), buffer.begin() + got};
}

void Tun::write(wire::BytesView packet) const {
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, packet.data(), packet.size());
}

}  // namespace kua::lab
