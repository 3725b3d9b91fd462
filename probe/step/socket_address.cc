#include "probe/step/socket_address.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace kua::probe {

SocketAddress to_socket_address(const Endpoint& endpoint) noexcept {
  SocketAddress out;
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.family() == Family::ip4) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(endpoint.port);
    std::memcpy(&four.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &four, sizeof four);
    out.length = sizeof four;
  } else {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(endpoint.port);
    std::memcpy(&six.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &six, sizeof six);
    out.length = sizeof six;
  }
  return out;
}

std::optional<IpAddress> address_of(const sockaddr& address) noexcept {
  std::array<std::uint8_t, 16> bytes{};
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    std::memcpy(bytes.data(), &four.sin_addr, 4);
    return IpAddress::from_bytes(std::span(bytes).first(4));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &address, sizeof six);
    std::memcpy(bytes.data(), &six.sin6_addr, 16);
    return IpAddress::from_bytes(bytes);
  }
  return std::nullopt;
}

std::optional<IpAddress> local_address_of(int socket) noexcept {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return std::nullopt;
  return address_of(reinterpret_cast<const sockaddr&>(storage));
}

}  // namespace kua::probe
