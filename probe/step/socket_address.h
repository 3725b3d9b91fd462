// Between our addresses and the kernel's.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "measurement/address.h"

namespace kua::probe {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};

[[nodiscard]] SocketAddress to_socket_address(const Endpoint& endpoint) noexcept;
// nullopt for a family that is neither IPv4 nor IPv6.
[[nodiscard]] std::optional<IpAddress> address_of(const sockaddr& address) noexcept;
[[nodiscard]] std::optional<IpAddress> local_address_of(int socket) noexcept;
[[nodiscard]] inline int family_number(Family family) noexcept {
  return family == Family::ip4 ? AF_INET : AF_INET6;
}

}  // namespace kua::probe
