// A listener whose queue is full answers no SYN: silence without leaving the machine.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "measurement/address.h"
#include "probe/step/socket_address.h"

namespace kua::test {

class SilentListener {
 public:
  // On `port`, or on one of the system's choice.
  explicit SilentListener(const char* address, std::uint16_t port = 0) {
    const Endpoint wanted{*IpAddress::parse(address), port, Transport::tcp};
    const int family = wanted.address.family() == Family::ip4 ? AF_INET : AF_INET6;
    probe::SocketAddress own = probe::to_socket_address(wanted);
    listener_ = ::socket(family, SOCK_STREAM, 0);
    listens_ = ::bind(listener_, own.get(), own.length) == 0 && ::listen(listener_, 0) == 0;
    sockaddr_in6 any{};  // the port is in the same place in both families
    socklen_t length = sizeof any;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &length);
    port_ = ntohs(any.sin6_port);
    for (int i = 0; i < 4; ++i) {
      fillers_.push_back(::socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0));
      (void)::connect(fillers_.back(), reinterpret_cast<sockaddr*>(&any), length);
    }
  }
  ~SilentListener() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listener_);
  }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool listens() const { return listens_; }

 private:
  int listener_ = -1;
  bool listens_ = false;
  std::uint16_t port_ = 0;
  std::vector<int> fillers_;
};

}  // namespace kua::test
